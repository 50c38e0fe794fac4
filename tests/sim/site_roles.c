/* site_roles.c - each role as its file in role/ puts it together. */
#include "site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { HASH_MS = 300, SIZE_MAX_ = 1 << 20, RCPT_MAX = 100, PASSIVE_PORT = 30000, PASSIVE = 4 };

static struct bytes
host(const struct site *s)
{
	return bytes_of(s->conf.host);
}

static int
listen_at(struct site *s, uint16_t port, enum loop_kind kind)
{
	const struct addr at = site_at(s, port);
	int fd;

	assert_true(is_ok(loop_listen(s->scene->loop, &at, kind, false, &fd)));
	return fd;
}

/* ---- box ---- */

static void
box_handles_word(struct site *s, const struct peer *p, struct chan_word *w)
{
	box_word(s->box, p, w);
}

static void
box_hears(void *owner, const struct peer *p, struct chan_word *w)
{
	site_hears(owner, p, w, box_handles_word);
}

static void
box_came(void *owner, const struct peer *p)
{
	box_peer_came(((struct site_role *)owner)->site->box, p);
}

static void
box_lost(void *owner, const struct peer *p, struct err why)
{
	struct site *s = ((struct site_role *)owner)->site;

	(void)why;
	if (s->box)
		box_peer_gone(s->box, p);
}

static void
open_box(struct site *s, struct peers *peers)
{
	const struct box_env env = {.loop = s->scene->loop,
	                            .random = s->scene->random,
	                            .peers = peers,
	                            .store = s->store,
	                            .areas = s->areas,
	                            .failed = site_gave_up,
	                            .owner = s};

	assert_true(is_ok(box_open(&s->box, &env)));
	assert_true(is_ok(box_start(s->box)));
}

static void
close_box(struct site *s)
{
	site_store_stop(s);
	box_close(s->box);
	s->box = NULL;
}

static void
show_box(struct site *s, struct wr *out)
{
	box_status(s->box, out);
}

/* ---- auth: the role, or a stub that does the same but for the hash ---- */

struct login {
	struct site *site;
	struct asker asker;
	struct talk_id handle;
	struct chan_ask ask;
	struct loop_timer hashing;
	uint64_t account; /* 0: refused */
};

static struct peers *
auth_peers(struct site *s)
{
	return s->roles[ROLE_AUTH].peers;
}

static void
login_answer(struct login *l, uint8_t code)
{
	const struct talk_auth_login_answer answer = {
	    .code = code, .handle = l->handle, .account = l->account};

	peers_answer(auth_peers(l->site), l->asker, talk_auth_login_answer_out(&answer), -1);
	l->site->logging_in--;
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
	struct chan *box = peers_chan(auth_peers(l->site), ROLE_BOX, 0);
	struct talk_box_grant word = {
	    .account = l->account, .role = (uint8_t)l->asker.role, .instance = l->asker.instance};

	if (!l->account) {
		login_answer(l, ERR_DENIED);
		return;
	}
	random_fill(l->site->scene->random, l->handle.b, sizeof(l->handle.b));
	word.handle = l->handle;
	if (!box || !is_ok(chan_ask(box, &l->ask, talk_box_grant_out(&word), -1, 5000, granted, l)))
		login_answer(l, ERR_LATER);
}

static void
stub_word(struct site *s, const struct peer *p, struct chan_word *w)
{
	struct login *l = calloc(1, sizeof(*l));
	struct talk_auth_login t;

	assert_non_null(l);
	l->site = s;
	l->asker = peers_asker(p, w);
	assert_int_equal(w->word, WORD_AUTH_LOGIN);
	assert_true(talk_auth_login_get(&w->body, &t));
	for (size_t i = 0; i < SITE_PEOPLE && s->conf.people[i].address; i++)
		if (bytes_eq(t.name, bytes_of(s->conf.people[i].address)) &&
		    bytes_eq(t.password, bytes_of(s->conf.people[i].password)))
			l->account = s->accounts[i];
	s->logging_in++;
	loop_timer_set(s->scene->loop, &l->hashing, random_below(s->scene->dice, HASH_MS), hashed,
	               l);
}

