/*
 * listen.h - the sockets that services listen on: bound once, by the master, and handed to the
 * roles.
 */
#ifndef ROLE_LISTEN_H
#define ROLE_LISTEN_H

#include "role/settings.h"

struct loop;

struct listener {
	enum service service;
	uint8_t instance;
	bool udp;
	struct addr addr;
	int fd;
};

struct listeners {
	struct listener *list;
	size_t n;
};

/*
 * Binds all that the settings tell; a service of several instances has a socket for each
 * (SO_REUSEPORT).  *failed tells the address of the first that could not be bound.
 */
MUST_CHECK struct err listen_all(struct listeners *, struct loop *, const struct settings *,
                                 struct listener *failed);
/* Do both listen at the same places? */
bool listen_same(const struct listeners *, const struct settings *);
/* The control socket DIR/run/control.sock, in the place of one that was left over. */
MUST_CHECK struct err listen_control(int dir, int *fd);
void listen_close(struct listeners *, struct loop *);

#endif
