/*
 * contents.h - which messages a mailbox has, which of them are unseen or to be deleted, and what
 * changed lately: in memory, for mailboxes in use.  It is read by a walk over the rows, in pieces.
 */
#ifndef BOX_CONTENTS_H
#define BOX_CONTENTS_H

#include "box/account.h"
#include "box/uidset.h"

enum { CONTENTS_GONE = 256 }; /* records of what was expunged, kept in the store for a mailbox */

struct contents {
	struct uidset all, unseen, deleted;
	struct contents_event {
		uint64_t modseq;
		uint32_t uid;
		bool gone;
	} * log;                          /* what changed behind log_from, by modseq */
	size_t n, cap, keep;              /* keep: more than that are forgotten, the oldest first */
	uint64_t log_from, complete_from; /* what went is all there behind complete_from */
	uint64_t gone[CONTENTS_GONE + 1]; /* the modseqs of those records, rising */
	size_t n_gone;
	bool ready;
	uint32_t at; /* reading: the next UID */
};

/*
 * Reads a piece, if it is not read yet; *ready when it is, with all changes behind `since` in its
 * log.  Only outside of the store's turn.
 */
MUST_CHECK struct err contents_read(struct mailboxes *, struct account *, struct folder *,
                                    uint64_t since, bool *ready);
void contents_free(struct contents *);
size_t contents_memory(const struct contents *);

/* A message is there with these flags, or gone; false without memory. */
MUST_CHECK bool contents_note(struct contents *, uint64_t modseq, uint32_t uid, uint32_t flags,
                              bool gone);
/* The first of what changed behind this modseq; contents->n: nothing. */
size_t contents_behind(const struct contents *, uint64_t modseq);

#endif
