/*
 * names.h - the names of an account's mailboxes in memory, and what a name may be.
 */
#ifndef BOX_NAMES_H
#define BOX_NAMES_H

#include "box/account.h"

/* INBOX in capitals where it is the first level; false: it is no name.  At most as long as `name`. */
bool names_canonical(uint8_t room[FOLDER_NAME_MAX], struct bytes name, struct bytes *out);
/* The use that a mailbox of this name has from the start: a flag of enum folder_flag, or 0. */
uint32_t names_use(struct bytes name);
/* Is `name` beneath this one? */
bool names_beneath(struct bytes name, struct bytes above);

/*
 * All folders of the account are in memory then.  What an account has from the start is made, and
 * the removal of mailboxes that was cut off goes on; with now_s 0 an account that has none stays so.
 */
MUST_CHECK struct err names_read(struct mailboxes *, struct account *, uint64_t now_s);
/* A mailbox that is there, not only subscribed to.  ERR_NOTFOUND. */
MUST_CHECK struct err names_find(struct mailboxes *, struct account *, struct bytes name,
                                 uint64_t now_s, struct folder **);
MUST_CHECK struct err names_number(struct mailboxes *, struct account *, uint32_t number,
                                   struct folder **);
/* Begins to remove all that belongs to a mailbox that has no record any more. */
void names_clear(struct mailboxes *, struct account *, uint32_t number);

#endif
