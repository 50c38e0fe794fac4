/*
 * entries.h - what a builder holds: the entries as they were added, and how one is found again.
 * For builder.c and aliases.c alone.
 *
 * 1. Every entry is in the list (in the order of adding) and in the map under its key, which is in
 *    lower case; keys are as in format.h.
 * 2. `extra` are entries that no one added: postmasters.  They are made anew when aliases are
 *    resolved, and live in `work` as what aliases resolve to.
 */
#ifndef DIRECTORY_ENTRIES_H
#define DIRECTORY_ENTRIES_H

#include "base/arena.h"
#include "base/map.h"
#include "directory/builder.h"
#include "directory/format.h"

enum {
	ENTRIES_LOCAL_MAX = 64,   /* RFC 5321 4.5.3.1.1 */
	ENTRIES_DOMAIN_MAX = 255, /* RFC 5321 4.5.3.1.2 */
};

struct target {
	struct bytes remote; /* p NULL: an account of ours */
	uint64_t account;
	uint32_t flags;
};

struct entry {
	struct entry *next;
	struct bytes key;
	enum format_kind kind;
	uint32_t flags;
	uint64_t account;
	struct entry *first_account; /* of a domain */
	struct bytes *texts;         /* of an alias, as they were added */
	size_t n_texts;
	struct target *targets; /* what it resolves to */
	size_t n_targets;
	bool on_path;       /* between the alias that is being resolved and here */
	uint64_t seen_from; /* the number of the last alias that was resolved through here */
};

struct directory_builder {
	struct arena arena, work; /* what was added; what was made of it last */
	struct map map;
	struct entry *first, **last, *extra;
	struct entry *first_account;
	uint64_t version, turn, slots;
	size_t size; /* of the image, after directory_size() */
	uint8_t key[16];
};

/* Whether it is not empty and holds no control characters. */
bool entries_is_clean(struct bytes);
bool entries_is_domain(struct bytes);
/* Cuts at the last @; false when there is none or what stands behind it is no domain. */
bool entries_split(struct bytes address, struct bytes *local, struct bytes *domain);
/* In lower case; empty when it is too long for a key. */
struct bytes entries_lowered(struct bytes, uint8_t room[FORMAT_KEY_MAX]);
/* The entry of just this key, without regard to case; NULL when there is none. */
struct entry *entries_get(const struct directory_builder *, struct bytes key);
/* Whom an address of ours means, by the rules of directory_lookup(); NULL when nobody is there. */
struct entry *entries_find(const struct directory_builder *, struct bytes local,
                           struct bytes domain);

#endif
