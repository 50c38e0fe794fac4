/*
 * lookup_net.h - gets a reply from one of some servers, over UDP or TCP, and believes none that is
 * not the answer to what was asked.
 */
#ifndef TOOL_LOOKUP_NET_H
#define TOOL_LOOKUP_NET_H

#include "base/addr.h"
#include "tool/lookup_ask.h"

struct random;

enum { LOOKUP_SERVERS = 8, LOOKUP_NAME_MAX = 255 };

struct lookup_servers {
	size_t n;
	struct lookup_server {
		struct addr addr;
		char name[LOOKUP_NAME_MAX + 1]; /* as it was given */
	} list[LOOKUP_SERVERS];
};

struct lookup_reply {
	struct bytes message; /* whole, every record of it well-formed */
	const struct lookup_server *server;
	bool tcp;
	uint64_t took_ms;
	uint64_t when_s; /* since 1970 */
	uint8_t room[DNS_TCP_MAX];
};

/* Whom to ask: LOOKUP_DONE, or what the program exits with, when the complaint was said. */
enum lookup_exit lookup_net_servers(const struct lookup_ask *, struct lookup_servers *,
                                    FILE *complaints);
/* From the text of a resolv.conf; none in it means 127.0.0.1. */
void lookup_net_resolv(struct bytes text, const struct lookup_ask *, struct lookup_servers *);

/*
 * Is the packet a whole and well-formed message that answers this question with this id?  A server
 * that did not understand the question may leave it away.
 */
bool lookup_net_fits(const struct lookup_ask *, uint16_t id, struct bytes packet);

/* Tries each server; what goes wrong on the way is noted, as dig does, with ";;" before it. */
enum lookup_exit lookup_net_ask(const struct lookup_ask *, const struct lookup_servers *,
                                struct random *, struct lookup_reply *, FILE *notes);

#endif
