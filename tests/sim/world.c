/* world.c - the roles as role/ puts them together, without processes, cages and TLS. */
#include "world.h"

#include "base/log.h"
#include "base/text.h"
#include "box/people.h"
#include "talk/report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { HASH_MS = 300, SIZE_MAX_ = 1 << 20, STATUS_ROOM = 4096, BACK_MS = 25 * 1000 };

void
world_broken(const struct world *w, const char *fmt, ...)
{
	char text[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fail_msg("STEAD_SEED=%llu, at %llu ms: %s", (unsigned long long)w->seed,
	         (unsigned long long)loop_now_ms(w->loop), text);
}

void
world_note(struct world *w, struct bytes heard)
{
	for (size_t i = 0; i < heard.n; i++) /* FNV-1a */
		w->trace = (w->trace ^ heard.p[i]) * 0x100000001b3;
	w->trace = (w->trace ^ loop_now_ms(w->loop)) * 0x100000001b3;
}

static void
quiet(void *owner, const struct log_record *record)
{
	(void)owner;
	(void)record;
}

/* ---- auth, as the role does it, but for the hash ---- */

struct login {
	struct world *world;
	struct asker asker;
	struct talk_id handle;
	struct chan_ask ask;
	struct loop_timer hashing;
	uint64_t account; /* 0: refused */
};

static void
login_answer(struct login *l, uint8_t code)
{
	const struct talk_auth_login_answer answer = {.code = code, .handle = l->handle};

	peers_answer(l->world->auth, l->asker, talk_auth_login_answer_out(&answer), -1);
	l->world->logins--;
	free(l);
}

static void
granted(void *owner, struct err e, struct chan_word *w)
{
	struct talk_box_grant_answer a = {.code = ERR_LATER};

	if (is_ok(e))
		assert_true(talk_box_grant_answer_get(&w->body, &a));
	login_answer(owner, a.code ? ERR_LATER : 0);
}

static void
hashed(void *owner)
{
	struct login *l = owner;
	struct chan *box = peers_chan(l->world->auth, ROLE_BOX, 0);
	struct talk_box_grant word = {
	    .account = l->account, .role = (uint8_t)l->asker.role, .instance = l->asker.instance};

	if (!l->account) {
		login_answer(l, ERR_DENIED);
		return;
	}
	random_fill(l->world->random, l->handle.b, sizeof(l->handle.b));
	word.handle = l->handle;
	if (!box || !is_ok(chan_ask(box, &l->ask, talk_box_grant_out(&word), -1, 5000, granted, l)))
		login_answer(l, ERR_LATER);
}

static void
auth_word(void *owner, const struct peer *p, struct chan_word *w)
{
	struct login *l = calloc(1, sizeof(*l));
	struct talk_auth_login t;

	assert_non_null(l);
	l->world = owner;
	l->asker = peers_asker(p, w);
	assert_true(talk_auth_login_get(&w->body, &t));
	for (int i = 0; i < WORLD_USERS; i++) {
		char name[32], password[32];

		snprintf(name, sizeof(name), "u%d@example.org", i);
		snprintf(password, sizeof(password), "secret%d", i);
		if (bytes_eq(t.name, bytes_of(name)) && bytes_eq(t.password, bytes_of(password)))
			l->account = l->world->accounts[i];
	}
	l->world->logins++;
	loop_timer_set(l->world->loop, &l->hashing, random_below(l->world->dice, HASH_MS), hashed,
	               l);
}

/* ---- the fronts ---- */

static void
smtp_word(void *owner, const struct peer *p, struct chan_word *w)
{
	struct world *world = owner;
	struct talk_directory_image t;

	(void)p;
	assert_int_equal(w->word, WORD_DIRECTORY_IMAGE);
	assert_true(talk_directory_image_get(&w->body, &t));
	assert_true(is_ok(smtp_serve_directory(world->smtp, w->fd)));
}

static void
smtp_come(void *owner, const struct peer *p)
{
	struct world *w = owner;

	if (p->role == ROLE_BOX && w->smtp)
		smtp_serve_box_came(w->smtp);
}

static void
mail_word(void *owner, const struct peer *p, struct chan_word *w)
{
	(void)p;
	world_broken(owner, "the word %d to mail", (int)w->word);
}

static void
smtp_drained(void *owner)
{
	((struct world *)owner)->smtp_drained = true;
}

static void
pop3_drained(void *owner)
{
	((struct world *)owner)->pop3_drained = true;
}

struct addr
world_smtp(void)
{
	struct addr a;

	assert_true(addr_parse(BYTES("192.0.2.1:25"), 0, &a));
	return a;
}

struct addr
world_pop3(void)
{
	struct addr a;

	assert_true(addr_parse(BYTES("192.0.2.1:110"), 0, &a));
	return a;
}

static void
open_fronts(struct world *w)
{
	const struct smtp_serve_conf smtp = {BYTES("mail.example.org"), SIZE_MAX_, 100};
	const struct pop3_serve_conf pop3 = {BYTES("mail.example.org"), &w->everywhere, 1};
	const struct addr smtp_at = world_smtp(), pop3_at = world_pop3();
	int fd;

	assert_true(is_ok(smtp_serve_open(&w->smtp, &smtp, w->loop, w->random, w->smtp_peers)));
	assert_true(is_ok(pop3_serve_open(&w->pop3, &pop3, w->loop, w->random, w->mail_peers)));
	assert_true(is_ok(loop_listen(w->loop, &smtp_at, LOOP_STREAM, false, &fd)));
	assert_true(is_ok(smtp_serve_listen(w->smtp, fd)));
	assert_true(is_ok(loop_listen(w->loop, &pop3_at, LOOP_STREAM, false, &fd)));
	assert_true(is_ok(pop3_serve_listen(w->pop3, fd, false)));
}

/* ---- the store ---- */

static void
open_store(struct world *w)
{
	struct err e;

	assert_true(!w->disk || fchdir(w->folder) == 0);
	e = store_open(&w->store, &w->conf);
	if (!is_ok(e))
		world_broken(w, "the store: %s", e.why);
}

static void
make_store(struct world *w, bool on_disk)
{
	w->conf = (struct store_conf){.engine = STORE_MEMORY, .random = w->random, .dir_fd = -1};
	w->home = -1;
	if (on_disk) {
		snprintf(w->dir, sizeof(w->dir), "/tmp/stead-sim-XXXXXX");
		assert_non_null(mkdtemp(w->dir));
		w->home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		w->disk = disk_sim_new(w->seed);
		w->conf.engine = STORE_LOG;
		w->conf.dir_fd = DISK_SIM_DIR;
		w->folder = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		w->conf.disk = disk_sim_disk(w->disk);
		w->conf.segment_size = 1 << 20;
		w->conf.map_size = 1 << 26;
		assert_true(w->home >= 0 && w->folder >= 0);
	}
	open_store(w);
}

static void
forget_store(struct world *w)
{
	DIR *d;
	const struct dirent *entry;

	store_close(w->store);
	if (!w->disk)
		return;
	disk_sim_free(w->disk);
	d = opendir(w->dir);
	assert_non_null(d);
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.')
			unlinkat(w->folder, entry->d_name, 0);
	closedir(d);
	close(w->folder);
	assert_int_equal(fchdir(w->home), 0);
	close(w->home);
	assert_int_equal(rmdir(w->dir), 0);
}

/* ---- box ---- */

static void
fall(void *owner)
{
	struct world *w = owner;

	world_crash(w, random_below(w->dice, BACK_MS));
}

/* Now and then it dies of it: before it has looked at it, before the commit, before the answer. */
static void
box_hears(void *owner, const struct peer *p, struct chan_word *word)
{
	enum { UNSEEN, UNCOMMITTED, UNANSWERED, DISK, WAYS };
	struct world *w = owner;
	uint64_t die = random_below(w->dice, 1000000);
	bool dies = die < w->fall_ppm;

	if (dies && die % WAYS == DISK && w->disk)
		disk_sim_fail(w->disk, 1 + random_below(w->dice, 4), EIO);
	if (!dies || die % WAYS != UNSEEN)
		box_word(w->box, p, word);
	if (dies && die % WAYS == UNANSWERED)
		loop_defer(w->loop, &w->fall, fall, w);
	else if (dies && die % WAYS != DISK)
		fall(w);
}

static void
box_came(void *owner, const struct peer *p)
{
	box_peer_came(((struct world *)owner)->box, p);
}

static void
box_lost(void *owner, const struct peer *p, struct err why)
{
	(void)why;
	box_peer_gone(((struct world *)owner)->box, p);
}

/* As its role does: it ends, and the next life reads what is really on the disk (attack 141). */
static void
box_gave_up(void *owner, struct err e)
{
	struct world *w = owner;

	if (!w->disk || e.sys != EIO)
		world_broken(w, "the store: %s", e.why);
	loop_defer(w->loop, &w->fall, fall, w);
}

static const struct peers_handlers box_handlers = {box_hears, box_came, box_lost};
static const struct peers_handlers auth_handlers = {auth_word, NULL, NULL};
static const struct peers_handlers smtp_handlers = {smtp_word, smtp_come, NULL};
static const struct peers_handlers mail_handlers = {mail_word, NULL, NULL};

/* fd[0] is the first one's. */
static int
join(struct world *w, struct peers *a, enum role a_role, struct peers *b, enum role b_role)
{
	int fd[2];

	assert_true(is_ok(loop_pair(w->loop, LOOP_MESSAGES, fd)));
	assert_true(is_ok(peers_add(a, b_role, 0, fd[0])));
	assert_true(is_ok(peers_add(b, a_role, 0, fd[1])));
	return fd[0];
}

static void
open_box(void *owner)
{
	struct world *w = owner;
	const struct box_env env = {.loop = w->loop,
	                            .random = w->random,
	                            .store = w->store,
	                            .failed = box_gave_up,
	                            .owner = w};
	struct box_env full = env;

	assert_true(is_ok(peers_open(&w->box_peers, w->loop, ROLE_BOX, &box_handlers, w)));
	full.peers = w->box_peers;
	assert_true(is_ok(box_open(&w->box, &full)));
	assert_true(is_ok(box_start(w->box)));
	w->box_ends[0] = join(w, w->box_peers, ROLE_BOX, w->smtp_peers, ROLE_SMTP);
	w->box_ends[1] = join(w, w->box_peers, ROLE_BOX, w->mail_peers, ROLE_MAIL);
	w->box_ends[2] = join(w, w->box_peers, ROLE_BOX, w->auth, ROLE_AUTH);
}

static void
power_fails(struct world *w)
{
	disk_sim_fail(w->disk, 1, EIO); /* of what waits nothing is written */
	store_close(w->store);
	disk_sim_crash(w->disk);
	disk_sim_fail(w->disk, UINT32_MAX, EIO);
	open_store(w);
}

/* cut: nobody hears what it said last, nor what the store has to tell it still. */
static void
close_box(struct world *w, bool cut)
{
	loop_defer_stop(w->loop, &w->fall);
	for (size_t i = 0; cut && i < COUNT(w->box_ends); i++)
		sim_cut(w->loop, w->box_ends[i]);
	if (w->disk)
		power_fails(w);
	while (store_pending(w->store))
		assert_true(is_ok(store_turn(w->store)));
	box_close(w->box);
	peers_close(w->box_peers);
	w->box = NULL;
	w->box_peers = NULL;
}

void
world_mend(struct world *w)
{
	w->fall_ppm = 0;
	if (w->disk)
		disk_sim_fail(w->disk, UINT32_MAX, EIO);
}

void
world_crash(struct world *w, uint64_t back_ms)
{
	if (!w->box)
		return;
	close_box(w, random_below(w->dice, 2));
	loop_timer_set(w->loop, &w->revive, back_ms, open_box, w);
}

/* ---- people ---- */

static void
person_added(void *owner, enum err_code code, uint64_t account, struct bytes text)
{
	(void)text;
	assert_int_equal(code, 0);
	*(uint64_t *)owner = account;
}

static uint64_t
add(struct world *w, struct people *p, enum people_change what, const char *name,
    const char *targets)
{
	uint64_t account = 0;
	uint8_t room[256];
	struct wr t = wr_of(room, sizeof(room));
	struct bytes rest = bytes_of(targets);

	while (rest.n) {
		struct bytes one = text_cut(&rest, ' ');

		wr_bytes16(&t, one);
	}
	people_change(p, what, bytes_of(name), wr_since(&t, room), person_added, &account);
	while (store_pending(w->store))
		assert_true(is_ok(store_turn(w->store)));
	return account;
}

/* all@ is u0 and u1: who is addressed twice gets it once. */
static void
add_people(struct world *w)
{
	struct people *p;

	assert_true(is_ok(people_open(&p, w->store, w->random)));
	add(w, p, PEOPLE_ADD_DOMAIN, "example.org", "");
	for (int i = 0; i < WORLD_USERS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "u%d@example.org", i);
		w->accounts[i] = add(w, p, PEOPLE_ADD_ACCOUNT, name, "");
	}
	add(w, p, PEOPLE_ADD_ALIAS, "all@example.org", "u0@example.org u1@example.org");
	people_close(p);
}

