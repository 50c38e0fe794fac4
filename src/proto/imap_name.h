/*
 * imap_name.h - names of mailboxes: modified UTF-7 on the wire (RFC 3501 5.1.3), UTF-8 within, and
 * the patterns of LIST.  A name has one spelling in each, so that no two are the same mailbox.
 */
#ifndef PROTO_IMAP_NAME_H
#define PROTO_IMAP_NAME_H

#include "base/bytes.h"

enum { IMAP_NAME_SEPARATOR = '/', IMAP_NAME_WIRE = 3 }; /* octets on the wire for one of UTF-8 */

/*
 * From the wire; w is full when it has no room.  False: not modified UTF-7, or not in its one
 * spelling, or with a control character in it (attack 112).
 */
bool imap_name_decode(struct wr *, struct bytes wire);
/* To the wire; at most IMAP_NAME_WIRE octets for each of a name.  What is not UTF-8 becomes "?". */
void imap_name_encode(struct wr *, struct bytes name);
/*
 * Does the name match?  `*` is anything, `%` anything within a level (RFC 3501 6.3.8).  INBOX
 * matches in any case.  Costs at most the product of both lengths, whatever the pattern.
 */
bool imap_name_match(struct bytes pattern, struct bytes name);
/*
 * The order in which LIST is to be given its rows: as memcmp, but the separator is before all other
 * octets, so that what is beneath a mailbox comes right behind it.
 */
int imap_name_order(struct bytes a, struct bytes b);
/* a is beneath b: "b/..." */
bool imap_name_beneath(struct bytes a, struct bytes b);

#endif
