/* sender.h - a client that sends some letters by SMTP over one connection. */
#ifndef SIM_SENDER_H
#define SIM_SENDER_H

#include "ledger.h"
#include "line.h"

enum { SENDER_RCPTS = 4 };

struct sender {
	struct line line;
	struct ledger *ledger;
	struct loop_timer start;
	size_t left;   /* letters, the one under way included */
	size_t letter; /* the one under way */
	int stage;
	bool pipelined;
	int rcpts[SENDER_RCPTS]; /* a user's number, or one of those in sender.c */
	size_t n_rcpts, answered, accepted;
};

/* Begins at a time that the dice tell, when box may be there or not. */
void sender_start(struct sender *, struct ledger *, uint64_t within_ms);
bool sender_is_over(const struct sender *);

#endif
