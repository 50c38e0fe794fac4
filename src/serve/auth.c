/* auth.c - a login is a check, which blocks for a password's hash, and a word to box. */
#include "serve/auth.h"

#include "base/log.h"
#include "base/random.h"
#include "talk/report.h"

#include <stdlib.h>

enum { GRANT_MS = 5000 };

struct auth_serve {
	struct auth_env env;
	struct loop_task commit;
	uint64_t accepted, refused;
};

static void
commit(void *owner)
{
	struct auth_serve *s = owner;
	struct err e = store_turn(s->env.store);

	if (!is_ok(e))
		s->env.failed(s->env.owner, e);
	else if (store_pending(s->env.store))
		loop_defer(s->env.loop, &s->commit, commit, s);
}

static void
commit_soon(struct auth_serve *s)
{
	if (store_pending(s->env.store))
		loop_defer(s->env.loop, &s->commit, commit, s);
}

/* ---- logins ---- */

struct login {
	struct auth_serve *serve;
	struct asker asker;
	struct chan_ask ask;
	struct talk_id handle;
	uint64_t account;
	bool scram;
	uint8_t signature[DIGEST_SIZE]; /* of a SCRAM login */
};

/* Only with code 0 there is anything to tell. */
static void
answer_login(const struct login *l, uint8_t code)
{
	struct talk_auth_login_answer answer = {.code = code};
	struct talk_auth_scram_answer scram = {.code = code};

	if (!code) {
		answer.handle = scram.handle = l->handle;
		answer.account = scram.account = l->account;
		scram.signature = (struct bytes){l->signature, sizeof(l->signature)};
	}
	peers_answer(l->serve->env.peers, l->asker,
	             l->scram ? talk_auth_scram_answer_out(&scram)
	                      : talk_auth_login_answer_out(&answer),
	             -1);
}

static void
granted(void *owner, struct err e, struct chan_word *w)
{
	struct login *l = owner;
	struct talk_box_grant_answer answer;
	bool ok = is_ok(e) && talk_box_grant_answer_get(&w->body, &answer) && answer.code == 0;

	answer_login(l, ok ? 0 : ERR_LATER);
	free(l);
}

/* The login was right: box is told whose it is. */
static void
grant(const struct login *checked)
{
	struct auth_serve *s = checked->serve;
	struct chan *box = peers_chan(s->env.peers, ROLE_BOX, 0);
	struct login *l = box ? malloc(sizeof(*l)) : NULL;
	struct talk_box_grant word = {.account = checked->account,
	                              .role = (uint8_t)checked->asker.role,
	                              .instance = checked->asker.instance};

	if (!l) {
		answer_login(checked, ERR_LATER);
		return;
	}
	*l = *checked;
	random_fill(s->env.random, l->handle.b, sizeof(l->handle.b));
	word.handle = l->handle;
	if (is_ok(chan_ask(box, &l->ask, talk_box_grant_out(&word), -1, GRANT_MS, granted, l)))
		return;
	answer_login(l, ERR_LATER);
	free(l);
}

/* What a check came to. */
static void
conclude(const struct login *l, struct err e, struct bytes name, struct bytes peer)
{
	log_event(is_fault(e) ? LOG_ERROR : LOG_INFO, is_ok(e) ? "auth.accepted" : "auth.refused",
	          kv_text("user", name),
	          kv_ip("peer", peer.n == 16 ? peer.p : (const uint8_t[16]){0}));
	if (is_ok(e)) {
		l->serve->accepted++;
		grant(l);
		return;
	}
	l->serve->refused++;
	answer_login(l, is_fault(e) ? ERR_LATER : ERR_DENIED);
}

static void
login(struct auth_serve *s, const struct peer *p, struct chan_word *w)
{
	struct login l = {.serve = s, .asker = peers_asker(p, w)};
	struct talk_auth_login ask;
	struct err e;

	if (!talk_auth_login_get(&w->body, &ask))
		return;
	e = logins_check(s->env.logins, ask.name, ask.password, &l.account);
	conclude(&l, e, ask.name, ask.peer);
}

static void
scram(struct auth_serve *s, const struct peer *p, struct chan_word *w)
{
	struct login l = {.serve = s, .asker = peers_asker(p, w), .scram = true};
	struct talk_auth_scram ask;
	struct err e;

	if (!talk_auth_scram_get(&w->body, &ask))
		return;
	e = logins_scram(s->env.logins, ask.name, ask.message, ask.proof, &l.account, l.signature);
	conclude(&l, e, ask.name, ask.peer);
}

static void
salt(struct auth_serve *s, const struct peer *p, struct chan_word *w)
{
	struct talk_auth_salt_answer answer = {0};
	uint8_t room[LOGINS_SALT];
	struct talk_auth_salt ask;
	struct err e;

	if (!talk_auth_salt_get(&w->body, &ask))
		return;
	e = logins_salt(s->env.logins, ask.name, room, &answer.iterations);
	if (is_ok(e)) {
		answer.salt = (struct bytes){room, sizeof(room)};
	} else {
		log_event(LOG_ERROR, "auth.salt_failed", kv_err(e));
		answer = (struct talk_auth_salt_answer){.code = ERR_LATER};
	}
	peers_answer(s->env.peers, peers_asker(p, w), talk_auth_salt_answer_out(&answer), -1);
}

/* ---- changes ---- */

struct change {
	struct auth_serve *serve;
	struct asker asker;
	bool set;
};

static void
changed(void *owner, struct err e)
{
	struct change *c = owner;
	uint8_t code = talk_code(e);
	const struct talk_auth_set_answer set = {.code = code};
	const struct talk_auth_remove_answer removed = {.code = code};

	peers_answer(
	    c->serve->env.peers, c->asker,
	    c->set ? talk_auth_set_answer_out(&set) : talk_auth_remove_answer_out(&removed), -1);
	free(c);
}

static void
change(struct auth_serve *s, const struct peer *p, struct chan_word *w)
{
	struct change *c = calloc(1, sizeof(*c));
	struct talk_auth_set set;
	struct talk_auth_remove removed;

	if (!c)
		return;
	*c = (struct change){s, peers_asker(p, w), w->word == WORD_AUTH_SET};
	if (c->set && talk_auth_set_get(&w->body, &set))
		logins_set(s->env.logins, set.address, set.account, set.password, changed, c);
	else if (!c->set && talk_auth_remove_get(&w->body, &removed))
		logins_remove(s->env.logins, removed.address, changed, c);
	else
		free(c);
}

void
auth_serve_word(struct auth_serve *s, const struct peer *p, struct chan_word *w)
{
	if (w->word == WORD_AUTH_LOGIN)
		login(s, p, w);
	else if (w->word == WORD_AUTH_SALT)
		salt(s, p, w);
	else if (w->word == WORD_AUTH_SCRAM)
		scram(s, p, w);
	else if (w->word == WORD_AUTH_SET || w->word == WORD_AUTH_REMOVE)
		change(s, p, w);
	commit_soon(s);
}

void
auth_serve_status(const struct auth_serve *s, struct wr *counters)
{
	report_put_counter(counters, "accepted", s->accepted);
	report_put_counter(counters, "refused", s->refused);
}

struct err
auth_serve_open(struct auth_serve **out, const struct auth_env *env)
{
	struct auth_serve *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR(ERR_MEMORY, 0, "auth");
	s->env = *env;
	*out = s;
	return OK;
}

void
auth_serve_close(struct auth_serve *s)
{
	if (!s)
		return;
	loop_defer_stop(s->env.loop, &s->commit);
	free(s);
}
