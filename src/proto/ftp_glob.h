/*
 * ftp_glob.h - the patterns of LIST and NLST: "*" is any octets, "?" one character, all else itself.
 * A pattern is made into a few words of bits once; a name is then looked at in one pass, whatever
 * the pattern (attack 134).
 */
#ifndef PROTO_FTP_GLOB_H
#define PROTO_FTP_GLOB_H

#include "base/bytes.h"

enum { FTP_GLOB_MAX = 63 }; /* octets of a pattern, "**" counted as one */

struct ftp_glob {
	uint64_t takes[256];         /* bit i: the pattern's octet i is this one, or "?" */
	uint64_t stars, marks, last; /* bit i: octet i is "*"; octet i - 1 is "?"; all are passed */
};

bool ftp_glob_is(struct bytes name); /* has it a "*" or a "?" ? */
/* False: it is too long. */
bool ftp_glob_make(struct ftp_glob *, struct bytes pattern);
bool ftp_glob_match(const struct ftp_glob *, struct bytes name);

#endif
