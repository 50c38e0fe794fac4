/*
 * random.h - the door for randomness: the kernel's, or a seeded one so that a simulation repeats.
 * A protocol takes a struct random, or numbers drawn from one, as a parameter.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random;

/* The kernel's getrandom(2), drawn through a buffer; NULL when memory is used up. */
struct random *random_open(void);
/* The same numbers for the same seed, for simulations only: not secret.  NULL as above. */
struct random *random_seeded(uint64_t seed);
/* NULL does nothing; what was drawn and not used is wiped. */
void random_close(struct random *);

/* Cannot fail: a kernel without randomness ends the process. */
void random_fill(struct random *, void *p, size_t n);
uint64_t random_u64(struct random *);
/* Evenly from 0 to n - 1; n is not 0. */
uint64_t random_below(struct random *, uint64_t n);

#endif
