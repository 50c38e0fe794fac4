/*
 * smtp.h - the receiving side of SMTP (RFC 5321), and of submission with its login (RFC 6409, 4954),
 * as a machine without a socket.
 *
 * smtp_step() eats what it can from `in`, writes replies to `out`, and returns what it wants.
 * While a question is open it eats nothing.  `in` holds all that was read and not yet eaten: half
 * a line stays in it, so its buffer must be able to hold SMTP_AUTH_LINE_MAX octets.
 */
#ifndef PROTO_SMTP_H
#define PROTO_SMTP_H

#include "base/bytes.h"
#include "base/err.h"
#include "proto/sasl.h"

enum {
	SMTP_LINE_MAX = 1024, /* a command line with its CRLF: 512 (RFC 5321 4.5.3.1.4)
	                                   and what the extensions add */
	SMTP_AUTH_LINE_MAX = SASL_LINE_MAX + 2, /* a line of a login's exchange (RFC 4954 4) */
	SMTP_TEXT_LINE_MAX = 64 * 1024,         /* a line of a message (attack 38) */
	SMTP_REPLY_MAX = 1024,                  /* the room that one step may need in `out` */
	SMTP_ENVELOPE_MAX = 64 * 1024, /* sender and recipients of one message (attack 42) */
	SMTP_RCPT_MAX = 1000,          /* the usual rcpt_max */
	SMTP_ERRORS_MAX = 20,          /* errors without a message between, then 421 (attack 42) */
	SMTP_JUNK_MAX = 100,           /* NOOP, RSET, VRFY, 4xx ... until each counts as an error */
	SMTP_LOGINS_MAX = 3,           /* refused logins, then 421 */
	SMTP_ID_MAX = 32,              /* octets of a session's id */
	SMTP_PEER_MAX = 45,            /* octets of an IPv6 address in text */
	SMTP_RECEIVED_MAX = 1024,      /* octets that smtp_received() writes at most */
};

enum smtp_want {
	SMTP_INPUT, /* more octets in `in` */
	SMTP_ROOM,  /* SMTP_REPLY_MAX octets of room in `out`: send, then step again */
	/* questions: smtp_answer() before the next step */
	SMTP_AUTH,   /* what smtp_sasl() asks; when that is answered, SMTP_OK (serve/login.h) */
	SMTP_SENDER, /* may who logged in send as smtp_text()? not asked for <> */
	SMTP_RCPT,   /* may this recipient have mail here? smtp_text() is its address */
	SMTP_DATA,   /* a place for the body of this envelope, before 354 is said */
	SMTP_BODY,   /* smtp_text() is the next piece: append it, or throw all away and say why */
	SMTP_DROP,   /* throw away the body so far: there will be no commit (SMTP_OK) */
	SMTP_COMMIT, /* the message is whole: make it durable, then SMTP_OK */
	/* ends */
	SMTP_TLS,   /* send `out`, drop all that was read, do the handshake, smtp_tls_done() */
	SMTP_CLOSE, /* send `out` and close; what was not committed is dropped */
};

enum smtp_answer {
	SMTP_OK,
	SMTP_UNKNOWN,  /* RCPT: no such user here, 550 5.1.1 */
	SMTP_NO_RELAY, /* RCPT: not ours and not to be relayed, 550 5.7.1 */
	SMTP_MANY,     /* RCPT: no more for this message, 452 4.5.3 */
	SMTP_QUOTA,    /* RCPT, COMMIT: this mailbox is full, 452 4.2.2 */
	SMTP_TEMP,     /* anything: we cannot tell now, 451 4.3.0 */
	SMTP_FULL,     /* DATA, BODY, COMMIT: no room on our side, 452 4.3.1 */
	SMTP_LOOP,     /* BODY, COMMIT: too many Received fields, 554 5.4.6 */
	SMTP_REFUSED,  /* anything: not by our policy, 550 5.7.1 */
	SMTP_ALIEN,    /* SENDER: not an address of who logged in, 553 5.7.1 (attack 52) */
	SMTP_FORGED,   /* BODY, COMMIT: the same of the message's From, 550 5.7.1 */
	SMTP_NO_FROM,  /* BODY, COMMIT: it has no From that can be read, 550 5.6.0 */
};

