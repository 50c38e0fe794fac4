/*
 * imap_session.h - the state of an IMAP session and the few acts that its parts share.  Only imap*.c
 * include it; everybody else knows imap.h.
 */
#ifndef PROTO_IMAP_SESSION_H
#define PROTO_IMAP_SESSION_H

#include "base/buf.h"
#include "proto/imap.h"

enum imap_state { /* RFC 3501 3 */
	          IMAP_NOT_AUTHENTICATED,
	          IMAP_AUTHENTICATED,
	          IMAP_SELECTED,
	          IMAP_AT_END,
};

enum { IMAP_GO_ON = -1 }; /* beside the wants: look at what comes next */

/* What goes on with a command when no question is open. */
enum imap_doing {
	IMAP_ON_NOTHING, /* there is no command: the next one is read */
	IMAP_ON_SASL,
	IMAP_ON_APPEND,
	IMAP_ON_IDLE,
	IMAP_ON_ROW,
	IMAP_ON_COPYUID,
	IMAP_ON_RESULT, /* only its tagged answer is missing */
};

/* What stands behind the tagged OK. */
enum imap_code { IMAP_CODE_NONE, IMAP_CODE_CAPABILITY, IMAP_CODE_APPENDUID, IMAP_CODE_COPYUID };

/* How far a command's text was read. */
struct imap_reading {
	uint64_t literal; /* octets of a literal that are to come */
	size_t line;      /* where in the text the line began that is being read */
	uint32_t literals;
	bool sync; /* the literal is sent only after "+" */
	bool seen; /* a first line came: what looks like HTTP now is a tag */
};

/* An APPEND's message on its way in. */
struct imap_appending {
	uint64_t left;
	size_t piece; /* octets of it that were shown */
	enum imap_answer refused;
	bool sync, begun;
};

struct imap_render;
struct imap_listing;

struct imap {
	const struct imap_conf *conf;
	struct buf text; /* of the command */
	struct arena arena;
	struct imap_command *command; /* in the arena; NULL: there is none */
	struct sasl *sasl;
	struct imap_render *render;   /* in the arena */
	struct imap_listing *listing; /* in the arena */
	const struct bytes *keywords;
	const char *result; /* behind the tag, from "OK" on */
	struct imap_reading reading;
	struct imap_appending appending;
	struct bytes piece;
	union { /* what an answer said, until it is written */
		struct imap_status status;
		struct imap_opened opened;
		struct imap_copied copied;
	} told;
	size_t copied_at; /* ranges of both lists that are written */
	uint32_t appended_validity, appended_uid;
	enum imap_state state;
	enum imap_doing doing;
	enum imap_want open; /* the question that waits for an answer, or IMAP_INPUT */
	enum imap_answer answer;
	enum imap_code code;
	uint8_t keywords_n, errors, early, logins;
	bool answered, greeted, ending, tls, plaintext, read_only;
	bool changed;    /* IDLE: something is to be told */
	bool challenged; /* AUTHENTICATE: the challenge was sent, its answer was not read */
	bool lost, late; /* FETCH: a message was gone, or could not be read now */
	bool line_open;  /* an untagged line has begun and has no end yet */
};
_Static_assert(sizeof(struct imap) <= 512, "an idle session is small");

/* ---- imap_session.c ---- */

int imap_line(struct wr *, const char *text); /* returns IMAP_GO_ON */
int imap_ask(struct imap *, enum imap_want question);
/* "* BYE ..." and the end. */
int imap_leave(struct imap *, struct wr *, const char *text);
/* A tagged BAD, and the command is forgotten; a peer that only errs is sent away. */
int imap_bad(struct imap *, struct wr *, const char *text);
/* The command is done; `text` ("OK ...", "NO ...") is its answer, once the client was told what has
 * changed in its mailbox. */
int imap_finish(struct imap *, const char *text);
/* The same without looking for changes. */
int imap_finish_quietly(struct imap *, const char *text);
/* The refusal in its words. */
int imap_refuse(struct imap *, struct wr *, enum imap_answer);
/* The tagged answer. */
int imap_result_on(struct imap *, struct wr *);
void imap_forget(struct imap *); /* the command, and all its memory */
void imap_put_capabilities(const struct imap *, struct wr *);
/* A mailbox's name, quoted. */
void imap_put_name(struct wr *, struct bytes name);
void imap_put_flags(const struct imap *, struct wr *, const struct imap_row *);
/* " (\Seen ... keyword)": all that there are, with \* where new ones may be made. */
void imap_put_all_flags(const struct imap *, struct wr *, bool with_new);
bool imap_may_log_in(const struct imap *);

/* ---- imap_read.c ---- */

enum imap_read {
	IMAP_READ_MORE,
	IMAP_READ_COMMAND,
	IMAP_READ_GO,      /* a literal that waits for "+" */
	IMAP_READ_MESSAGE, /* APPEND: its message comes now; the text ends before its "{" */
	IMAP_READ_REFUSED, /* a literal that cannot be taken, and does not come then */
	IMAP_READ_TOO_BIG, /* one that comes all the same */
	IMAP_READ_LONG,
	IMAP_READ_BARE, /* a CR or LF that is not CRLF */
	IMAP_READ_ALIEN,
	IMAP_READ_MEMORY,
};
enum imap_read imap_read(struct imap *, struct rd *in);

/* ---- the others ---- */

int imap_verb(struct imap *, struct wr *); /* imap_verbs.c: a whole command */
/* The text so far is all of an APPEND but its message. */
bool imap_is_append(struct imap *);
/* Not even to be tried: the refusal; else NULL. */
const char *imap_why_not(const struct imap_command *);
int imap_settle(struct imap *, struct wr *); /* imap_settle.c: what an answer leads to */
int imap_copyuid_on(struct imap *, struct wr *);
int imap_login_begin(struct imap *, struct wr *); /* imap_auth.c: LOGIN */
int imap_sasl_on(struct imap *, struct rd *in, struct wr *);
int imap_append_begin(struct imap *); /* imap_append.c */
int imap_append_on(struct imap *, struct rd *in, struct wr *);
int imap_append_settle(struct imap *, struct wr *);
bool imap_render_begin(struct imap *);          /* imap_render.c: false: no memory */
int imap_render_on(struct imap *, struct wr *); /* the next of a row */
int imap_render_settle(struct imap *, struct wr *);
int imap_list_begin(struct imap *, struct wr *); /* imap_list.c */

#endif
