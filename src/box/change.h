/*
 * change.h - what sessions change in a mailbox: flags and keywords, which messages there are, and
 * copies of them in others.  Ranges and names are borrowed for the call; see mailbox.h for the order
 * of changes and for what is atomic.
 */
#ifndef BOX_CHANGE_H
#define BOX_CHANGE_H

#include "box/mailbox.h"

/*
 * Of both, `modseq` is told of the last change that this has made, 0: of none; whatever else has
 * changed meanwhile is another's.  Answers: ERR_NOTFOUND, ERR_SYNTAX, ERR_FULL no room for another
 * keyword (nothing is changed).
 */
void change_flags(struct mailboxes *, uint64_t account, uint32_t mailbox, enum flags_how,
                  uint32_t flags, struct bytes keywords, struct bytes ranges, mailbox_answered *,
                  void *owner);
/* One that is gone already is no error.  only_deleted: those without \Deleted are spared. */
void change_remove(struct mailboxes *, uint64_t account, uint32_t mailbox, bool only_deleted,
                   struct bytes ranges, mailbox_answered *, void *owner);
/*
 * Copies, or moves, to the mailbox named `to`.  The same op goes on where it was cut off.  Where the
 * ranges are too many to be told, or not known any more, none are.  A keyword for which the other
 * mailbox has no room is left out.  Answers: ERR_NOTFOUND, ERR_FULL, ERR_SYNTAX.
 */
struct copying {
	uint64_t account;
	struct op_id op;
	uint32_t mailbox;
	bool move;
	struct bytes to, ranges;
	uint64_t now_s;
};
void change_copy(struct mailboxes *, const struct copying *, mailbox_answered *, void *owner);
#endif
