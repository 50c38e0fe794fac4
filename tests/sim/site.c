/* site.c - the life of a site's roles, as the master sees to it, without processes, cages and TLS. */
#include "site.h"

#include "net/tls.h"
#include "talk/report.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { BACK_MS = 25 * 1000, STATUS_ROOM = 4096 };

/* Who has a channel to whom: those for which talk.def has a word. */
static const enum role arrows[SITE_JOINS][2] = {
    {ROLE_BOX, ROLE_SMTP},  {ROLE_BOX, ROLE_MAIL},  {ROLE_BOX, ROLE_AUTH},
    {ROLE_BOX, ROLE_FTP},   {ROLE_BOX, ROLE_QUEUE}, {ROLE_AUTH, ROLE_SMTP},
    {ROLE_AUTH, ROLE_MAIL}, {ROLE_AUTH, ROLE_FTP},  {ROLE_QUEUE, ROLE_OUT},
    {ROLE_DIAL, ROLE_OUT},  {ROLE_DIAL, ROLE_FTP},  {ROLE_RESOLVE, ROLE_OUT},
};

struct addr
site_at(const struct site *s, uint16_t port)
{
	return scene_addr(s->conf.ip, port);
}

/* ---- joining ---- */

static bool
is_end(size_t join, enum role role)
{
	return arrows[join][0] == role || arrows[join][1] == role;
}

static void
join(struct site *s, size_t i)
{
	struct site_role *a = &s->roles[arrows[i][0]], *b = &s->roles[arrows[i][1]];
	int fd[2];

	if (!a->peers || !b->peers)
		return;
	assert_true(is_ok(loop_pair(s->scene->loop, LOOP_MESSAGES, fd)));
	assert_true(is_ok(peers_add(a->peers, arrows[i][1], 0, fd[0])));
	assert_true(is_ok(peers_add(b->peers, arrows[i][0], 0, fd[1])));
	s->joins[i] = fd[0];
}

/* cut: what is under way over the role's channels is lost. */
static void
part(struct site *s, enum role role, bool cut)
{
	for (size_t i = 0; i < SITE_JOINS; i++)
		if (is_end(i, role)) {
			if (cut && s->joins[i] >= 0)
				sim_cut(s->scene->loop, s->joins[i]);
			s->joins[i] = -1;
		}
}

/* ---- a role's life ---- */

static void
open_role(void *owner)
{
	struct site_role *r = owner;
	struct site *s = r->site;
	const struct site_kind *k = r->kind;
	struct peers *peers;

	assert_true(is_ok(peers_open(&peers, s->scene->loop, k->role, k->handlers, r)));
	k->open(s, peers);
	r->peers = peers;
	for (size_t i = 0; i < SITE_JOINS; i++)
		if (is_end(i, k->role))
			join(s, i);
	if (k->start)
		k->start(s);
}

static void
close_role(struct site_role *r, bool cut)
{
	struct peers *peers = r->peers;

	loop_defer_stop(r->site->scene->loop, &r->fall);
	part(r->site, r->kind->role, cut);
	r->peers = NULL;
	if (r->kind->role != ROLE_BOX) /* whose last answers may still be heard */
		peers_hang_up(peers);
	r->kind->close(r->site);
	peers_close(peers);
}

static void
die(struct site_role *r, uint64_t back_ms)
{
	struct scene *scene = r->site->scene;

	if (!r->peers)
		return;
	scene_incident(scene);
	close_role(r, scene_chance(scene, 2));
	loop_timer_set(scene->loop, &r->revive, back_ms, open_role, r);
}

void
site_crash(struct site *s, enum role role, uint64_t back_ms)
{
	struct site_role *r = &s->roles[role];

	if (r->kind && r->kind->falls)
		die(r, back_ms);
}

static void
fall(void *owner)
{
	struct site_role *r = owner;

	die(r, random_below(r->site->scene->dice, BACK_MS));
}

