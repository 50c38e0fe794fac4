/*
 * loop_file.h - the part of loop.h that moves files: the bulk that crosses a role without being
 * looked at.  A file is a kernel descriptor that was passed to us, and blocks as the disk does: so
 * who moves one does it in slices.
 */
#ifndef NET_LOOP_FILE_H
#define NET_LOOP_FILE_H

#include "net/loop.h"

/*
 * Sends at most n octets of a file, from *at on, which is moved; not moved with OK: the file ends
 * there.  Where it is the kernel that does it all, the process must ignore SIGPIPE.
 */
MUST_CHECK struct err loop_send_file(struct loop *, int fd, int file, uint64_t *at, size_t n);
/* *got 0: the file ends there. */
MUST_CHECK struct err loop_file_read(int file, uint64_t at, void *p, size_t n, size_t *got);
/* All of it, where the descriptor stands.  Answers: ERR_FULL no space. */
MUST_CHECK struct err loop_file_write(int file, struct bytes);
/*
 * What is accepted at this listener keeps urgent bytes in their place in the stream, as Telnet's
 * Synch needs (RFC 854); else they are lost.  Before cage_seal().
 */
MUST_CHECK struct err loop_urgent_inline(int listener);

#endif
