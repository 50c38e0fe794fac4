/*
 * smtpc.h - the sending side of SMTP (RFC 5321) as a machine without a socket.
 *
 * smtpc_step() eats replies from `in`, writes commands to `out`, and returns what it wants.  One
 * message is under way at a time; it may be given before the greeting, and it always comes to a
 * result, whatever becomes of the connection.  `in` holds all that was read and not yet eaten: half
 * a line stays in it, so its buffer must be able to hold SMTPC_LINE_MAX octets.
 *
 *	smtpc_message(s, &m);
 *	INPUT/ROOM ... PIECE: smtpc_body() ..., smtpc_body_end() ... RESULT: smtpc_result() of each
 *	recipient, smtpc_taken() ... IDLE: the next message, or smtpc_quit() ... CLOSE
 */
#ifndef PROTO_SMTPC_H
#define PROTO_SMTPC_H

#include "base/bytes.h"
#include "base/err.h"

enum {
	SMTPC_LINE_MAX = 2048,          /* of a reply, with its CRLF: 512 (RFC 5321 4.5.3.1.5) and
	                                   what servers add (attack 56) */
	SMTPC_REPLY_LINES = 128,        /* of one reply (attack 56) */
	SMTPC_REPLY_OCTETS = 32 * 1024, /* of one reply (attack 56) */
	SMTPC_ROOM_MAX = 1024,          /* the room that one step may need in `out` */
	SMTPC_RCPTS_MAX = 500,          /* of one message */
	SMTPC_TEXT_MAX = 512,           /* octets that are kept of a reply ... */
	SMTPC_TEXT_MANY = 64,           /* ... and of a recipient's where there are many */
	SMTPC_NAME_MAX = 255,           /* octets of the server's name */
};

enum smtpc_want {
	SMTPC_INPUT,  /* more octets in `in`; smtpc_patience_ms() is how long to wait for them */
	SMTPC_ROOM,   /* SMTPC_ROOM_MAX octets of room in `out`: send, then step again */
	SMTPC_IDLE,   /* smtpc_message() or smtpc_quit(); input that comes meanwhile means CLOSE */
	SMTPC_PIECE,  /* smtpc_body(), at its end smtpc_body_end(); step when input comes, too */
	SMTPC_RESULT, /* the message is over: smtpc_result(), then smtpc_taken() */
	SMTPC_TLS,    /* drop all that was read, do the handshake, smtpc_tls_done() */
	SMTPC_CLOSE,  /* send `out` and close */
};

struct smtpc_conf {
	struct bytes host; /* our name in EHLO; borrowed for the machine's life */
	bool tls;          /* STARTTLS where the server offers it */
};

/* All of it is borrowed until smtpc_taken(). */
struct smtpc_message {
	struct bytes sender;       /* local@domain (mail/address.h: address_text()), empty for <> */
	const struct bytes *rcpts; /* the same; 1 to SMTPC_RCPTS_MAX */
	size_t n;
	uint64_t size;     /* octets of the body */
	bool is_8bit;      /* it has octets beyond ASCII */
	bool is_8bit_head; /* its header has some, too (RFC 6531 3.2) */
};

struct smtpc_result {
	enum smtpc_outcome { SMTPC_DELIVERED = 1, SMTPC_DEFERRED, SMTPC_FAILED } outcome;
	uint8_t status[3]; /* RFC 3463, as the server said it or made of its code */
	struct bytes text; /* printable ASCII; borrowed until smtpc_taken() */
	bool is_reply;     /* the server's own words */
	bool elsewhere;    /* it was this server, not the recipient: another may be asked now */
};

struct smtpc;

/* NULL when out of memory. */
struct smtpc *smtpc_new(const struct smtpc_conf *);
void smtpc_free(struct smtpc *);

enum smtpc_want smtpc_step(struct smtpc *, struct rd *in, struct wr *out);

/* Where none is under way.  False: out of memory, and nothing was begun. */
MUST_CHECK bool smtpc_message(struct smtpc *, const struct smtpc_message *);
/* Of SMTPC_PIECE: writes as much of the piece as there is room for; how much it took. */
size_t smtpc_body(struct smtpc *, struct bytes piece, struct wr *out);
/* The body is whole: the next step ends it. */
void smtpc_body_end(struct smtpc *);
/* Of SMTPC_RESULT: what became of recipient i of the message. */
struct smtpc_result smtpc_result(const struct smtpc *, size_t i);
void smtpc_taken(struct smtpc *);
/* Of SMTPC_IDLE: the next step takes leave. */
void smtpc_quit(struct smtpc *);

/*
 * The handshake is done: the session starts anew and knows nothing of before but the greeting
 * (RFC 3207 4.2).  Nothing that was read before may be given to smtpc_step() (attack 85).
 */
void smtpc_tls_done(struct smtpc *);
/*
 * The connection is gone, or is given up by us, for this reason (a literal): the next step ends the
 * message where there is one, its recipients deferred unless they are decided.
 */
void smtpc_lost(struct smtpc *, const char *why);
/* smtpc_lost() would leave in doubt whether the server has the message (RFC 1047, attack 55). */
bool smtpc_in_doubt(const struct smtpc *);

/* How far the message under way has come: for bounds over many replies (attack 175). */
enum smtpc_phase {
	SMTPC_OPENS,     /* the server has not accepted MAIL yet */
	SMTPC_ADDRESSES, /* nor DATA */
	SMTPC_SENDS,
};
enum smtpc_phase smtpc_phase(const struct smtpc *);
/* How long this wait may last (RFC 5321 4.5.3.2). */
uint32_t smtpc_patience_ms(const struct smtpc *);
bool smtpc_is_tls(const struct smtpc *);
/* STARTTLS is what is under way: when the connection ends, plain may be tried (opportunistic). */
bool smtpc_began_tls(const struct smtpc *);
/* EHLO succeeded, so further messages may follow. */
bool smtpc_is_ready(const struct smtpc *);
/* It takes octets beyond ASCII in a body; known from SMTPC_IDLE or SMTPC_PIECE on. */
bool smtpc_takes_8bit(const struct smtpc *);
/* The server's name as its EHLO reply or its greeting tells it; empty before. */
struct bytes smtpc_server(const struct smtpc *);

#endif
