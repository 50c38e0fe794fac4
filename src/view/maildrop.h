/*
 * maildrop.h - a mailbox as one POP3 session sees it: the messages that were there when it began,
 * numbered from 1, with sizes and unique ids that stay.
 */
#ifndef VIEW_MAILDROP_H
#define VIEW_MAILDROP_H

#include "base/err.h"
#include "proto/pop3.h"

struct maildrop;

/* NULL when out of memory. */
struct maildrop *maildrop_new(uint32_t uidvalidity, uint32_t expected);
void maildrop_free(struct maildrop *);
/*
 * Adds the rows of one answer of box (talk/rows.h).  Answers: ERR_SYNTAX not rows in rising order;
 * ERR_FULL it has POP3_MESSAGES_MAX, and none of the others were added.
 */
MUST_CHECK struct err maildrop_add(struct maildrop *, struct bytes rows);
/* The UID to ask box for next. */
uint32_t maildrop_next(const struct maildrop *);
/* All were added: the listing, which stays until the maildrop is freed. */
const struct pop3_message *maildrop_listing(struct maildrop *, size_t *n);
/* The UID of message number 1 to n. */
uint32_t maildrop_uid(const struct maildrop *, uint32_t number);
/* How many octets it holds. */
size_t maildrop_memory(const struct maildrop *);

#endif