static void
auth_handles(struct site *s, const struct peer *p, struct chan_word *w)
{
	if (s->auth)
		auth_serve_word(s->auth, p, w);
	else
		stub_word(s, p, w);
}

static void
auth_hears(void *owner, const struct peer *p, struct chan_word *w)
{
	site_hears(owner, p, w, auth_handles);
}

static void
auth_failed(void *owner, struct err e)
{
	scene_broken(((struct site *)owner)->scene, "auth: %s", e.why);
}

static void
open_auth(struct site *s, struct peers *peers)
{
	const struct auth_env env = {.loop = s->scene->loop,
	                             .random = s->scene->random,
	                             .peers = peers,
	                             .store = s->auth_store,
	                             .logins = s->logins,
	                             .failed = auth_failed,
	                             .owner = s};

	if (s->conf.hashes)
		assert_true(is_ok(auth_serve_open(&s->auth, &env)));
}

static void
close_auth(struct site *s)
{
	if (s->auth)
		site_store_turn(s->auth_store);
	auth_serve_close(s->auth);
	s->auth = NULL;
}

/* ---- smtp ---- */

static void
smtp_handles(struct site *s, const struct peer *p, struct chan_word *w)
{
	struct talk_directory_image t;

	(void)p;
	assert_int_equal(w->word, WORD_DIRECTORY_IMAGE);
	assert_true(talk_directory_image_get(&w->body, &t));
	assert_true(is_ok(smtp_serve_directory(s->smtp, w->fd)));
}

static void
smtp_hears(void *owner, const struct peer *p, struct chan_word *w)
{
	site_hears(owner, p, w, smtp_handles);
}

static void
smtp_come(void *owner, const struct peer *p)
{
	if (p->role == ROLE_BOX)
		smtp_serve_box_came(((struct site_role *)owner)->site->smtp);
}

static void
open_smtp(struct site *s, struct peers *peers)
{
	const struct smtp_serve_conf conf = {
	    .host = host(s),
	    .size_max = SIZE_MAX_,
	    .rcpt_max = RCPT_MAX,
	    .networks = {.plaintext = &s->scene->everywhere, .n_plaintext = 1}};

	assert_true(
	    is_ok(smtp_serve_open(&s->smtp, &conf, s->scene->loop, s->scene->random, peers)));
	if (s->conf.parts & SITE_SMTP)
		assert_true(is_ok(smtp_serve_listen(s->smtp, listen_at(s, 25, LOOP_STREAM))));
	if (s->conf.parts & SITE_SUBMISSION)
		assert_true(is_ok(
		    smtp_serve_listen_submission(s->smtp, listen_at(s, 587, LOOP_STREAM), false)));
}

static void
close_smtp(struct site *s)
{
	smtp_serve_close(s->smtp);
	s->smtp = NULL;
}

static void
show_smtp(struct site *s, struct wr *out)
{
	smtp_serve_status(s->smtp, out);
}

/* ---- mail ---- */

static void
mail_handles(struct site *s, const struct peer *p, struct chan_word *w)
{
	(void)p;
	SCENE_MUST(s->scene, s->imap != NULL);
	imap_serve_word(s->imap, w);
}

static void
mail_hears(void *owner, const struct peer *p, struct chan_word *w)
{
	site_hears(owner, p, w, mail_handles);
}

static void
mail_lost(void *owner, const struct peer *p, struct err why)
{
	struct site *s = ((struct site_role *)owner)->site;

	(void)why;
	if (p->role == ROLE_BOX && s->imap)
		imap_serve_box_gone(s->imap);
}

static void
open_mail(struct site *s, struct peers *peers)
{
	const struct pop3_serve_conf pop3 = {host(s), &s->scene->everywhere, 1};
	const struct imap_serve_conf imap = {host(s), &s->scene->everywhere, 1, SIZE_MAX_};
	struct loop *loop = s->scene->loop;

	if (s->conf.parts & SITE_POP3) {
		assert_true(is_ok(pop3_serve_open(&s->pop3, &pop3, loop, s->scene->random, peers)));
		assert_true(
		    is_ok(pop3_serve_listen(s->pop3, listen_at(s, 110, LOOP_STREAM), false)));
	}
	if (s->conf.parts & SITE_IMAP) {
		assert_true(is_ok(imap_serve_open(&s->imap, &imap, loop, s->scene->random, peers)));
		assert_true(
		    is_ok(imap_serve_listen(s->imap, listen_at(s, 143, LOOP_STREAM), false)));
	}
}