/* Now and then it dies of it: before it has looked at it, before the commit, before the answer. */
void
site_hears(struct site_role *r, const struct peer *p, struct chan_word *word,
           void (*handle)(struct site *, const struct peer *, struct chan_word *))
{
	enum { UNSEEN, UNCOMMITTED, UNANSWERED, DISK, WAYS };
	struct site *s = r->site;
	uint64_t chance = random_below(s->scene->dice, 1000000);
	bool dies = chance < s->fall_ppm && r->kind->falls;
	bool of_disk = dies && chance % WAYS == DISK && s->disk && r->kind->role == ROLE_BOX;

	if (of_disk)
		disk_sim_fail(s->disk, 1 + random_below(s->scene->dice, 4), EIO);
	if (!dies || chance % WAYS != UNSEEN)
		handle(s, p, word);
	if (dies && chance % WAYS == UNANSWERED)
		loop_defer(s->scene->loop, &r->fall, fall, r);
	else if (dies && chance % WAYS != DISK)
		fall(r);
}

/* It ends, and the next life reads what is really on the disk (attack 141). */
void
site_gave_up(void *owner, struct err e)
{
	struct site *s = owner;
	struct site_role *r = &s->roles[ROLE_BOX];

	if (!s->disk || e.sys != EIO)
		scene_broken(s->scene, "the store: %s", e.why);
	loop_defer(s->scene->loop, &r->fall, fall, r);
}

bool
site_has(const struct site *s, enum role role)
{
	return s->roles[role].peers != NULL;
}

bool
site_is_whole(const struct site *s)
{
	for (size_t i = 0; i < ROLE_COUNT; i++)
		if (s->roles[i].kind && !s->roles[i].peers)
			return false;
	return true;
}

void
site_mend(struct site *s)
{
	s->fall_ppm = 0;
	if (s->disk)
		disk_sim_fail(s->disk, UINT32_MAX, EIO);
}

/* ---- status ---- */

uint64_t
site_counter(struct site *s, enum role role, const char *name)
{
	const struct site_role *r = &s->roles[role];
	uint8_t room[STATUS_ROOM];
	struct wr out = wr_of(room, sizeof(room));
	struct bytes each;
	uint64_t value;
	struct rd in;

	SCENE_MUST(s->scene, r->peers && r->kind->status);
	r->kind->status(s, &out);
	in = rd_of(wr_since(&out, room));
	while (report_counter(&in, &each, &value))
		if (bytes_eq(each, bytes_of(name)))
			return value;
	scene_broken(s->scene, "there is no counter %s", name);
	return 0;
}

/* ---- beginning and end ---- */

void
site_open(struct site *s, struct scene *scene, const struct site_conf *conf)
{
	*s = (struct site){.scene = scene, .conf = *conf, .areas = -1};
	assert_true(is_ok(tls_start()));
	for (size_t i = 0; i < SITE_JOINS; i++)
		s->joins[i] = -1;
	site_store_make(s);
	site_people_make(s);
	for (size_t i = 0; i < site_kinds_n; i++) {
		const struct site_kind *k = &site_kinds[i];
		struct site_role *r = &s->roles[k->role];

		if (k->parts && !(k->parts & conf->parts))
			continue;
		*r = (struct site_role){.site = s, .kind = k};
		open_role(r);
	}
}

static void
drained(void *owner)
{
	((struct site *)owner)->drained++;
}

static void
drain(struct site *s)
{
	unsigned n = 0;

	if (s->smtp) {
		smtp_serve_drain(s->smtp, drained, s);
		n++;
	}
	if (s->pop3) {
		pop3_serve_drain(s->pop3, drained, s);
		n++;
	}
	if (s->imap) {
		imap_serve_drain(s->imap, drained, s);
		n++;
	}
	if (s->ftp) {
		ftp_serve_drain(s->ftp, drained, s);
		n++;
	}
	SCENE_MUST(s->scene, s->drained == n);
}

void
site_close(struct site *s)
{
	drain(s);
	SCENE_MUST(s->scene, s->logging_in == 0);
	for (size_t i = site_kinds_n; i-- > 0;) {
		struct site_role *r = &s->roles[site_kinds[i].role];

		if (!r->kind)
			continue;
		loop_timer_stop(s->scene->loop, &r->revive);
		if (r->peers)
			close_role(r, true);
	}
	site_store_forget(s);
}
