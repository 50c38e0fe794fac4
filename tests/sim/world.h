/*
 * world.h - one mail server alone, which takes mail by SMTP and gives it back by POP3.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "site.h"

enum { WORLD_USERS = 4 }; /* u0@example.org ... with the passwords secret0 ... */

struct world {
	struct scene scene;
	struct site site;
};

void world_open(struct world *, uint64_t seed);
/* Everything must have ended; whatever was left open is a failure. */
void world_close(struct world *);

#endif