static void
close_mail(struct site *s)
{
	imap_serve_close(s->imap);
	pop3_serve_close(s->pop3);
	s->imap = NULL;
	s->pop3 = NULL;
}

static void
show_mail(struct site *s, struct wr *out)
{
	if (s->pop3)
		pop3_serve_status(s->pop3, out);
	if (s->imap)
		imap_serve_status(s->imap, out);
}

/* ---- ftp ---- */

static void
ftp_hears(void *owner, const struct peer *p, struct chan_word *w)
{
	(void)p;
	scene_broken(((struct site_role *)owner)->site->scene, "the word %d to ftp", (int)w->word);
}

static void
ftp_lost(void *owner, const struct peer *p, struct err why)
{
	struct site *s = ((struct site_role *)owner)->site;

	(void)why;
	if (p->role == ROLE_BOX && s->ftp)
		ftp_serve_box_gone(s->ftp);
}

static void
open_ftp(struct site *s, struct peers *peers)
{
	const struct ftp_serve_conf conf = {
	    .host = host(s), .plaintext = &s->scene->everywhere, .n_plaintext = 1};

	assert_true(is_ok(ftp_serve_open(&s->ftp, &conf, s->scene->loop, s->scene->random, peers)));
	assert_true(is_ok(ftp_serve_listen(s->ftp, listen_at(s, 21, LOOP_STREAM), false)));
	for (uint16_t i = 0; i < PASSIVE; i++)
		assert_true(is_ok(ftp_serve_listen(
		    s->ftp, listen_at(s, (uint16_t)(PASSIVE_PORT + i), LOOP_STREAM), true)));
}

static void
close_ftp(struct site *s)
{
	ftp_serve_close(s->ftp);
	s->ftp = NULL;
}

static void
show_ftp(struct site *s, struct wr *out)
{
	ftp_serve_status(s->ftp, out);
}

/* ---- queue ---- */

static void
queue_handles(struct site *s, const struct peer *p, struct chan_word *w)
{
	queue_serve_word(s->queue, p, w);
}

static void
queue_hears(void *owner, const struct peer *p, struct chan_word *w)
{
	site_hears(owner, p, w, queue_handles);
}

static void
queue_come(void *owner, const struct peer *p)
{
	queue_serve_came(((struct site_role *)owner)->site->queue, p);
}

static void
queue_failed(void *owner, struct err e)
{
	scene_broken(((struct site *)owner)->scene, "queue: %s", e.why);
}

static void
open_queue(struct site *s, struct peers *peers)
{
	const struct queue_serve_conf conf = {.host = host(s), .failed = queue_failed, .owner = s};

	assert_true(
	    is_ok(queue_serve_open(&s->queue, &conf, s->scene->loop, s->scene->random, peers)));
}

static void
start_queue(struct site *s)
{
	queue_serve_start(s->queue);
}

static void
close_queue(struct site *s)
{
	queue_serve_close(s->queue);
	s->queue = NULL;
}

static void
show_queue(struct site *s, struct wr *out)
{
	queue_serve_status(s->queue, out);
}

/* ---- out ---- */

static void
out_handles(struct site *s, const struct peer *p, struct chan_word *w)
{
	out_word(s->out, p, w);
}

static void
out_hears(void *owner, const struct peer *p, struct chan_word *w)
{
	site_hears(owner, p, w, out_handles);
}

static void
open_out(struct site *s, struct peers *peers)
{
	const struct out_conf conf = {.host = host(s), .port = 25};

	assert_true(is_ok(out_open(&s->out, &conf, s->scene->loop, s->scene->random, peers)));
}

static void
close_out(struct site *s)
{
	out_close(s->out);
	s->out = NULL;
}

static void
show_out(struct site *s, struct wr *out)
{
	out_status(s->out, out);
}

/* ---- dial ---- */

static void
dial_handles(struct site *s, const struct peer *p, struct chan_word *w)
{
	dial_word(s->dial, p, w);
}

