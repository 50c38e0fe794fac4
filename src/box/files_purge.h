/*
 * files_purge.h - the removal of an account's whole tree of files.  Only files.c includes it.
 *
 * It goes on in slices between the turns of the loop, and holds two folders open and two buffers,
 * however deep and however wide the tree is.  What was removed is not needed to go on: one that was
 * cut short by a crash is begun anew, and ends as if nothing had happened.
 */
#ifndef BOX_FILES_PURGE_H
#define BOX_FILES_PURGE_H

#include "net/loop.h"

struct files_purge;

/*
 * OK: durably gone, or it was not there.  A fault: some of it is there still, for something in it
 * may not be removed, or something else is mounted there.  To be freed in it.
 */
typedef void files_purged(void *owner, struct err);

/*
 * unique: a number that nobody can guess, for names of its own.  done() is called once, from the
 * loop; areas is the caller's, and outlives it.
 */
MUST_CHECK struct err files_purge_new(struct files_purge **, struct loop *, int areas,
                                      uint64_t account, uint64_t unique, files_purged *done,
                                      void *owner);
/* What is left stays; NULL does nothing. */
void files_purge_free(struct files_purge *);

#endif
