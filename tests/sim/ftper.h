/*
 * ftper.h - an FTP client that stores and fetches one file of its own over passive connections.
 *
 * What is fetched whole is the file as it was stored last, to the octet; where the answer to a STOR
 * was not seen, as it was before or behind it; never a part of one.
 */
#ifndef SIM_FTPER_H
#define SIM_FTPER_H

#include "line.h"
#include "site.h"

struct ftper {
	struct line line;
	struct site *site;
	struct loop_timer start, pause;
	unsigned number; /* the client's, and its file's */
	int stage;
	unsigned left;          /* transfers */
	bool stores;            /* the one under way does */
	unsigned version;       /* that was stored last */
	uint32_t may;           /* be the file: a bit for each version, the lowest for none */
	struct loop_poll *poll; /* of the data connection; NULL: there is none */
	int data;
	bool ended, said;  /* the data came or went whole; and that was said */
	struct buf octets; /* to send, or received */
	bool over, well;
	size_t stored, fetched;
};

/* The file of client `number`; its versions begin with 1. */
void ftper_start(struct ftper *, struct site *, unsigned number, uint64_t within_ms);
/* Once more, for the file that is there. */
void ftper_again(struct ftper *);

#endif