static void
dial_hears(void *owner, const struct peer *p, struct chan_word *w)
{
	site_hears(owner, p, w, dial_handles);
}

static void
open_dial(struct site *s, struct peers *peers)
{
	const struct dial_conf conf = {.port = 25};

	assert_true(is_ok(dial_open(&s->dial, &conf, s->scene->loop, peers)));
}

static void
close_dial(struct site *s)
{
	dial_close(s->dial);
	s->dial = NULL;
}

/* ---- resolve ---- */

static void
resolve_handles(struct site *s, const struct peer *p, struct chan_word *w)
{
	struct talk_resolve_ask t;

	assert_int_equal(w->word, WORD_RESOLVE_ASK);
	assert_true(talk_resolve_ask_get(&w->body, &t));
	resolve_word(s->resolve, peers_asker(p, w), &t);
}

static void
resolve_hears(void *owner, const struct peer *p, struct chan_word *w)
{
	site_hears(owner, p, w, resolve_handles);
}

static void
open_resolve(struct site *s, struct peers *peers)
{
	const struct resolve_conf conf = {.loop = s->scene->loop,
	                                  .random = s->scene->random,
	                                  .peers = peers,
	                                  .clients = &s->scene->everywhere,
	                                  .clients_n = 1,
	                                  .port = 53};

	assert_true(is_ok(resolve_open(&s->resolve, &conf)));
	assert_true(
	    is_ok(resolve_hints(s->resolve, BYTES("hints"), bytes_of(s->conf.hints), NULL)));
	assert_true(is_ok(resolve_udp(s->resolve, listen_at(s, 53, LOOP_DATAGRAM))));
	assert_true(is_ok(resolve_tcp(s->resolve, listen_at(s, 53, LOOP_STREAM))));
}

static void
close_resolve(struct site *s)
{
	resolve_close(s->resolve);
	s->resolve = NULL;
}

static void
show_resolve(struct site *s, struct wr *out)
{
	resolve_status(s->resolve, out);
}

/* ---- the table ---- */

static const struct peers_handlers box_handlers = {box_hears, box_came, box_lost};
static const struct peers_handlers auth_handlers = {auth_hears, NULL, NULL};
static const struct peers_handlers smtp_handlers = {smtp_hears, smtp_come, NULL};
static const struct peers_handlers mail_handlers = {mail_hears, NULL, mail_lost};
static const struct peers_handlers ftp_handlers = {ftp_hears, NULL, ftp_lost};
static const struct peers_handlers queue_handlers = {queue_hears, queue_come, NULL};
static const struct peers_handlers out_handlers = {out_hears, NULL, NULL};
static const struct peers_handlers dial_handlers = {dial_hears, NULL, NULL};
static const struct peers_handlers resolve_handlers = {resolve_hears, NULL, NULL};

/* In the order in which they begin. */
const struct site_kind site_kinds[] = {
    {ROLE_AUTH, 0, false, &auth_handlers, open_auth, NULL, close_auth, NULL},
    {ROLE_SMTP, SITE_SMTP | SITE_SUBMISSION, true, &smtp_handlers, open_smtp, NULL, close_smtp,
     show_smtp},
    {ROLE_MAIL, SITE_POP3 | SITE_IMAP, true, &mail_handlers, open_mail, NULL, close_mail,
     show_mail},
    {ROLE_FTP, SITE_FTP, true, &ftp_handlers, open_ftp, NULL, close_ftp, show_ftp},
    {ROLE_DIAL, SITE_QUEUE | SITE_FTP, true, &dial_handlers, open_dial, NULL, close_dial, NULL},
    {ROLE_RESOLVE, SITE_QUEUE, true, &resolve_handlers, open_resolve, NULL, close_resolve,
     show_resolve},
    {ROLE_OUT, SITE_QUEUE, true, &out_handlers, open_out, NULL, close_out, show_out},
    {ROLE_QUEUE, SITE_QUEUE, true, &queue_handlers, open_queue, start_queue, close_queue,
     show_queue},
    {ROLE_BOX, 0, true, &box_handlers, open_box, NULL, close_box, show_box},
};
const size_t site_kinds_n = COUNT(site_kinds);
