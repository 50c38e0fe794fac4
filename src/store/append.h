/*
 * append.h - the end of the log: frames are gathered in a buffer and written behind each other; a
 * group ends with one sync.
 */
#ifndef STORE_APPEND_H
#define STORE_APPEND_H

#include "store/segment.h"

struct random;

enum { APPEND_BUFFER = 4 * FRAME_MAX };

/* A place in the log, and what the next frame there must say.  The index stores one. */
struct place {
	uint64_t segment, offset;
	uint64_t group; /* of the next frame */
	uint64_t prev;  /* the sum of the frame before */
};

struct append {
	struct segments *segments;
	struct random *random;
	uint64_t segment_size;
	int fd;        /* the last segment's */
	uint64_t key;  /* and its key */
	uint64_t size; /* and its end */
	uint8_t *buf;
	size_t n;           /* bytes of buf that are waiting, for the offset at.offset - n */
	struct place at;    /* behind the last frame */
	struct place start; /* where the group begins, or begins anew when it is undone */
	uint32_t index;     /* of the next frame */
	bool dirty;         /* written since the last sync */
};

struct append_mark {
	struct place at;
	uint32_t index;
};

/* Goes on at a place in the last segment. */
MUST_CHECK struct err append_init(struct append *, struct segments *, struct random *,
                                  uint64_t segment_size, const struct place *);
/* Begins the first segment of a new log. */
MUST_CHECK struct err append_first(struct append *, struct segments *, struct random *,
                                   uint64_t segment_size);
void append_fini(struct append *);

/*
 * Makes sure that n bytes (as frame_size counts) can follow in the current segment: a body lies
 * whole in one.  Answer: ERR_FULL.
 */
MUST_CHECK struct err append_fit(struct append *, uint64_t n);
/*
 * Room for the data of the next frame: FRAME_DATA_MAX or less; append_frame() makes it one.
 * Answer: ERR_FULL.
 */
MUST_CHECK struct err append_room(struct append *, size_t length, uint8_t **out);
void append_frame(struct append *, enum frame_kind, size_t length);
/* Ends the group: all is on disk, and the next group begins.  Answer: ERR_FULL; undo it then. */
MUST_CHECK struct err append_sync(struct append *);

/* Back to a mark, if no segment was begun since; or to the group's beginning. */
struct append_mark append_mark(const struct append *);
void append_back(struct append *, const struct append_mark *);
void append_undo(struct append *);

#endif
