/* auth.c - a login is a check, which blocks for the hash, and a word to box. */
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
	struct talk_id handle;
	struct chan_ask ask;
};

static void
answer_login(struct auth_serve *s, struct asker to, uint8_t code, struct talk_id handle)
{
	const struct talk_auth_login_answer answer = {.code = code, .handle = handle};

	peers_answer(s->env.peers, to, talk_auth_login_answer_out(&answer), -1);
}

static void
granted(void *owner, struct err e, struct chan_word *w)
{
	struct login *l = owner;
	struct talk_box_grant_answer answer;
	bool ok = is_ok(e) && talk_box_grant_answer_get(&w->body, &answer) && answer.code == 0;

	answer_login(l->serve, l->asker, ok ? 0 : ERR_LATER, l->handle);
	free(l);
}

static void
grant(struct auth_serve *s, struct asker to, uint64_t account)
{
	struct chan *box = peers_chan(s->env.peers, ROLE_BOX, 0);
	struct login *l = box ? calloc(1, sizeof(*l)) : NULL;
	struct talk_box_grant word = {
	    .account = account, .role = (uint8_t)to.role, .instance = to.instance};

	if (!l) {
		answer_login(s, to, ERR_LATER, (struct talk_id){0});
		return;
	}
	*l = (struct login){.serve = s, .asker = to};
	random_fill(s->env.random, l->handle.b, sizeof(l->handle.b));
	word.handle = l->handle;
	if (is_ok(chan_ask(box, &l->ask, talk_box_grant_out(&word), -1, GRANT_MS, granted, l)))
		return;
	answer_login(s, to, ERR_LATER, l->handle);
	free(l);
}

static void
login(struct auth_serve *s, const struct peer *p, struct chan_word *w)
{
	struct talk_auth_login ask;
	uint64_t account = 0;
	struct err e;

	if (!talk_auth_login_get(&w->body, &ask))
		return;
	e = logins_check(s->env.logins, ask.name, ask.password, &account);
	log_event(is_fault(e) ? LOG_ERROR : LOG_INFO, is_ok(e) ? "auth.accepted" : "auth.refused",
	          kv_text("user", ask.name),
	          kv_ip("peer", ask.peer.n == 16 ? ask.peer.p : (const uint8_t[16]){0}));
	if (is_ok(e)) {
		s->accepted++;
		grant(s, peers_asker(p, w), account);
		return;
	}
	s->refused++;
	answer_login(s, peers_asker(p, w), is_fault(e) ? ERR_LATER : ERR_DENIED,
	             (struct talk_id){0});
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
