/*
 * sum.h - the checksum of everything that the log engine writes: a polynomial over the field of
 * 2^61 - 1, evaluated at a secret key.
 *
 * Whoever does not know the key (nobody outside does) changes a text of n words of seven bytes
 * unnoticed with a probability of at most (n + 2) / 2^61, whatever the change is; and cannot send
 * us a body that recovery would take for a frame of the log.  It is not made to withstand one who
 * sees sums.  It runs at several bytes a cycle, where a keyed hash of general use would cost more
 * than the disk.
 */
#ifndef STORE_SUM_H
#define STORE_SUM_H

#include "base/bytes.h"

struct random;

/* A key as it must be: from 2^32 to 2^61 - 2. */
uint64_t sum_key(struct random *);
/*
 * With the words w1 to wn of seven bytes (little-endian; the last is filled up with zeros) and the
 * length in bytes: h = seed * k; h = (h + w) * k for each word; h = (h + length) * k; modulo
 * 2^61 - 1.  The seed (another sum, or 0) joins two texts to one.
 */
uint64_t sum_of(uint64_t key, uint64_t seed, struct bytes);

#endif
