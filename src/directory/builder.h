/*
 * builder.h - collects domains, accounts and aliases and lays out an image (image.h).
 *
 * Aliases are resolved when the image is built, so a reader finds final targets only, each once. An
 * alias that goes in a circle, deeper than 16, or to more than 1,000 targets is built as
 * DIRECTORY_BROKEN: mail for it waits with its sender until somebody mends it, and all other
 * addresses work.  Whoever changes the directory asks directory_check() before the change is kept,
 * so that this is rare.
 */
#ifndef DIRECTORY_BUILDER_H
#define DIRECTORY_BUILDER_H

#include "base/err.h"
#include "directory/image.h"

enum { DIRECTORY_DEPTH_MAX = 16 }; /* aliases behind aliases (attack 50) */

struct directory_builder;

/* key is random and secret; NULL when memory is used up. */
struct directory_builder *directory_builder_new(const uint8_t key[16], uint64_t version);
void directory_builder_free(struct directory_builder *);

/*
 * All texts are copied.  ERR_EXISTS: there is one already (an address is an account or an alias,
 * not both); ERR_SYNTAX: not of the form; ERR_NOTFOUND: its domain was not added before; ERR_RANGE:
 * too long, or more than 1,000 targets; ERR_MEMORY.
 */
MUST_CHECK struct err directory_add_domain(struct directory_builder *, struct bytes domain);
MUST_CHECK struct err directory_add_account(struct directory_builder *, struct bytes address,
                                            uint64_t id, uint32_t flags);
/* address may be @domain (catch-all); targets are addresses here or elsewhere. */
MUST_CHECK struct err directory_add_alias(struct directory_builder *, struct bytes address,
                                          const struct bytes *targets, size_t n);

enum directory_fault {
	DIRECTORY_LOOP,     /* alias leads back to itself */
	DIRECTORY_DEPTH,    /* more than DIRECTORY_DEPTH_MAX aliases behind each other */
	DIRECTORY_TOO_MANY, /* more than DIRECTORY_TARGETS_MAX targets in the end */
	DIRECTORY_DEAD_END, /* a target in a domain of ours where nobody is; it is left out */
};

/* One thing that is wrong; the texts are borrowed for the call. */
typedef void directory_complain(void *owner, enum directory_fault, struct bytes alias,
                                struct bytes target);
/*
 * Tells all that is wrong with the aliases.  ERR_SYNTAX when there was a fault (a dead end alone is
 * none), ERR_MEMORY.
 */
MUST_CHECK struct err directory_check(struct directory_builder *, directory_complain *,
                                      void *owner);

/* How many bytes the image needs. */
MUST_CHECK struct err directory_size(struct directory_builder *, size_t *n);
/*
 * Writes it into a region of at least directory_size() bytes (ERR_FULL: smaller); nothing was
 * added in between.
 */
MUST_CHECK struct err directory_build(struct directory_builder *, struct wr *region);

#endif
