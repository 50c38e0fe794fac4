/*
 * files.h - the file areas: DIR/files/ACCOUNT/ is an account's own tree, made when it is first used.
 *
 * Every path is resolved by the kernel beneath the account's folder (openat2, RESOLVE_BENEATH), never
 * by looking at its text: neither "..", nor a link that somebody swaps in meanwhile, nor a rename
 * leads out (attack 135).  A link that an administrator has put there is followed as long as it
 * stays within the tree.  What is written goes into a file of a folder ".stead-tmp" beneath the
 * account's root that no path and no listing names, and takes its place with one rename once it
 * is on the disk: a half-written file is never seen, and the old one is whole until then
 * (attack 137).  What such a folder holds at start is left over, and removed.
 *
 * A front gets descriptors: one to read from, which is always a regular file's; one to write to,
 * which is always a hidden file's.  A token names an upload for the handle and the front that began
 * it; it is dropped with either.
 *
 * All that may take long (the kept part of an appended file, a file's way to the disk) is done in
 * slices between the turns of the loop; only the last fsync of a file and those of its folders
 * block, which is the price of having no thread.
 */
#ifndef BOX_FILES_H
#define BOX_FILES_H

#include "box/handles.h"
#include "net/peers.h"

struct random;
struct files;

enum {
	FILES_UPLOADS_MAX = 4096,      /* of all sessions */
	FILES_SESSION_UPLOADS_MAX = 4, /* of one handle */
	FILES_PATH_MAX = 4095,         /* octets of a path, as the kernel takes it */
	FILES_NAME_MAX = 255,          /* octets of one name in it */
	FILES_PAGE_ROWS = 1024,        /* entries of one page of a listing */
	FILES_SLICE = 4 * 1024 * 1024, /* octets that are copied or synced in one turn */
};

struct files_env {
	struct loop *loop;
	struct random *random;
	struct peers *peers;
	struct handles *handles;
	int areas; /* the folder of all areas, which stays the caller's; -1: nobody has files */
};

/* Sweeps what was left over.  Everything borrowed must outlive it. */
MUST_CHECK struct err files_open(struct files **, const struct files_env *);
/* What is under way is dropped, unanswered; NULL does nothing. */
void files_close(struct files *);

/* Any of the words file_stat to file_change, from a front; all but file_drop are answered. */
void files_word(struct files *, const struct peer *, struct chan_word *);
/* The session has said box_leave, before its handle is forgotten. */
void files_leave(struct files *, struct talk_id handle, enum role, uint8_t instance);
/*
 * The account was removed, and its handles are gone: its uploads end, those that wait for an answer
 * with ERR_DENIED, and its tree goes, durably.  One removal at a time.  removed() is called from the
 * loop: OK, also when there was nothing; or a fault, then what is left is gone on with by asking
 * again.
 */
typedef void files_removed(void *owner, struct err);
void files_remove(struct files *, uint64_t account, files_removed *, void *owner);
/* The front went away. */
void files_front_gone(struct files *, enum role, uint8_t instance);
void files_status(const struct files *, struct wr *counters);

#endif
