/*
 * dial.h - the driver of the role that connects out: a word names purpose, address and port, and
 * gets a connected descriptor.  It reads nothing from those connections, and those who read from
 * them cannot connect; so who takes over a role that speaks with strangers reaches mail servers'
 * ports and data ports of FTP clients, and nothing else (attack 58).
 */
#ifndef SERVE_DIAL_H
#define SERVE_DIAL_H

#include "net/peers.h"

struct dial;

struct dial_conf {
	struct bytes relay; /* a person's out.relay, at most 255 octets; copied */
	uint16_t port;      /* of other mail servers */
	bool loopback;      /* mail may go to loopback addresses */
};

enum {
	DIAL_MAX = 256,       /* connections that are begun at once */
	DIAL_SMTP_MS = 30000, /* until a connection is there */
	DIAL_FTP_MS = 10000,
	DIAL_SOCKET_MS = 2000, /* for the master to bind a socket */
};

MUST_CHECK struct err dial_open(struct dial **, const struct dial_conf *, struct loop *,
                                struct peers *);
void dial_close(struct dial *);
/* From now on. */
void dial_settings(struct dial *, const struct dial_conf *);
/* A word of a peer: DIAL_CONNECT, or none of ours. */
void dial_word(struct dial *, const struct peer *, struct chan_word *);
/* Those under way are finished, then drained() comes. */
void dial_drain(struct dial *, loop_fn *drained, void *owner);
void dial_status(const struct dial *, struct wr *counters);

#endif
