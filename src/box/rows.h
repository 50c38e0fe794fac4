/*
 * rows.h - the rows of a mailbox, read from the store a page at a time.
 */
#ifndef BOX_ROWS_H
#define BOX_ROWS_H

#include "box/account.h"

enum { ROWS_PAGE = 500 };

struct rows_page {
	struct rows_entry {
		struct record_row r;  /* its summary is there where it was asked for */
		struct bytes summary; /* the record of it, where it was asked for and is not old */
		struct blob_id blob;
	} * entries; /* rising UIDs, in the arena */
	size_t n;
	bool more; /* there may be others in the range behind the last one */
};

/* The rows of this range, at most `limit` (ROWS_PAGE); in the arena. */
MUST_CHECK struct err rows_read(struct mailboxes *, uint64_t account, uint32_t mailbox,
                                struct uid_range, size_t limit, bool summaries, struct rows_page *,
                                struct arena *);

#endif
