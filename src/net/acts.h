/*
 * acts.h - what no role may do, tried from inside: in a build with -Dacts=true only.
 *
 * A sandbox that nobody tries to leave is decoration.  A test build answers a word of the master by
 * trying an act in the role's own process, after cage_seal(), and tells what came of it.
 */
#ifndef NET_ACTS_H
#define NET_ACTS_H

#include "net/cage.h"

enum act {
	ACT_READ_PASSWD,  /* open /etc/passwd */
	ACT_CLIMB,        /* the same by ../../.. from the working directory */
	ACT_NEIGHBOUR,    /* reach what lies beside its folders: the server's own files */
	ACT_CREATE,       /* make a file in the root, in the working directory, in /tmp */
	ACT_LIST_ROOT,    /* list / and find something in it */
	ACT_SOCKET_TCP,   /* make a TCP socket */
	ACT_SOCKET_UDP,   /* make a UDP socket */
	ACT_SOCKET_UNIX,  /* make a socket to other processes */
	ACT_SOCKET_RAW,   /* a raw, packet or netlink one */
	ACT_CONNECT,      /* connect to 127.0.0.1 port 1 by TCP */
	ACT_BIND,         /* bind a TCP socket to a port */
	ACT_LISTEN,       /* listen on it */
	ACT_FORK,         /* make a process */
	ACT_THREAD,       /* make a thread */
	ACT_EXEC,         /* execute a file */
	ACT_KILL,         /* signal the parent */
	ACT_PTRACE,       /* trace the parent */
	ACT_READ_MEMORY,  /* read the parent's memory */
	ACT_MAP_EXEC,     /* map memory that can be executed */
	ACT_PROTECT_EXEC, /* make memory executable */
	ACT_SETUID,       /* become root again */
	ACT_CAPS,         /* take a capability */
	ACT_MOUNT,        /* mount a file system */
	ACT_USERNS,       /* make a user namespace */
	ACT_CHROOT,       /* chroot out */
	ACT_BPF,          /* load a BPF program */
	ACT_IO_URING,     /* make an io_uring */
	ACT_USERFAULTFD,  /* make a userfaultfd */
	ACT_KEYCTL,       /* reach a kernel keyring */
	ACT_PERF,         /* open a performance counter */
	ACT_RAISE_LIMIT,  /* raise the hard limit of descriptors or of cores */
	ACT_DUMPABLE,     /* become dumpable again */
	ACT_TERMINAL,     /* push bytes into a terminal's input (TIOCSTI) */
	ACTS
};

const char *acts_name(enum act);
/* 0: it succeeded, and the cage has a hole (unless acts_allowed()); else the errno that stopped it. */
int acts_try(enum act);
/* Does a row with these promises leave the act open on purpose? */
bool acts_allowed(enum act, const struct cage_row *);

#endif
