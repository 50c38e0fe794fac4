/*
 * recover.h - bringing the index forward from the log, when a store is opened.
 */
#ifndef STORE_RECOVER_H
#define STORE_RECOVER_H

#include "store/index.h"
#include "store/segment.h"

/*
 * Replays into the index the groups behind its place.  *end is where the log goes on; its segment
 * is 0 when there is no log yet.  A group without its END at the log's end was never acknowledged,
 * and is left out.  ERR_CORRUPT: damage before the end.  Answer: ERR_FULL.
 */
MUST_CHECK struct err recover(struct segments *, struct index *, struct place *end);

#endif
