/*
 * resolve.h - the driver of the resolver: clients over UDP and TCP (RFC 7766) and the words of other
 * roles are answered from the cache, or by asking the Internet's name servers.  Only clients of the
 * networks that it was told get more than REFUSED (RFC 5358, attack 34).
 */
#ifndef SERVE_RESOLVE_H
#define SERVE_RESOLVE_H

#include "net/peers.h"
#include "talk/talk.h"

struct random;
struct net;
struct resolve;

enum {
	RESOLVE_QUERY_MAX = 4096, /* octets of a UDP query; a longer one is dropped */
	RESOLVE_SOCKETS = 32,     /* UDP */
	RESOLVE_TCP = 1000,    /* connections; one more ends the one that was silent the longest */
	RESOLVE_TCP_OPEN = 16, /* questions of one connection that are answered at once */
	RESOLVE_IDLE_MS = 10000, /* RFC 7766 6.2.3 */
	RESOLVE_QUERY_MS = 5000, /* for one query to come whole, or one answer to be read */
	RESOLVE_WAITING = 10000, /* clients' questions at a time ... */
	RESOLVE_OF_ONE = 1000,   /* ... and of one network: attack 28 */
	RESOLVE_ANY_TTL = 3600,  /* of what is said to those who ask for all: RFC 8482 */
};
#define RESOLVE_CACHE   ((size_t)64 << 20)
#define RESOLVE_SERVERS ((size_t)4 << 20)

struct resolve_conf {
	struct loop *loop;
	struct random *random;
	struct peers *peers;       /* of the roles that ask; NULL: none */
	const struct net *clients; /* borrowed for the call, as in resolve_settings() */
	size_t clients_n;
	uint16_t port; /* of the name servers */
};

/* With the hints that IANA publishes, and no hosts file. */
MUST_CHECK struct err resolve_open(struct resolve **, const struct resolve_conf *);
void resolve_close(struct resolve *);
/* Listening sockets, which are taken over also when this fails. */
MUST_CHECK struct err resolve_udp(struct resolve *, int fd);
MUST_CHECK struct err resolve_tcp(struct resolve *, int fd);
void resolve_settings(struct resolve *, const struct net *clients, size_t n, uint16_t port);

/*
 * Files of the configuration: hints in master-file form (no bytes: IANA's), and a hosts file.
 * ERR_SYNTAX: what was there before stays; `told`, unless NULL, says where and why, a line each.
 */
MUST_CHECK struct err resolve_hints(struct resolve *, struct bytes file, struct bytes text,
                                    struct wr *told);
MUST_CHECK struct err resolve_hosts(struct resolve *, struct bytes file, struct bytes text,
                                    struct wr *told);

/* Another role asks by word; it is answered through the peers. */
void resolve_word(struct resolve *, struct asker, const struct talk_resolve_ask *);

/* Listens no more; who waits is answered, then drained() comes. */
void resolve_drain(struct resolve *, loop_fn *drained, void *owner);
void resolve_status(const struct resolve *, struct wr *counters);

#endif