/* Why smtp_end(). */
enum smtp_why {
	SMTP_PREGREET, /* the peer spoke before the greeting: 554 (attack 46) */
	SMTP_BUSY,     /* too many connections: 421 4.7.0 */
	SMTP_IDLE,     /* it said nothing for too long, or is too slow: 421 4.4.2 */
	SMTP_STOP,     /* we are going down: 421 4.3.2 */
	SMTP_LOST,     /* the login is void, since box began anew: 421 4.7.0 */
};

/* Whether AUTH is offered; then it must come before MAIL. */
enum smtp_login {
	SMTP_NO_LOGIN,    /* mail from everywhere: port 25 */
	SMTP_TLS_LOGIN,   /* submission: inside TLS only (attack 92) */
	SMTP_PLAIN_LOGIN, /* submission, from a network that may log in without TLS */
};

/* What sessions of one listener share; borrowed until the last of them is freed. */
struct smtp_conf {
	struct bytes host; /* our name in the greeting, in replies and in Received */
	uint64_t size_max; /* octets of a message; 0 is no limit (RFC 1870) */
	uint32_t rcpt_max; /* recipients of a message */
	bool starttls;     /* there is a certificate */
	enum smtp_login login;
};

struct smtp;

/*
 * A session; NULL when out of memory.  peer is its IP address in text, id what tells it from all
 * others of this host; both are copied, and cut at their limits.  tls: the connection is inside TLS
 * already (RFC 8314).
 */
struct smtp *smtp_new(const struct smtp_conf *, struct bytes peer, struct bytes id, bool tls);
void smtp_free(struct smtp *);

/*
 * Random octets for the nonce of the session's next login; without them SCRAM uses the same again.
 */
void smtp_nonce(struct smtp *, const uint8_t nonce[SASL_NONCE]);

enum smtp_want smtp_step(struct smtp *, struct rd *in, struct wr *out);
/* What SMTP_AUTH asks; until the answer. */
struct sasl *smtp_sasl(const struct smtp *);
/* What the open question is about: SENDER and RCPT an address (mail/address.h: address_cut()), BODY a piece.
 * Borrowed until the answer: a piece is still in the memory of `in`. */
struct bytes smtp_text(const struct smtp *);
void smtp_answer(struct smtp *, enum smtp_answer);
/*
 * The handshake is done: the session starts anew and knows nothing of before but the peer
 * (RFC 3207 4.2, attack 84).  Nothing that was read before the handshake may be given to
 * smtp_step() again; what stood in `in` behind STARTTLS was thrown away by the machine itself.
 */
void smtp_tls_done(struct smtp *);
/*
 * The next step says why and wants SMTP_CLOSE.  An open question may still be answered; that
 * changes nothing any more.
 */
void smtp_end(struct smtp *, enum smtp_why);

/* ---- the envelope: from a question of RCPT, DATA, BODY or COMMIT until its answer ---- */

/* local@domain, or nothing for the null path. */
struct bytes smtp_sender(const struct smtp *);
/* The accepted recipients one after the other; *at starts as 0. */
bool smtp_rcpt(const struct smtp *, size_t *at, struct bytes *address);
uint32_t smtp_rcpts(const struct smtp *);
/* What SIZE= declared, 0 when nothing was: a hint for SMTP_DATA. */
uint64_t smtp_declared(const struct smtp *);
/* The message's id: the session's, "-" and a number.  Told to the peer with the 250. */
void smtp_id(const struct smtp *, struct wr *);
/* The Received field that goes before the body, CRLF and all (RFC 5321 4.4). */
void smtp_received(const struct smtp *, uint64_t now, struct wr *);

/* ---- for logs and purses ---- */

bool smtp_in_message(const struct smtp *); /* between 354 and the end of that message */
bool smtp_is_tls(const struct smtp *);
bool smtp_logged_in(const struct smtp *);
struct bytes smtp_helo(const struct smtp *); /* as the peer said it, empty before */
size_t smtp_memory(const struct smtp *);     /* octets that this session holds */

#endif
