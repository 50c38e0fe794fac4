/*
 * smtp_session.h - the state of an SMTP session and the few acts that its verbs and its body share.
 * Only smtp*.c include it; everybody else knows smtp.h.
 */
#ifndef PROTO_SMTP_SESSION_H
#define PROTO_SMTP_SESSION_H

#include "base/buf.h"
#include "mail/address.h"
#include "proto/dot.h"
#include "proto/smtp.h"

enum smtp_state {
	SMTP_START,   /* greeted; nothing is known */
	SMTP_READY,   /* HELO or EHLO was said */
	SMTP_LOGIN,   /* AUTH was said: the next line is the exchange's */
	SMTP_MAIL,    /* a sender */
	SMTP_RCPTS,   /* and a recipient */
	SMTP_TEXT,    /* the body comes in */
	SMTP_SWALLOW, /* it still does, but was refused: the refusal is said at its end */
	SMTP_GONE,
};

enum {
	SMTP_GO_ON = -1, /* beside the wants: look at what comes next */
	SMTP_HELO_MAX = 255,
};

struct smtp {
	const struct smtp_conf *conf;
	struct buf envelope; /* sender, then recipients: a length octet and the address each */
	struct bytes text;   /* of the open question */
	struct sasl *sasl;   /* while a login is under way */
	const char *refusal; /* the reply at the end of a swallowed body */
	uint64_t declared;   /* SIZE= */
	uint64_t size;       /* octets of the body so far, refused or not */
	struct dot_in dot;
	enum smtp_state state;
	enum smtp_want open; /* the question that waits for an answer, or SMTP_INPUT */
	enum smtp_answer answer;
	enum smtp_why why;
	uint32_t rcpts, message; /* recipients; MAILs accepted in this session */
	uint16_t errors, junk, overshoot;
	bool answered, greeted, ending, esmtp, tls, logged_in;
	uint8_t logins; /* refused */
	uint8_t helo_n, peer_n, id_n;
	uint8_t helo[SMTP_HELO_MAX], peer[SMTP_PEER_MAX], id[SMTP_ID_MAX], nonce[SASL_NONCE];
};
_Static_assert(sizeof(struct smtp) <= 768, "an idle session is small");

/* A reply without its CRLF. */
void smtp_reply(struct wr *, const char *text);
/* These return what a verb returns: a want, or SMTP_GO_ON. */
int smtp_leave(struct smtp *, struct wr *, const char *text);
/* A refusal that counts: a peer that only errs is sent away (attack 42). */
int smtp_refuse(struct smtp *, struct wr *, const char *text);
/* A reply to what brings no message forward; too many of these count too. */
int smtp_idle(struct smtp *, struct wr *, const char *text);
int smtp_ask(struct smtp *, enum smtp_want question);

/* Forgets the envelope. */
void smtp_reset(struct smtp *);
/* Puts an address behind the envelope without counting it in; false when there is no room. */
bool smtp_propose(struct smtp *, const struct address *);
/* Counts in what was proposed last. */
void smtp_accept(struct smtp *);
/* MAIL's sender was proposed, and may be: a message begins. */
int smtp_begin(struct smtp *, struct wr *);

/* ---- a login (smtp_auth.c) ---- */

/* Whether a login may come over this connection as it is now. */
bool smtp_may_login(const struct smtp *);
/* AUTH with its arguments (RFC 4954 4). */
int smtp_auth(struct smtp *, struct bytes args, struct wr *);
/* In SMTP_LOGIN: the next line. */
int smtp_auth_line(struct smtp *, struct rd *in, struct wr *);
/* The exchange's question was answered. */
int smtp_auth_settle(struct smtp *, struct wr *);
/* Forgets the exchange. */
void smtp_auth_drop(struct smtp *);

/* One command line, without its CRLF. */
int smtp_verb(struct smtp *, struct bytes line, struct wr *);

#endif
