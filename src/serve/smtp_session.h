/*
 * smtp_session.h - a session of SMTP or submission with what it needs, for the files that drive it:
 * smtp.c (its life and its turns), smtp_envelope.c, smtp_message.c.  Only they include it.
 */
#ifndef SERVE_SMTP_SESSION_H
#define SERVE_SMTP_SESSION_H

#include "directory/image.h"
#include "mail/summary.h"
#include "net/snap.h"
#include "proto/smtp_fields.h"
#include "serve/body.h"
#include "serve/login.h"
#include "serve/smtp.h"

enum { SMTP_RECIPIENTS_MAX = 49152 }; /* octets of the recipients of a box_deliver (talk.def) */

/* What a listener is for. */
enum smtp_kind { SMTP_MX, SMTP_SUBMISSION, SMTP_SUBMISSION_TLS, SMTP_KINDS };

struct smtp_session {
	struct front_session front; /* the first */
	struct smtp_serve *serve;
	struct smtp *smtp;
	struct login login; /* of submission alone */
	struct body body;
	struct summary_scan scan;
	struct summary row;        /* of the whole message, borrowed from the scan */
	struct smtp_fields fields; /* of a submitted message, until its header has ended */
	struct talk_id op;
	struct chan_ask ask;
	struct loop_timer away;
	bool waiting;    /* for auth, or for box */
	bool handing_in; /* for box: the message is whole */
	bool bulk;       /* a rate is expected of the client */
	bool trusted;    /* from a network that may relay */
	bool ended;      /* smtp_end() was called */
	bool closing;
	size_t recipients; /* octets of the accepted ones, as they go in the word */
	size_t charged;    /* for what the machine holds */
};

struct smtp_listener {
	struct smtp_serve *serve;
	struct front_port port;
	enum smtp_kind kind;
};

struct smtp_serve {
	struct front front;
	struct smtp_conf conf[3][2]; /* by enum smtp_login; without and with a certificate */
	struct smtp_networks networks;
	struct smtp_listener listeners[SMTP_KINDS];
	struct purse bodies;
	struct snap *image;
	struct directory directory;
	uint64_t next_id;
	uint64_t accepted, refused, retried, logins, logins_refused;
};

/* The session looks at its connection and goes on, or ends. */
void smtp_session_turn(struct smtp_session *);
/* All that smtp_end() does, and no login is waited for any more. */
void smtp_session_end(struct smtp_session *, enum smtp_why);
/* An answer as a word for the log. */
const char *smtp_session_why(enum smtp_answer);

/* ---- questions of the machine; each is answered, or s->waiting (smtp_envelope.c) ---- */

void smtp_session_auth(struct smtp_session *);
void smtp_session_sender(struct smtp_session *);
void smtp_session_rcpt(struct smtp_session *);

/* ---- and these (smtp_message.c) ---- */

void smtp_session_data(struct smtp_session *);
void smtp_session_body(struct smtp_session *);
void smtp_session_commit(struct smtp_session *);
/* Hands in what is whole once more: box is there again. */
void smtp_session_again(struct smtp_session *);
/* Frees what is there of a message. */
void smtp_session_forget(struct smtp_session *);

#endif
