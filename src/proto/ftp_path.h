/*
 * ftp_path.h - names as FTP clients give them, made absolute below the account's root.  That keeps a
 * session's own view in order; that nothing leads out of the tree is the kernel's to see to, at the
 * one who opens files (attack 135).
 */
#ifndef PROTO_FTP_PATH_H
#define PROTO_FTP_PATH_H

#include "base/bytes.h"

enum { FTP_NAME_MAX = 255 }; /* octets of one name in a path */

/*
 * Writes the absolute form of `name`, which stands in `folder` (absolute itself): without ".", "..",
 * and empty names; ".." at the root stays there.  False: no name that there could be, with control
 * characters, or too long.
 */
bool ftp_path_join(struct wr *, struct bytes folder, struct bytes name);
/* The last name; empty of "/" and of what ends with one. */
struct bytes ftp_path_last(struct bytes path);
/*
 * In a reply: quotes are doubled where it stands in quotes (RFC 959, appendix II), and 0xff is, as
 * Telnet's IAC (RFC 2640 3.1).  At most 2 octets come from one.
 */
void ftp_path_put(struct wr *, struct bytes path, bool quoted);

#endif
