/*
 * zones_rig.h - the zone role's part over a folder that is made for the test and goes with it.
 */
#ifndef TESTS_ZONES_RIG_H
#define TESTS_ZONES_RIG_H

#include "zone_kit.h"

#include "base/log.h"
#include "base/random.h"
#include "net/loop_sim.h"
#include "net/snap.h"
#include "serve/zones.h"
#include "zone/index.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define RIG_HEAD "$TTL 60\n@ SOA ns a 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n" /* lines 1 to 4 */

struct zones_rig {
	char path[64];
	int folder;
	struct loop *loop;
	struct random *random;
	struct zones *zones;
	uint8_t told[8192];
};

static inline void
zones_rig_quiet(void *owner, const struct log_record *record)
{
	(void)owner;
	(void)record;
}

static inline void
zones_rig_file(struct zones_rig *r, const char *name, struct bytes text)
{
	int fd = openat(r->folder, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n = write(fd, text.p, text.n);

	assert(fd >= 0 && n == (ssize_t)text.n);
	close(fd);
}

static inline void
zones_rig_open(struct zones_rig *r)
{
	struct zones_conf conf = {.disk = disk_real()};
	struct err e = loop_sim_open(&r->loop, 3);
	char *made;

	assert(is_ok(e));
	log_to(zones_rig_quiet, NULL);
	snprintf(r->path, sizeof(r->path), "/tmp/stead-zones-XXXXXX");
	made = mkdtemp(r->path);
	assert(made);
	r->folder = open(r->path, O_RDONLY | O_DIRECTORY);
	r->random = random_seeded(3);
	conf.folder = r->folder;
	conf.loop = r->loop;
	conf.random = r->random;
	e = zones_open(&r->zones, &conf);
	assert(is_ok(e) && r->folder >= 0);
}

static inline void
zones_rig_remove(void *owner, const char *name)
{
	unlinkat(((struct zones_rig *)owner)->folder, name, 0);
}

static inline void
zones_rig_close(struct zones_rig *r)
{
	struct err e = disk_list(disk_real(), r->folder, zones_rig_remove, r);

	assert(is_ok(e));
	zones_close(r->zones);
	close(r->folder);
	rmdir(r->path);
	random_close(r->random);
	loop_close(r->loop);
}

/* Loads; *code becomes the answer's; what was told. */
static inline const char *
zones_rig_load(struct zones_rig *r, const struct zones_file *files, size_t n, int *code)
{
	struct wr told = wr_of(r->told, sizeof(r->told) - 1);

	*code = zones_load(r->zones, files, n, &told).code;
	*told.p = 0;
	return (const char *)r->told;
}

static inline int
zones_rig_memfd(struct bytes text)
{
	struct snap_draft d;
	struct err e = snap_make(&d, "text", text.n);
	int fd;

	assert(is_ok(e));
	memcpy(d.p, text.p, text.n);
	e = snap_seal(&d, text.n, &fd);
	assert(is_ok(e));
	return fd;
}

static inline const char *
zones_rig_import(struct zones_rig *r, const char *name, struct bytes text, int *code)
{
	struct wr told = wr_of(r->told, sizeof(r->told) - 1);
	int fd = zones_rig_memfd(text);

	*code = zones_import(r->zones, bytes_of(name), fd, &told).code;
	close(fd);
	*told.p = 0;
	return (const char *)r->told;
}

#endif
