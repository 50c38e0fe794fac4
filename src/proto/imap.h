/*
 * imap.h - the server side of IMAP4rev1 (RFC 3501; 2177, 2342, 2971, 3348, 3691, 4315, 4959, 5161,
 * 5530, 6154, 6851, 7888) as a machine without a socket.
 *
 * The rules of smtp.h hold: `in` keeps what is not eaten, an open question eats nothing, replies are
 * written where there is room.  A command is read whole into bounded memory, becomes a value
 * (imap_command()), is done, and is forgotten: an idle session holds only its struct.  The octets
 * of an APPEND and of a FETCH stream through and are never held (attacks 107, 109).
 *
 * Numbers of messages are the driver's: the machine hands on sets as they came, and asks IMAP_SYNC
 * wherever a client may be told of changes, and nowhere else (RFC 3501 7.4.1).
 */
#ifndef PROTO_IMAP_H
#define PROTO_IMAP_H

#include "proto/imap_command.h"
#include "proto/sasl.h"

enum {
	IMAP_REPLY_MAX = 12 * 1024, /* the room that one step needs in `out`: all keywords twice */
	IMAP_LINE_MAX = 4096, /* a line that is no command: `in` must be able to hold so much */
	IMAP_EARLY_MAX = 8 * 1024,    /* octets of a command with its literals before a login ... */
	IMAP_COMMAND_MAX = 64 * 1024, /* ... and behind it (attack 107) */
	IMAP_MEMORY_MAX = 512 * 1024, /* what one command may be made into */
	IMAP_ERRORS_MAX = 20,         /* BAD answers in a row, then the session ends */
	IMAP_COMMANDS_EARLY = 50,     /* commands before a login, then the session ends */
	IMAP_LOGINS_MAX = 3,          /* refused logins, then the session ends */
};

enum imap_want {
	IMAP_INPUT, /* more octets in `in` */
	IMAP_WAIT,  /* IDLE: the same, and imap_changed() when there is something for IMAP_SYNC */
	IMAP_ROOM,  /* IMAP_REPLY_MAX octets of room in `out`: send, then step again */
	/* ---- questions: their answer is named, or is imap_answer(); a refusal always is ---- */
	IMAP_NONCE, /* AUTHENTICATE begins: imap_nonce() */
	IMAP_SASL, /* sasl_want(imap_sasl()) is a question: answer it there, then step (LOGIN too) */
	IMAP_FOLDERS, /* LIST, LSUB: imap_folder() for each, then IMAP_OK */
	IMAP_FOLDER,  /* CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE: do it */
	IMAP_STATE,   /* STATUS: imap_status() */
	IMAP_OPEN,    /* SELECT, EXAMINE: leave the mailbox that was open, imap_opened() */
	IMAP_LEAVE,   /* nothing is selected any longer; nothing is expunged by this */
	IMAP_SYNC,    /* imap_update() for what the client does not know, then IMAP_OK */
	IMAP_BEGIN,   /* APPEND: may it come?  IMAP_OK, and room for imap_command()->size octets */
	IMAP_PIECE,   /* imap_piece() is the next of it: IMAP_OK took it whole */
	IMAP_DROP,    /* what came of it is not wanted: forget it */
	IMAP_COMMIT,  /* it is whole: make it durable, imap_appended() */
	IMAP_RESOLVE, /* FETCH, STORE: resolve the set, do the STORE or the \Seen of sets_seen */
	IMAP_ROW, /* ... then the next message: imap_row(), or IMAP_OK when there is none left */
	IMAP_STRUCTURE, /* imap_structure(): ENVELOPE, BODY, BODYSTRUCTURE of the row given last */
	IMAP_PART,      /* imap_part(): where imap_path() lies in the row's message */
	IMAP_OCTETS, /* imap_octets(): of the row's message from imap_offset() on, imap_missing() */
	IMAP_FIND,   /* SEARCH: imap_hits(), then IMAP_OK */
	IMAP_TAKE,   /* COPY, MOVE: imap_copied() */
	IMAP_REMOVE, /* EXPUNGE, UID EXPUNGE, CLOSE: what has \Deleted (and is in the set) */
	/* ---- ends ---- */
	IMAP_TLS,   /* send `out`, drop all that was read, do the handshake, imap_tls_done() */
	IMAP_CLOSE, /* send `out` and close; what an open APPEND gave is dropped */
};

enum imap_answer {
	IMAP_OK,
	IMAP_TEMP,    /* anything: not now: [UNAVAILABLE] */
	IMAP_ABSENT,  /* OPEN, STATE, FOLDER, BEGIN, COMMIT, TAKE: no such mailbox (or not his) */
	IMAP_EXISTS,  /* FOLDER: there is one */
	IMAP_CANNOT,  /* FOLDER, BEGIN, TAKE: not that name, not with this one */
	IMAP_FULL,    /* BEGIN, PIECE, COMMIT, TAKE: quota; FOLDER, RESOLVE: too many names */
	IMAP_NUMBER,  /* RESOLVE, FIND, TAKE: the set has a number that is not there: BAD */
	IMAP_TOO_BIG, /* BEGIN: so large a message never */
	IMAP_GONE, /* OCTETS, STRUCTURE, PART: it was expunged meanwhile; SYNC: the mailbox was */
};

/* What sessions of one listener share; borrowed until the last of them is freed. */
struct imap_conf {
	struct bytes host; /* our name in the greeting */
	bool starttls;     /* there is a certificate */
};

struct imap;

/* NULL when out of memory; tls, plaintext: as pop3_new() (RFC 8314 3.3, attack 92). */
struct imap *imap_new(const struct imap_conf *, bool tls, bool plaintext);
void imap_free(struct imap *);
enum imap_want imap_step(struct imap *, struct rd *in, struct wr *out);
void imap_answer(struct imap *, enum imap_answer);
/* The handshake is done: nothing of before is known (attack 84). */
void imap_tls_done(struct imap *);
/* We are going down: the next step says so and wants IMAP_CLOSE, once an answer that is due was
 * given. */
void imap_end(struct imap *);

/* What is to be done, while a question is open; its sets may be resolved in place. */
struct imap_command *imap_command(struct imap *);
struct sasl *imap_sasl(struct imap *);
void imap_nonce(struct imap *, const uint8_t nonce[SASL_NONCE]);
/* In IMAP_WAIT, or at any other time, when it means nothing: the mailbox has changed. */
void imap_changed(struct imap *);
bool imap_is_tls(const struct imap *);
bool imap_is_logged_in(const struct imap *);
size_t imap_memory(const struct imap *); /* octets that this session holds */

#include "proto/imap_answers.h" /* the answers that say more than one word */

#endif
