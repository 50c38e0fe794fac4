/*
 * uidset.h - a set of UIDs: a bit each, in chunks of 4096 that are there where a bit is set.  So a
 * mailbox of 100,000 messages takes 12 KiB, and putting in and taking out are one step.
 */
#ifndef BOX_UIDSET_H
#define BOX_UIDSET_H

#include "talk/rows.h"

struct uidset_chunk;
struct uidset {
	struct uidset_chunk **chunks; /* by UID, none of them empty */
	size_t n, cap;
	uint32_t count;
};

/* A zeroed set is empty and owns nothing. */
void uidset_free(struct uidset *);
/* False when memory is used up; one that is in already stays so. */
__attribute__((warn_unused_result)) bool uidset_add(struct uidset *, uint32_t uid);
void uidset_remove(struct uidset *, uint32_t uid);
bool uidset_has(const struct uidset *, uint32_t uid);
/*
 * The first run of UIDs without a gap that is not wholly below `from`, cut there and behind `to`;
 * false when there is none.
 */
bool uidset_run(const struct uidset *, uint32_t from, uint32_t to, struct uid_range *);
/* How many octets it takes. */
size_t uidset_memory(const struct uidset *);

#endif
