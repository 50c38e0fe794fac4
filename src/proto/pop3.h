/*
 * pop3.h - the server side of POP3 (RFC 1939, 2449, 2595, 3206) as a machine without a socket.
 *
 * Three phases: authorization, transaction, update.  Deletions are only marked until QUIT asks for
 * POP3_UPDATE; a connection that ends otherwise deletes nothing (RFC 1939 6, attack 102).
 * The rules of smtp.h hold: `in` keeps half lines, an open question eats nothing.
 */
#ifndef PROTO_POP3_H
#define PROTO_POP3_H

#include "base/bytes.h"
#include "base/err.h"

enum {
	POP3_COMMAND_MAX = 255,          /* a command line with its CRLF (RFC 2449 4) */
	POP3_SECRET_MAX = 1024,          /* octets of a password (attack 95) */
	POP3_LINE_MAX = 1024 + 7,        /* PASS with such a password and its CRLF */
	POP3_USER_MAX = 254,             /* octets of a user's name */
	POP3_REPLY_MAX = 512,            /* the room that one step needs in `out` */
	POP3_UID_MAX = 70,               /* octets of a unique id (RFC 1939 7) */
	POP3_MESSAGES_MAX = 1000 * 1000, /* messages of one listing; the driver shows no more */
	POP3_ERRORS_MAX = 20,            /* errors, then the session ends */
	POP3_EARLY_MAX = 50,             /* commands before a login, then the session ends */
	POP3_LOGINS_MAX = 3,             /* refused logins, then the session ends */
};

enum pop3_want {
	POP3_INPUT, /* more octets in `in` */
	POP3_ROOM,  /* POP3_REPLY_MAX octets of room in `out`: send, then step again */
	/* questions: pop3_answer() before the next step */
	POP3_LOGIN,   /* is it he? pop3_user(), pop3_secret() */
	POP3_LISTING, /* pop3_listing(), or an answer that is not POP3_OK */
	POP3_BODY,    /* pop3_body() with octets of message pop3_number() from pop3_offset() on */
	POP3_UPDATE,  /* remove all that pop3_deleted() names, durably */
	/* ends */
	POP3_TLS,   /* send `out`, drop all that was read, do the handshake, pop3_tls_done() */
	POP3_CLOSE, /* send `out` and close */
};

enum pop3_answer {
	POP3_OK,
	POP3_BAD,    /* LOGIN: wrong name or password, one answer for both: [AUTH] */
	POP3_TEMP,   /* anything: not now: [SYS/TEMP]; in the midst of a BODY it closes */
	POP3_IN_USE, /* LOGIN, LISTING: another session has the maildrop: [IN-USE] */
	POP3_GONE,   /* BODY: the message was removed meanwhile */
};

/* What sessions of one listener share; borrowed until the last of them is freed. */
struct pop3_conf {
	struct bytes host; /* our name in the greeting */
	bool stls;         /* there is a certificate */
};

/* A row of the listing; message n stands at n - 1. */
struct pop3_message {
	uint64_t size;    /* octets, in CRLF form */
	struct bytes uid; /* 1 to POP3_UID_MAX octets of 0x21 to 0x7e, never used again */
};

struct pop3;

/*
 * A session; NULL when out of memory.  tls: the connection is inside TLS already.  plaintext: a
 * password may come outside TLS from this peer; else USER and PASS are refused before a secret is
 * sent (RFC 8314 3.3, attack 92).
 */
struct pop3 *pop3_new(const struct pop3_conf *, bool tls, bool plaintext);
void pop3_free(struct pop3 *);

enum pop3_want pop3_step(struct pop3 *, struct rd *in, struct wr *out);
void pop3_answer(struct pop3 *, enum pop3_answer);
/* The handshake is done: nothing of before is known (RFC 2595 4, attack 84); see smtp_tls_done().
 */
void pop3_tls_done(struct pop3 *);
/*
 * We are going down, or are too many: the next step says so and wants POP3_CLOSE.  An open question
 * may still be answered.  An idle session is simply closed (RFC 1939 3).
 */
void pop3_end(struct pop3 *);

/* While POP3_LOGIN is open; the secret is borrowed from `in` and is kept nowhere else. */
struct bytes pop3_user(const struct pop3 *); /* valid until the session ends */
struct bytes pop3_secret(const struct pop3 *);

/*
 * Answers POP3_LISTING with n rows, which stay the driver's and as they are until the session is
 * freed: numbers do not move while it lasts (attack 103).
 */
void pop3_listing(struct pop3 *, const struct pop3_message *, size_t n);

/* While POP3_BODY is open: which message, from which octet on, and how many are left from there
 * (TOP may want fewer). */
uint32_t pop3_number(const struct pop3 *);
uint64_t pop3_offset(const struct pop3 *);
uint64_t pop3_missing(const struct pop3 *);
/*
 * Writes the next octets of the message to `out`, dots stuffed, as far as there is room; returns
 * how many of the piece it took.  Then step again: it asks for more until it has enough.  Octets
 * beyond the row's size are not taken.
 */
size_t pop3_body(struct pop3 *, struct bytes piece, struct wr *out);

/* While POP3_UPDATE is open: the marked numbers in rising order; *at starts as 0. */
bool pop3_deleted(const struct pop3 *, size_t *at, uint32_t *number);

bool pop3_is_tls(const struct pop3 *);
size_t pop3_memory(const struct pop3 *); /* octets that this session holds */

#endif
