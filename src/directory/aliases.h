/* aliases.h - what each alias comes to in the end (attack 50). */
#ifndef DIRECTORY_ALIASES_H
#define DIRECTORY_ALIASES_H

#include "directory/entries.h"

/*
 * Resolves all aliases into `work` and tells what is wrong with them; *bad: there was one that
 * cannot be resolved, which has become FORMAT_BROKEN.  ERR_MEMORY.
 */
MUST_CHECK struct err aliases_resolve(struct directory_builder *, directory_complain *, void *owner,
                                      bool *bad);

#endif
