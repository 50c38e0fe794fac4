/*
 * asker.h - a client that asks the resolver for names, one after the other, and compares what it
 * hears with what the zones say, or have said within the TTL.
 */
#ifndef SIM_ASKER_H
#define SIM_ASKER_H

#include "internet.h"

struct asker_client {
	struct internet *net;
	struct loop_poll *poll;
	int fd;
	struct loop_timer timer;
	unsigned question, left, tries;
	uint16_t id;
	size_t asked, answered;
	bool over;
};

/* all: each question of the table once; else some, as the dice tell. */
void asker_start(struct asker_client *, struct internet *, bool all, uint64_t within_ms);

#endif
