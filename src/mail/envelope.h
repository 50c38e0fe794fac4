/*
 * envelope.h - IMAP's ENVELOPE of a message (RFC 3501 7.4.2), and its strings.
 *
 * What is shown is the text of the header, unfolded and not decoded.  Addresses are read
 * tolerantly, without recursion (attack 70): groups, routes and comments are understood, what is
 * no address is shown as a mailbox without a host, so that a person still sees it.
 */
#ifndef MAIL_ENVELOPE_H
#define MAIL_ENVELOPE_H

#include "base/bytes.h"

enum {
	ENVELOPE_STRING_MAX = 2048, /* octets of a date, subject, id; what is longer is cut */
	ENVELOPE_LIST_MAX = 8192,   /* octets of a list as rendered; it ends with the last address
	                               that fits (attack 69) */
	ENVELOPE_NAME_MAX = 512,    /* octets of a name, mailbox or host in it */
	ENVELOPE_MAX = 4 * (2 * ENVELOPE_STRING_MAX + 16) + 6 * ENVELOPE_LIST_MAX + 64,
};

/*
 * "(date subject from sender reply-to to cc bcc in-reply-to message-id)" of the header at the start
 * of `message`, of which no more than the header is needed.  At most ENVELOPE_MAX octets.  The
 * first field of a name counts, but addresses of all fields of a name are one list.
 */
void envelope_write(struct wr *, struct bytes message);
/* True for the name of a field that envelope_write() looks at. */
bool envelope_wants(struct bytes name);

/*
 * A string as IMAP has it (RFC 3501 4.3): quoted, or as a literal where an octet must not be
 * quoted.  NUL cannot be said at all and is left out.
 */
void imap_string(struct wr *, struct bytes);
/* The same, but NIL for no octets. */
void imap_nstring(struct wr *, struct bytes);

#endif
