/*
 * cage.h - what a role gives up, in two halves: cage_drop() as soon as it has its descriptors, and
 * cage_seal() when it has opened all that it needs, before the first byte of a stranger.
 *
 * A role has a row: its name and what it may still do.  Each step is checked after it was made; one
 * that fails although it should have worked is a fault, and the role must not go on.  What the
 * system or a missing privilege does not allow is told in the report instead.
 *
 * Both halves are to be called while the process has one thread; both check it.
 */
#ifndef NET_CAGE_H
#define NET_CAGE_H

#include "base/bytes.h"
#include "base/err.h"
#include <sys/types.h>

/* What a row may promise to need; the calls of each are listed in cage_calls.c. */
enum cage_promise {
	CAGE_STDIO = 1 << 0,       /* memory, time, waiting, descriptors that it holds */
	CAGE_TALK = 1 << 1,        /* sendmsg and recvmsg: channels, passing of descriptors */
	CAGE_ACCEPT = 1 << 2,      /* accept on listeners that it was given */
	CAGE_DATAGRAMS = 1 << 3,   /* datagrams on sockets that it was given */
	CAGE_UDP_OPEN = 1 << 4,    /* new UDP sockets, to anywhere */
	CAGE_TCP_OPEN = 1 << 5,    /* new TCP sockets, to anywhere; never to listen */
	CAGE_MEMFD = 1 << 6,       /* make, size and seal shared memory */
	CAGE_FILES_READ = 1 << 7,  /* open what is beneath its folders */
	CAGE_FILES_WRITE = 1 << 8, /* make, change, rename and remove what is there */
	CAGE_THREADS = 1 << 9,     /* new threads; never processes */
	CAGE_CHILDREN = 1 << 10,   /* signal and await processes */
};

struct cage_row {
	const char *name;   /* for messages; borrowed for ever */
	uint32_t promises;  /* of enum cage_promise */
	uint32_t files;     /* RLIMIT_NOFILE */
	uint32_t threads;   /* RLIMIT_NPROC, for its uid: beside the first one; with CAGE_THREADS */
	uint64_t file_size; /* RLIMIT_FSIZE, memfds too; beyond it writing fails with EFBIG */
};

struct cage_folder {
	int fd; /* of the folder, also O_PATH */
	bool write;
};

enum cage_step {
	CAGE_LIMITS,     /* rlimits */
	CAGE_ROOT,       /* an empty root */
	CAGE_BOUNDING,   /* no capability can ever come back */
	CAGE_IDS,        /* own uid and gid, no further groups */
	CAGE_CAPS,       /* no capabilities */
	CAGE_NO_NEW,     /* no_new_privs */
	CAGE_UNDUMPABLE, /* no core, no ptrace by its own uid */
	CAGE_DEATH,      /* dies with its parent */
	CAGE_CWD,        /* no way out by the working directory */
	CAGE_LAND_FILES, /* Landlock: files */
	CAGE_LAND_TCP,   /* Landlock: TCP ports, ABI 4 */
	CAGE_LAND_SCOPE, /* Landlock: abstract sockets and signals, ABI 6 */
	CAGE_CALLS,      /* seccomp */
	CAGE_STEPS
};

enum cage_state {
	CAGE_UNTRIED,      /* not come to */
	CAGE_DONE,         /* made and checked */
	CAGE_UNNEEDED,     /* the row may do what the step forbids */
	CAGE_UNPRIVILEGED, /* not started by root */
	CAGE_NO_KERNEL,    /* the kernel does not have it */
	CAGE_SANITIZED,    /* left out: a sanitizer needs it open */
	CAGE_SKIPPED,      /* left out by a test */
	CAGE_STATES
};

struct cage_report {
	uint8_t state[CAGE_STEPS]; /* of enum cage_state */
	uint8_t abi;               /* Landlock's in this kernel; 0: none */
};

struct cage {
	const struct cage_row *row;
	uid_t uid; /* not 0; what root becomes, nobody else is asked to */
	gid_t gid;
	int root; /* descriptor of an empty folder; closed by nobody here */
	const struct cage_folder *folders; /* with CAGE_FILES_*; all that may ever be opened */
	size_t folders_n;
	uint32_t skip; /* 1 << enum cage_step; heeded in a build with -Dacts=true only */
	bool loud;     /* a call outside the row names itself on stderr and aborts; else ENOSYS */
};

/*
 * Limits, root, ids and privileges.  The working directory stays, so that files beneath it can
 * still be opened, until cage_seal() leaves it (when the row has no folder).  Descriptors stay.
 */
MUST_CHECK struct err cage_drop(const struct cage *, struct cage_report *);
/* Working directory, Landlock, and seccomp as the very last. */
MUST_CHECK struct err cage_seal(const struct cage *, struct cage_report *);

/* Done, or unneeded, in every step? */
bool cage_is_whole(const struct cage_report *);
const char *cage_step_name(enum cage_step);
const char *cage_state_text(enum cage_state);
#define CAGE_PACKED (2 + CAGE_STEPS)
void cage_report_pack(struct wr *, const struct cage_report *);
/* Answers: ERR_SYNTAX not one of this version. */
MUST_CHECK struct err cage_report_unpack(struct rd *, struct cage_report *);

#endif
