/*
 * line.h - a client of a protocol of lines, on the simulated net: tells its owner each line that
 * came and the end; sends what it is told to.
 */
#ifndef SIM_LINE_H
#define SIM_LINE_H

#include "base/buf.h"
#include "world.h"

struct line {
	struct world *world;
	struct loop_poll *poll;
	int fd; /* -1: closed */
	struct buf in, out;
	struct loop_timer cut; /* when the connection breaks */
	void (*heard)(void *owner, struct bytes line);
	void (*gone)(void *owner); /* once, also behind line_close() */
	void *owner;
};

/* Connects; with some luck it is cut at a time that the dice tell.  False: nobody listens. */
bool line_open(struct line *, struct world *, const struct addr *to);
void line_say(struct line *, struct bytes);
__attribute__((format(printf, 2, 3))) void line_sayf(struct line *, const char *fmt, ...);
/* Closes without a word. */
void line_close(struct line *);

#endif
