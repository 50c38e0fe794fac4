/*
 * folders.h - the names of an account's mailboxes (RFC 3501 5.1, 6.3.3 to 6.3.9).
 *
 * A name is UTF-8 of at most FOLDER_NAME_MAX octets, its levels parted by "/", none of them empty, "."
 * or "..", without control characters (attack 112); INBOX is the same in any case, and so is it as a first level.
 *
 * - INBOX is always there, is made with the account and is never deleted.  Sent, Drafts, Trash and
 *   Junk are made when the names are first looked at; they may be deleted and stay so.
 * - Making a/b makes a, where it is not there.
 * - Deleting a mailbox removes its messages and its name, and leaves those beneath it as they are: a
 *   level without a mailbox is shown by a front as \NonExistent, and can be made anew (RFC 3501
 *   6.3.4 lets a name with inferiors go so; RFC 5258 3).
 * - Renaming takes along what is beneath.  Renaming INBOX moves its messages into a new mailbox and
 *   leaves it empty, and what is beneath it where it is (RFC 3501 6.3.5).  A name that is longer
 *   than allowed behind the renaming, or that is there already, refuses all of it.
 * - A name may be subscribed to without a mailbox.
 */
#ifndef BOX_FOLDERS_H
#define BOX_FOLDERS_H

#include "box/mailbox.h"

enum { FOLDERS_MAX = 10000 }; /* of an account, names that are subscribed to alone among them */

/* Can this be the name of a mailbox? */
bool folder_name_good(struct bytes name);

/* Rows (talk/rows.h) behind this number, as many as fit, in the order of their numbers. */
MUST_CHECK struct err folders_list(struct mailboxes *, uint64_t account, uint32_t after,
                                   uint64_t now_s, struct wr *, bool *more);
/*
 * Makes one change; name and to are borrowed for the call.  op-less: a repeated change is told what
 * is so already.  Answers: ERR_EXISTS, ERR_NOTFOUND, ERR_SYNTAX no name, ERR_DENIED not to be done
 * with this one, ERR_FULL FOLDERS_MAX or no space.
 */
void folders_change(struct mailboxes *, uint64_t account, enum folder_change, struct bytes name,
                    struct bytes to, uint64_t now_s, mailbox_done *, void *owner);

#endif
