/*
 * pop3_session.h - the state of a POP3 session and the few acts that its verbs and its answers
 * share.  Only pop3*.c include it; everybody else knows pop3.h.
 */
#ifndef PROTO_POP3_SESSION_H
#define PROTO_POP3_SESSION_H

#include "proto/dot.h"
#include "proto/pop3.h"

enum pop3_state {
	POP3_AUTHORIZATION,
	POP3_NAMED, /* USER was said */
	POP3_TRANSACTION,
	POP3_AT_END,
};

enum { POP3_GO_ON = -1 }; /* beside the wants: look at what comes next */

enum pop3_list { POP3_NO_LIST, POP3_SIZES, POP3_UIDS };

/* What is sent of one message. */
struct pop3_sending {
	struct dot_out dot;
	uint64_t offset;
	uint64_t lines; /* TOP: lines of the body that are still wanted */
	bool top, begun, done;
	bool body;  /* TOP: the header is over */
	bool blank; /* TOP: nothing of this line was seen but a CR */
};

struct pop3 {
	const struct pop3_conf *conf;
	const struct pop3_message *rows;
	uint8_t *marks; /* a bit for each row that is to be deleted; NULL before the first DELE */
	struct bytes secret;
	size_t n, live;  /* rows, and those not marked */
	uint64_t octets; /* of those not marked */
	struct pop3_sending sending;
	size_t number; /* BODY: the message; a list: the row that comes next */
	enum pop3_state state;
	enum pop3_list list;
	enum pop3_want open; /* the question that waits for an answer, or POP3_INPUT */
	enum pop3_answer answer;
	uint8_t errors, early, logins, user_n;
	bool answered, greeted, ending, tls, plaintext;
	uint8_t user[POP3_USER_MAX];
};
_Static_assert(sizeof(struct pop3) <= 512, "an idle session is small");

/* A reply line; returns POP3_GO_ON. */
int pop3_reply(struct wr *, const char *text);
int pop3_leave(struct pop3 *, struct wr *, const char *text);
/* A refusal that counts: a peer that only errs is sent away. */
int pop3_refuse(struct pop3 *, struct wr *, const char *text);
int pop3_ask(struct pop3 *, enum pop3_want question);

bool pop3_is_marked(const struct pop3 *, size_t row);
void pop3_unmark(struct pop3 *); /* all */
/* A line of LIST or UIDL. */
void pop3_row(const struct pop3 *, enum pop3_list, size_t row, struct wr *);

/* One command line, without its CRLF. */
int pop3_verb(struct pop3 *, struct bytes line, struct wr *);

#endif