/* ---- status ---- */

static uint64_t
counter(struct world *w, struct bytes status, const char *name)
{
	struct rd r = rd_of(status);
	struct bytes each;
	uint64_t value;

	while (report_counter(&r, &each, &value))
		if (bytes_eq(each, bytes_of(name)))
			return value;
	world_broken(w, "there is no counter %s", name);
	return 0;
}

uint64_t
world_smtp_counter(struct world *w, const char *name)
{
	uint8_t room[STATUS_ROOM];
	struct wr out = wr_of(room, sizeof(room));

	smtp_serve_status(w->smtp, &out);
	return counter(w, wr_since(&out, room), name);
}

uint64_t
world_pop3_counter(struct world *w, const char *name)
{
	uint8_t room[STATUS_ROOM];
	struct wr out = wr_of(room, sizeof(room));

	pop3_serve_status(w->pop3, &out);
	return counter(w, wr_since(&out, room), name);
}

uint64_t
world_box_counter(struct world *w, const char *name)
{
	uint8_t room[STATUS_ROOM];
	struct wr out = wr_of(room, sizeof(room));

	box_status(w->box, &out);
	return counter(w, wr_since(&out, room), name);
}

/* ---- beginning and end ---- */

void
world_open(struct world *w, uint64_t seed)
{
	*w = (struct world){.seed = seed, .trace = 0xcbf29ce484222325};
	log_to(quiet, NULL);
	assert_true(is_ok(loop_sim_open(&w->loop, seed)));
	w->random = random_seeded(seed * 3 + 1);
	w->dice = random_seeded(seed * 3 + 2);
	make_store(w, seed % 4 == 0);
	add_people(w);
	assert_true(is_ok(peers_open(&w->auth, w->loop, ROLE_AUTH, &auth_handlers, w)));
	assert_true(is_ok(peers_open(&w->smtp_peers, w->loop, ROLE_SMTP, &smtp_handlers, w)));
	assert_true(is_ok(peers_open(&w->mail_peers, w->loop, ROLE_MAIL, &mail_handlers, w)));
	join(w, w->auth, ROLE_AUTH, w->mail_peers, ROLE_MAIL);
	open_fronts(w);
	open_box(w);
}

void
world_close(struct world *w)
{
	smtp_serve_drain(w->smtp, smtp_drained, w);
	pop3_serve_drain(w->pop3, pop3_drained, w);
	WORLD_MUST(w, w->smtp_drained && w->pop3_drained);
	smtp_serve_close(w->smtp);
	pop3_serve_close(w->pop3);
	close_box(w, true);
	peers_close(w->smtp_peers);
	peers_close(w->mail_peers);
	peers_close(w->auth);
	WORLD_MUST(w, w->logins == 0);
	WORLD_MUST(w, sim_open_fds(w->loop) == 0);
	forget_store(w);
	loop_close(w->loop);
	random_close(w->random);
	random_close(w->dice);
	log_to(NULL, NULL);
}
