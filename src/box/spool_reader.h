/* spool_reader.h - gives queued messages and their bodies to `queue`.  For spool.c alone. */
#ifndef BOX_SPOOL_READER_H
#define BOX_SPOOL_READER_H

#include "net/peers.h"
#include "store/store.h"

struct spool_reader;

/* NULL when memory is used up. */
struct spool_reader *spool_reader_new(struct loop *, struct peers *, struct store *);
void spool_reader_free(struct spool_reader *);

void spool_reader_load(struct spool_reader *, const struct peer *, struct chan_word *);
void spool_reader_body(struct spool_reader *, const struct peer *, struct chan_word *);

#endif
