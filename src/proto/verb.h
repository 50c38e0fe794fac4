/*
 * verb.h - the table of commands that a line protocol is described by, and the look-up in it.
 *
 * A table row says what a command is called, in which states it may come, and what runs then: the
 * table is the documentation of the order of commands.
 */
#ifndef PROTO_VERB_H
#define PROTO_VERB_H

#include "base/bytes.h"

/* `session` is the machine; returns one of its wants. */
typedef int verb_fn(void *session, struct bytes args, struct wr *out);

struct verb {
	const char *name; /* in capitals */
	unsigned in;      /* a bit for each state in which it may come */
	verb_fn *run;
};

/* No control character but TAB in it: what a command line may be made of. */
bool verb_is_plain(struct bytes line);
/* Cuts a command line at its first blank; `args` is all that stands behind it, blanks too. */
void verb_cut(struct bytes line, struct bytes *word, struct bytes *args);
/* NULL when the table has no such verb; upper and lower case are the same. */
const struct verb *verb_find(const struct verb *table, size_t n, struct bytes word);
/*
 * What a peer sends who takes us for something else: an HTTP request line, a TLS hello, an SSH
 * greeting.  Looks at the beginning of a line, whether it is whole or not; a session ends at the
 * first of these (attack 46, ALPACA).
 */
bool verb_is_alien(struct bytes start);

enum verb_line {
	VERB_MORE,  /* no whole line yet */
	VERB_LINE,  /* a line was taken */
	VERB_BARE,  /* a CR or LF that is not CRLF, or a NUL: nothing taken */
	VERB_LONG,  /* longer than the limit: nothing taken */
	VERB_ALIEN, /* verb_is_alien(): nothing taken */
};

/*
 * Takes the next command line, without its CRLF.  Gives the same verdict wherever the input is cut
 * into reads (attacks 36, 37).  `max` counts the CRLF.
 */
enum verb_line verb_line(struct rd *, size_t max, struct bytes *line);

#endif
