/*
 * zones.h - what the zone role owns: the zone files of its folder and those that the configuration
 * names, made into one sealed image that every dns instance maps.
 *
 * A file NAME.zone of the folder is the zone NAME ("@.zone" the root; what cannot stand in a file's
 * name is \DDD).  A zone whose file has errors goes on as it was last served; without such a version
 * it is left out.  $INCLUDE opens plain names in the folder and nothing else (attack 13), and
 * nothing at all for a file of the configuration, whose folder is not ours.
 */
#ifndef SERVE_ZONES_H
#define SERVE_ZONES_H

#include "net/peers.h"
#include "store/disk.h"

struct random;
struct zones;

enum { ZONES_IMPORT_MAX = 256 * 1024 * 1024 /* octets of one import; files: zone_text.h */ };

struct zones_conf {
	struct disk *disk;
	int folder; /* all are borrowed for its life */
	struct loop *loop;
	struct random *random;
	struct peers *peers; /* whose dns instances get the image; NULL: nobody */
};

/* A zone that the configuration names; both are borrowed for the call. */
struct zones_file {
	const char *name;
	int fd;
};

/* Nothing is served before the first zones_load(). */
MUST_CHECK struct err zones_open(struct zones **, const struct zones_conf *);
void zones_close(struct zones *);

/*
 * Reads all files anew and publishes the image.  Errors and warnings go to the log, and as lines to
 * `told` (may be NULL) as far as they fit.  ERR_SYNTAX: done, but some file was refused; faults
 * leave what is served.
 */
MUST_CHECK struct err zones_load(struct zones *, const struct zones_file *, size_t n,
                                 struct wr *told);
/* Gives one dns instance the image that is served. */
void zones_show(struct zones *, struct chan *);

/*
 * Checks the text in a sealed memfd, keeps it as the zone's file and serves it.  Answers: ERR_SYNTAX
 * (why: in told), ERR_DENIED (the configuration names this zone's file, or the memfd is not sealed),
 * ERR_RANGE, ERR_FULL; then nothing changed.  Warnings are told also when it went well.
 */
MUST_CHECK struct err zones_import(struct zones *, struct bytes name, int text, struct wr *told);
/* The text of the zone's file, as it was written, in a sealed memfd.  ERR_NOTFOUND, ERR_SYNTAX. */
MUST_CHECK struct err zones_export(struct zones *, struct bytes name, int *fd);
/*
 * Served zones in alphabetical order behind `after`: bytes8 name, u32 serial, u32 records each;
 * *more when not all fitted.
 */
MUST_CHECK struct err zones_list(struct zones *, struct bytes after, struct wr *rows, bool *more);
void zones_status(const struct zones *, struct wr *counters);

#endif
