/*
 * login.h - how a session of any front logs in: auth is asked, with a password or step by step for
 * proto/sasl; it answers whose account it is and with a handle, which opens it at box.
 *
 * Each check costs auth a hash, so a network has FRONT_LOGINS of them under way at most (attack
 * 164): a session that may log in asks login_waits() before it lets its machine look at input, and
 * its turn() comes again when a login of its network is over.  A login counts until auth has
 * answered, also when the client is gone: such a session is not freed before (login_busy()).
 *
 *	turn(s, conn):
 *		if (gone) {
 *			if (!login_busy(&s->login))
 *				session_free(s);        // login_fini(&s->login)
 *			return;
 *		}
 *		if (login_waits(&s->login))
 *			return;
 *		... step: X_LOGIN wanted:
 *		if (!login_password(&s->login, name, password, logged_in))
 *			x_answer(s->x, X_TEMP);
 */
#ifndef SERVE_LOGIN_H
#define SERVE_LOGIN_H

#include "proto/sasl.h"
#include "serve/front.h"

enum login_result {
	LOGIN_OK,     /* login->handle and login->account are its */
	LOGIN_DENIED, /* wrong name or password */
	LOGIN_LATER,  /* auth or box cannot tell now */
	LOGIN_MORE,   /* of a SASL exchange: it goes on, sasl_want() tells how */
};
/* From the loop, once. */
typedef void login_done(void *owner, enum login_result);

/* Embedded in a session; zeroed before login_init(). */
struct login {
	struct front *front; /* NULL: login_init() was not called; all below bear that */
	struct purse_peer *peer;
	uint8_t ip[16];
	enum protocol protocol;
	loop_fn *turn;
	void *owner;
	struct talk_id handle; /* while has_handle */
	uint64_t account;
	bool has_handle;
	/* the file's own */
	bool busy, waits;
	uint32_t box_life; /* when auth was asked */
	login_done *done;
	struct sasl *sasl;
	struct chan_ask ask;
	struct loop_task again;
	struct login *next, **link; /* of those that wait */
};

/* peer: what front_enter() gave for this session; turn(owner): the session looks again. */
void login_init(struct login *, struct front *, struct purse_peer *, const struct addr *ip,
                enum protocol, loop_fn *turn, void *owner);
/* Gives up what was asked and leaves the account.  Not while login_busy(), but at the very end. */
void login_fini(struct login *);

/* True: not logged in, and its network has enough logins under way; turn() comes again. */
bool login_waits(struct login *);
/* Auth was asked and has not answered. */
static inline bool
login_busy(const struct login *l)
{
	return l->busy;
}

/*
 * Leaves what an earlier login got, and asks auth.  The bytes are not borrowed.  False: it cannot
 * be asked now, and done() does not come.
 */
MUST_CHECK bool login_password(struct login *, struct bytes name, struct bytes password,
                               login_done *done);
/*
 * The same for the question that `sasl` has open, which is answered before done(), and also when
 * this says false: the session goes on by sasl_want().  `sasl` must live until done().
 */
MUST_CHECK bool login_sasl(struct login *, struct sasl *, login_done *done);
/* Tells box that the account is left; the session may log in anew. */
void login_leave(struct login *);

#endif
