/*
 * rows.h - the rows of messages that box gives a front: what a listing needs, without the body.
 */
#ifndef TALK_ROWS_H
#define TALK_ROWS_H

#include "base/bytes.h"

struct message_row {
	uint32_t uid;
	uint32_t flags;      /* enum message_flag */
	uint64_t size;       /* octets, as RETR and RFC822.SIZE tell */
	uint64_t received_s; /* seconds since 1970, the internal date */
	uint64_t modseq;
	struct bytes summary; /* mail/summary's packed row */
};

enum message_flag {
	FLAG_SEEN = 1,
	FLAG_ANSWERED = 2,
	FLAG_FLAGGED = 4,
	FLAG_DELETED = 8,
	FLAG_DRAFT = 16
};

enum { MESSAGE_ROW_FIXED = 4 + 4 + 8 + 8 + 8 + 2 }; /* octets beside the summary */

void message_row_put(struct wr *, const struct message_row *);
/* The next row, borrowed; false at the end, or with r->bad where it is damaged. */
bool message_row_get(struct rd *r, struct message_row *);

#endif
