/* reader.h - a client that reads a maildrop by POP3, may delete some of it, and may say QUIT. */
#ifndef SIM_READER_H
#define SIM_READER_H

#include "ledger.h"
#include "line.h"

struct reader {
	struct line line;
	struct ledger *ledger;
	struct loop_timer start;
	int stage;
	size_t person; /* of the ledger */
	bool keeps;    /* it deletes nothing */
	bool wrong;    /* its password is */
	bool listed;   /* the multi-line answer has begun */
	size_t n, at;  /* messages, the one under way */
	struct reader_row {
		uint8_t uid[16];
		uint64_t size;
		size_t letter;
		bool deleted;
	} rows[LETTERS * 8];
	struct buf text; /* of the message that comes */
};

void reader_start(struct reader *, struct ledger *, size_t person, uint64_t within_ms);
bool reader_is_over(const struct reader *);

#endif
