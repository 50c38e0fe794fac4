/*
 * body.h - a message on its way in: small ones stay in memory and ride in a word, larger ones go to
 * a memfd, which is sealed before it is passed on.
 */
#ifndef SERVE_BODY_H
#define SERVE_BODY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/purse.h"
#include "net/snap.h"

enum { BODY_MEMORY = 32 * 1024 };

struct body {
	struct buf memory;      /* all of it, as long as it is small */
	struct snap_draft file; /* all of it, once it is large */
	int fd;                 /* the file, sealed; -1: not sealed, or small */
	size_t size;
	struct purse *purses[2]; /* the network's and the front's: charged for every octet */
};

/* Both purses outlive the body. */
struct body body_init(struct purse *network, struct purse *all);
/* Answers: ERR_FULL a purse does not allow it, or the system has no memory. */
MUST_CHECK struct err body_add(struct body *, struct bytes);
/* From now on it is a file.  Answers: ERR_FULL. */
MUST_CHECK struct err body_spill(struct body *);
/* It is whole: a large one has its fd now, and nobody can change it.  Answers: ERR_FULL. */
MUST_CHECK struct err body_seal(struct body *);
/* Drops it; it may be used again. */
void body_drop(struct body *);

#endif
