/*
 * login.c - the words to auth, and who waits for them.
 *
 * Invariants:
 * 1. peer->logins counts the logins of its network that are `busy`.
 * 2. Who `waits` is in the front's list; all of a network are looked at again when one of its logins
 *    is over, since not each of them will log in.
 */
#include "serve/login.h"

enum { ASK_MS = 30 * 1000 };

static void
turn_again(void *owner)
{
	struct login *l = owner;

	l->turn(l->owner);
}

static void
stop_waiting(struct login *l)
{
	if (!l->waits)
		return;
	l->waits = false;
	*l->link = l->next;
	if (l->next)
		l->next->link = l->link;
}

static void
wait(struct login *l)
{
	l->waits = true;
	l->next = l->front->waiting;
	l->link = &l->front->waiting;
	if (l->next)
		l->next->link = &l->next;
	l->front->waiting = l;
}

static void
over(struct login *l)
{
	l->busy = false;
	l->peer->logins--;
	for (struct login *q = l->front->waiting; q; q = q->next)
		if (q->peer == l->peer)
			loop_defer(q->front->loop, &q->again, turn_again, q);
}

static bool
ask(struct login *l, struct talk_out word, chan_answered *answered, login_done *done)
{
	struct chan *auth = peers_chan(l->front->peers, ROLE_AUTH, 0);

	l->done = done;
	l->box_life = peers_life(l->front->peers, ROLE_BOX, 0);
	l->busy = auth && is_ok(chan_ask(auth, &l->ask, word, -1, ASK_MS, answered, l));
	l->peer->logins += l->busy;
	return l->busy;
}

/* What auth said, kept. */
static enum login_result
settle(struct login *l, uint8_t code, struct talk_id handle, uint64_t account)
{
	if (code)
		return code == ERR_DENIED ? LOGIN_DENIED : LOGIN_LATER;
	l->has_handle = true;
	l->handle = handle;
	l->account = account;
	if (peers_life(l->front->peers, ROLE_BOX, 0) == l->box_life)
		return LOGIN_OK;
	login_leave(l); /* one that the box of before was told of opens nothing in the next */
	return LOGIN_LATER;
}

static enum sasl_answer
sasl_answer_of(enum login_result result)
{
	return result == LOGIN_OK ? SASL_OK : result == LOGIN_DENIED ? SASL_DENIED : SASL_TEMP;
}

static void
password_checked(void *owner, struct err e, struct chan_word *w)
{
	struct login *l = owner;
	struct talk_auth_login_answer answer = {.code = ERR_LATER};
	enum login_result result;

	over(l);
	if (!is_ok(e) || !talk_auth_login_answer_get(&w->body, &answer))
		answer.code = ERR_LATER;
	result = settle(l, answer.code, answer.handle, answer.account);
	if (l->sasl)
		sasl_answer(l->sasl, sasl_answer_of(result));
	l->done(l->owner, result);
}

static void
salt_came(void *owner, struct err e, struct chan_word *w)
{
	struct login *l = owner;
	struct talk_auth_salt_answer answer = {.code = ERR_LATER};
	bool ok;

	over(l);
	ok = is_ok(e) && talk_auth_salt_answer_get(&w->body, &answer) && answer.code == 0;
	if (ok)
		sasl_salt(l->sasl, answer.salt, answer.iterations);
	else
		sasl_answer(l->sasl, SASL_TEMP);
	l->done(l->owner, ok ? LOGIN_MORE : LOGIN_LATER);
}

static void
proof_checked(void *owner, struct err e, struct chan_word *w)
{
	struct login *l = owner;
	struct talk_auth_scram_answer answer = {.code = ERR_LATER};
	enum login_result result;

	over(l);
	if (!is_ok(e) || !talk_auth_scram_answer_get(&w->body, &answer))
		answer.code = ERR_LATER;
	result = settle(l, answer.code, answer.handle, answer.account);
	if (result == LOGIN_OK)
		sasl_signature(l->sasl, answer.signature);
	else
		sasl_answer(l->sasl, sasl_answer_of(result));
	l->done(l->owner, result);
}

static bool
ask_password(struct login *l, struct bytes name, struct bytes password, login_done *done)
{
	const struct talk_auth_login word = {.protocol = (uint8_t)l->protocol,
	                                     .peer = {l->ip, sizeof(l->ip)},
	                                     .name = name,
	                                     .password = password};

	login_leave(l);
	return ask(l, talk_auth_login_out(&word), password_checked, done);
}

static bool
ask_salt(struct login *l, login_done *done)
{
	const struct talk_auth_salt word = {.name = sasl_name(l->sasl)};

	return ask(l, talk_auth_salt_out(&word), salt_came, done);
}

static bool
ask_proof(struct login *l, login_done *done)
{
	const struct talk_auth_scram word = {.protocol = (uint8_t)l->protocol,
	                                     .peer = {l->ip, sizeof(l->ip)},
	                                     .name = sasl_name(l->sasl),
	                                     .message = sasl_message(l->sasl),
	                                     .proof = sasl_proof(l->sasl)};

	login_leave(l);
	return ask(l, talk_auth_scram_out(&word), proof_checked, done);
}

static bool
ask_sasl(struct login *l, login_done *done)
{
	switch (sasl_want(l->sasl)) {
	case SASL_PASSWORD:
		return ask_password(l, sasl_name(l->sasl), sasl_password(l->sasl), done);
	case SASL_SALT:
		return ask_salt(l, done);
	case SASL_PROOF:
		return ask_proof(l, done);
	case SASL_CHALLENGE:
	case SASL_DONE:
	case SASL_FAILED:
		break;
	}
	return false;
}

/* ---- public ---- */

void
login_init(struct login *l, struct front *front, struct purse_peer *peer, const struct addr *ip,
           enum protocol protocol, loop_fn *turn, void *owner)
{
	*l = (struct login){
	    .front = front, .peer = peer, .protocol = protocol, .turn = turn, .owner = owner};
	memcpy(l->ip, ip->ip, sizeof(l->ip));
}

void
login_fini(struct login *l)
{
	if (!l->front)
		return;
	if (l->busy)
		l->peer->logins--;
	l->busy = false;
	stop_waiting(l);
	chan_ask_stop(&l->ask);
	loop_defer_stop(l->front->loop, &l->again);
	login_leave(l);
}

bool
login_waits(struct login *l)
{
	stop_waiting(l);
	if (!l->front || l->has_handle || l->peer->logins < FRONT_LOGINS)
		return false;
	wait(l);
	return true;
}

bool
login_password(struct login *l, struct bytes name, struct bytes password, login_done *done)
{
	l->sasl = NULL;
	return ask_password(l, name, password, done);
}

bool
login_sasl(struct login *l, struct sasl *sasl, login_done *done)
{
	l->sasl = sasl;
	if (ask_sasl(l, done))
		return true;
	sasl_answer(sasl, SASL_TEMP);
	return false;
}

void
login_leave(struct login *l)
{
	struct chan *box = l->front ? peers_chan(l->front->peers, ROLE_BOX, 0) : NULL;

	if (l->has_handle && box)
		chan_say(box, talk_box_leave_out(&(struct talk_box_leave){.handle = l->handle}),
		         -1);
	l->has_handle = false;
}
