/*
 * sender.h - a client that sends some letters over one connection, by SMTP or, with a login, by
 * submission.
 */
#ifndef SIM_SENDER_H
#define SIM_SENDER_H

#include "ledger.h"
#include "line.h"

enum { SENDER_RCPTS = 4 };

struct sender_conf {
	struct addr to;
	const char *from;                /* the reverse-path; without a login now and then <> */
	const struct site_person *login; /* NULL: none */
	const struct sender_rcpt {
		const char *address;
		unsigned to;  /* the people that it means */
		bool refused; /* the server knows that there is nobody */
	} * rcpts;
	size_t n_rcpts;
	unsigned letters; /* at most */
};

struct sender {
	struct line line;
	struct ledger *ledger;
	const struct sender_conf *conf;
	struct loop_timer start;
	size_t left;   /* letters, the one under way included */
	size_t letter; /* the one under way */
	int stage;
	bool pipelined;
	size_t rcpts[SENDER_RCPTS]; /* of the conf's */
	size_t n_rcpts, answered, accepted;
};

/* Begins at a time that the dice tell, when box may be there or not. */
void sender_start(struct sender *, struct ledger *, const struct sender_conf *, uint64_t within_ms);
bool sender_is_over(const struct sender *);

#endif
