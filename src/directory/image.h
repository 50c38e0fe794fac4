/*
 * image.h - who exists: the domains that we answer for, their addresses, and where mail for each
 * goes.
 *
 * A directory image is a region of bytes without pointers, built once by its owner (builder.h),
 * sealed, and mapped by readers, so that a RCPT asks nobody.  Readers check every offset: a damaged
 * image gives wrong or no answers, never a crash.
 *
 * House rules: domains and local parts are compared without regard to the case of ASCII letters
 * (RFC 5321 2.4 leaves the local part to us); other bytes as they are, so an internationalised
 * domain comes as A-labels; user+tag is user's unless it exists itself; @domain takes what nobody
 * else takes; postmaster resolves in every domain and alone (RFC 5321 4.5.1) as soon as there is
 * one account.
 */
#ifndef DIRECTORY_IMAGE_H
#define DIRECTORY_IMAGE_H

#include "base/bytes.h"

enum {
	DIRECTORY_ADDRESS_MAX = 320,  /* 64 @ 255: RFC 5321 4.5.3.1.1 and .2 */
	DIRECTORY_TARGETS_MAX = 1000, /* of one alias, when everything is resolved (attack 50) */
};

/* A view of an image; a plain value, which owns nothing. */
struct directory {
	struct bytes image;
	uint64_t version, slots;
	uint8_t key[16];
};

enum directory_kind {
	DIRECTORY_NO_DOMAIN, /* we do not answer for this domain */
	DIRECTORY_NONE,      /* we do, and nobody is there */
	DIRECTORY_ACCOUNT,   /* one account */
	DIRECTORY_LIST,      /* an alias: read its targets with directory_target() */
	DIRECTORY_BROKEN,    /* an alias that cannot be resolved, or a damaged image: a temporary
	                        failure */
};

struct directory_answer {
	enum directory_kind kind;
	uint32_t flags;   /* the account's, as its owner set them */
	uint64_t account; /* its id */
	struct rd list;   /* the targets, for directory_target() */
	uint32_t left;
};

struct directory_target {
	bool is_remote;
	uint64_t account; /* the id of one of ours, or */
	uint32_t flags;
	struct bytes remote; /* an address elsewhere, borrowed from the image */
};

/* False when it does not begin as an image does.  The image must stay mapped while d is used. */
bool directory_open(struct directory *, struct bytes image);

static inline uint64_t
directory_version(const struct directory *d)
{
	return d->version;
}

/* Whether we answer for this domain. */
bool directory_has_domain(const struct directory *, struct bytes domain);
/*
 * Who gets mail for local@domain; the local part unquoted (RFC 5321 4.1.2: what quotes mean, not
 * the quotes), without angle brackets; the last @ is the one that counts.  No allocation, constant
 * time.
 */
enum directory_kind directory_lookup(const struct directory *, struct bytes address,
                                     struct directory_answer *);
/* The next target of a list, each once; false after the last, or (kind is then BROKEN) on damage.
 */
bool directory_target(struct directory_answer *, struct directory_target *);

#endif
