/*
 * err.h - what a function answers when it did not do what it was asked.
 *
 * An answer (code > 0) is something that the caller asked to be told, is documented at the function,
 * and is handled by the caller.  A fault (code < 0) is passed up unchanged, logged once by the role,
 * and ends the session or the process.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

enum err_code {
	/* answers */
	ERR_NOTFOUND = 1, /* there is no such thing */
	ERR_EXISTS,       /* there is one already */
	ERR_SYNTAX,       /* outside bytes that are not of the form */
	ERR_RANGE,        /* of the form, but larger or smaller than the stated limit */
	ERR_FULL,         /* no room: disk, quota, purse */
	ERR_DENIED,       /* not to be done for this one */
	ERR_STALE,        /* the guarded version moved */
	ERR_SEEN,         /* this operation id was applied before */
	ERR_LATER,        /* not now: try again */
	/* faults */
	ERR_IO = -1,      /* the system refused; sys is errno */
	ERR_MEMORY = -2,  /* out of memory */
	ERR_CORRUPT = -3, /* our own data is not what we wrote */
	ERR_GONE = -4,    /* the other end of a channel went away */
	ERR_LIBRARY = -5, /* a library refused; sys is its number */
};

struct err {
	int32_t code, sys; /* sys: errno or a library's number, 0 where there is none */
	const char *why;   /* "../src/store/log.c:212: append: sync": a literal, never freed */
};
_Static_assert(sizeof(struct err) == 16, "an err comes back in two registers");

#define ERR_STR_(x)     #x
#define ERR_STR(x)      ERR_STR_(x)
#define ERR(c, s, what) ((struct err){(c), (s), __FILE__ ":" ERR_STR(__LINE__) ": " what})
#define OK              ((struct err){0, 0, ""})

#define MUST_CHECK __attribute__((warn_unused_result))

static inline bool
is_ok(struct err e)
{
	return e.code == 0;
}

static inline bool
is_fault(struct err e)
{
	return e.code < 0;
}

/* "no such thing", "input/output error": the code in words, for a person. */
const char *err_text(struct err);

#endif
