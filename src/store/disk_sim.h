/*
 * disk_sim.h - a disk in memory whose power can fail: one folder of files, with what the program
 * sees and what would be there after a crash kept apart.
 *
 * 1. A write is durable when fdatasync or fsync of its file has come back; before that, a crash
 *    keeps it, drops it, or keeps some of its 512-byte sectors, each write for itself (attack 140).
 * 2. Names are durable when fsync of the folder has come back; before that, a crash keeps the first
 *    so many of the changes to them.
 * 3. A sync that fails leaves what it was to sync to chance for ever, though the program still sees
 *    it; the next sync says nothing of it (attack 141).
 * The same seed and the same calls give the same disk.
 */
#ifndef STORE_DISK_SIM_H
#define STORE_DISK_SIM_H

#include "store/disk.h"

struct disk_sim; /* opaque */

enum { DISK_SIM_DIR = 1000 }; /* the folder's descriptor */

/* NULL when memory is used up, as every later call then ends the process: it is for tests. */
struct disk_sim *disk_sim_new(uint64_t seed);
void disk_sim_free(struct disk_sim *);
/* The table of it, borrowed. */
struct disk *disk_sim_disk(struct disk_sim *);

/* Power fails and comes back: open files are gone, locks too. */
void disk_sim_crash(struct disk_sim *);

/* Calls that write, sync, allocate or change names, so far. */
uint64_t disk_sim_calls(const struct disk_sim *);
/*
 * The nth of them from now on (1: the next) fails once with this errno, and does nothing; for ENOSPC
 * the first from there on that takes space.
 */
void disk_sim_fail(struct disk_sim *, uint64_t nth, int error);
/* Whether it came to that. */
bool disk_sim_failed(const struct disk_sim *);
/* Blocks for so many bytes more, then ENOSPC; UINT64_MAX: no limit. */
void disk_sim_space(struct disk_sim *, uint64_t bytes);
/* Reads and writes are now and then short or interrupted (attack 143). */
void disk_sim_short(struct disk_sim *, bool on);
/* Turns over one bit of a file, durably; false when the file is not that long. */
bool disk_sim_flip(struct disk_sim *, const char *name, uint64_t offset, unsigned bit);
/* The descriptors that are open. */
size_t disk_sim_open(const struct disk_sim *);

#endif
