/*
 * line.h - a client of a protocol of lines, on the simulated net: tells its owner each line that
 * came and the end; sends what it is told to.  Where it is told to, the next octets are none of
 * lines.
 */
#ifndef SIM_LINE_H
#define SIM_LINE_H

#include "base/buf.h"
#include "scene.h"

struct line {
	struct scene *scene;
	struct loop_poll *poll;
	int fd; /* -1: closed */
	struct addr from;
	struct buf in, out;
	struct loop_timer cut; /* when the connection breaks */
	void (*heard)(void *owner, struct bytes line);
	size_t literal; /* so many octets come before the next line; heard() may set it */
	void (*octets)(void *owner, struct bytes); /* of these; NULL where there are never any */
	void (*gone)(void *owner);                 /* once, also behind line_close() */
	void *owner;
};

/* Connects; while the scene is not mended it may be cut at a time that the dice tell.  False: nobody listens. */
bool line_open(struct line *, struct scene *, const struct addr *to);
void line_say(struct line *, struct bytes);
__attribute__((format(printf, 2, 3))) void line_sayf(struct line *, const char *fmt, ...);
/* Closes without a word. */
void line_close(struct line *);

#endif
