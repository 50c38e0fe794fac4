/* nameserver.h - the authoritative servers of some zones at one address; may be away for a while. */
#ifndef SIM_NAMESERVER_H
#define SIM_NAMESERVER_H

#include "scene.h"
#include "serve/names.h"

enum { NAMESERVER_ZONES = 2 };

struct nameserver {
	struct scene *scene;
	struct addr at;
	struct nameserver_zone {
		const char *apex, *text; /* apex NULL: none */
	} zones[NAMESERVER_ZONES];
	struct names *names; /* NULL while it is away */
	struct loop_timer revive;
	uint64_t version;
};

void nameserver_open(struct nameserver *, struct scene *, const char *ip, const char *apex,
                     const char *text);
void nameserver_close(struct nameserver *);
/* The first zone reads so from now on; the text must stay. */
void nameserver_change(struct nameserver *, const char *text);
void nameserver_crash(struct nameserver *, uint64_t back_ms);

#endif
