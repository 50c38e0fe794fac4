/*
 * master.h - the process that reads the configuration, binds the sockets, starts the roles and
 * starts them again.  It parses nothing of strangers, holds no key, and executes nothing but itself.
 */
#ifndef ROLE_MASTER_H
#define ROLE_MASTER_H

#include "base/arena.h"
#include "base/err.h"

enum master_mode {
	MASTER_SERVE,  /* everything */
	MASTER_OFFLINE /* only what the command line's commands need: no service listens */
};

/*
 * Runs a server in DIR until SIGTERM or SIGINT; says "stead: ready" on stderr (and to systemd) when
 * every role is ready and every listener accepts.  ready_fd (-1: none) is closed then, or at the
 * end.  The exit code: 0 ended as told, 1 could not start or go on (said on stderr), 2 the
 * configuration is wrong.
 */
int master_run(const char *dir, enum master_mode, int ready_fd);
/* What `check` needs to know of the configuration; the texts live in the arena. */
struct check_facts {
	struct arena arena;
	struct bytes certificate, key;   /* PEM; the key's file in DIR/keys */
	char **zone_names, **zone_files; /* of the configuration's zones */
	size_t zones;
};
/* Reads the configuration and says what is wrong with it on stderr; 0 when it is fine. */
int master_facts(int dir, struct check_facts *);

#endif
