/*
 * imapper.h - an IMAP client that keeps the numbers of messages as it is told them, and checks that
 * they always fit: it looks, waits in IDLE, or moves messages between INBOX and Trash.
 *
 * 1. A number is one of those that it was told of; EXISTS never makes them fewer.
 * 2. Behind a number there is the same UID until an EXPUNGE moves it; UIDs rise with the numbers.
 * 3. No EXPUNGE comes while numbers are in use: in a FETCH, STORE or SEARCH by number (RFC 3501
 *    7.4.1).
 * 4. A UID of a folder names the same letter for ever, whoever looks, and is never used again.
 * 5. What MOVE has moved is gone from the numbers before it says OK; or box died behind it, and the
 *    session ends.
 */
#ifndef SIM_IMAPPER_H
#define SIM_IMAPPER_H

#include "ledger.h"
#include "line.h"

enum { IMAPPER_VIEW = 512 };

/* How often clients did what, over all runs: so that a test can see that it tests something. */
struct imapper_counts {
	size_t moved, expunged, news, fetched, waited;
};

struct imapper {
	struct line line;
	struct ledger *ledger;
	struct imapper_counts *counts;
	struct loop_timer start, wait;
	size_t person;
	bool mover, over, well; /* well: it came to its LOGOUT */
	int doing;
	unsigned tag, left; /* left: what it still wants to do */
	int folder;
	uint32_t uidvalidity;
	uint32_t uids[IMAPPER_VIEW]; /* by number; 0: not known yet */
	uint32_t count;
	uint32_t uid;      /* that is being moved, or read */
	bool must_end;     /* what comes next is BYE */
	struct buf octets; /* of the message that comes */
};

void imapper_start(struct imapper *, struct ledger *, struct imapper_counts *, size_t person,
                   bool mover, uint64_t within_ms);

#endif
