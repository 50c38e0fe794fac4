/*
 * resolve_client.h - one question of a client as it waits, and the answer that it gets: for
 * resolve.c and resolve_stream.c.
 */
#ifndef SERVE_RESOLVE_CLIENT_H
#define SERVE_RESOLVE_CLIENT_H

#include "base/pool.h"
#include "dns/writer.h"
#include "net/udp.h"
#include "resolve/local.h"
#include "serve/front.h"
#include "serve/resolve.h"
#include "serve/resolve_job.h"

enum { RESOLVE_TURNS = 8 };

struct resolve_counts {
	uint64_t udp, tcp, words, answered, failed, refused, faulty, dropped, local;
};

struct resolve_stream;

struct resolve {
	struct front front; /* of the TCP clients */
	struct iterate_conf iterate;
	struct hints hints;
	struct local *local;
	struct jobs *jobs;
	struct pool *clients, *streams_pool;
	struct purses *waits;
	struct resolve_socket {
		struct resolve *resolve;
		struct udp *udp;
		struct addr local;
	} sockets[RESOLVE_SOCKETS];
	size_t n_sockets;
	struct resolve_stream *streams, **streams_end; /* silent the longest first */
	struct addr own[2 * RESOLVE_SOCKETS];
	struct net *nets;
	size_t nets_n;
	uint32_t turns[RESOLVE_TURNS];
	struct resolve_counts counts;
	uint64_t evicted;
	bool draining, streams_done;
	struct loop_task done;
	loop_fn *drained;
	void *drained_owner;
	const struct resolve_client *now; /* whose answer goes into *now_out, with its batch */
	struct wr *now_out;
	uint8_t frame[2 + DNS_TCP_MAX]; /* an answer as it is written */
};

/* A question that waits.  Exactly one of udp, stream and asker.role says where it came from. */
struct resolve_client {
	struct job_wait wait;
	struct resolve *resolve;
	struct purse_peer *purse;
	struct dns_query q;
	uint8_t question[DNAME_MAX + 4];
	struct udp *udp;
	struct addr peer, local;
	struct resolve_stream *stream;
	struct resolve_client *next, **link; /* of one stream */
	struct asker asker;
};

/*
 * A query of a client.  True: it was answered or dropped at once, and what is to be sent is in *out
 * (nothing: dropped).  False: *client waits, and is to be started by resolve_client_start() when it
 * is known where it came from.
 */
bool resolve_client_begin(struct resolve *, struct bytes packet, bool tcp, const struct addr *peer,
                          struct wr *out, struct resolve_client **client);
void resolve_client_start(struct resolve_client *);
void resolve_client_free(struct resolve_client *);
/* A question that waits, whose packet may go; NULL: too much is under way. */
struct resolve_client *resolve_client_new(struct resolve *, const struct dns_query *,
                                          const struct addr *peer);
/* From the hosts file, or since the name is special; false: it is to be asked. */
bool resolve_client_local(struct resolve *, struct bytes name, uint16_t type, struct arena *,
                          struct iterate_result *);

/* The answer, in at most the octets that the client takes; result NULL: too much is under way. */
void resolve_client_write(struct resolve *, const struct dns_query *, bool tcp,
                          const struct iterate_result *, struct wr *out);

/* A draining resolver is drained when nobody waits any more. */
void resolve_look_drained(struct resolve *);

/* ---- resolve_stream.c ---- */

struct pool *resolve_streams_pool(void);
void resolve_stream_accepted(void *owner, int fd, const struct addr *peer);
void resolve_stream_answer(struct resolve_client *, const struct iterate_result *);
void resolve_streams_close(struct resolve *);
void resolve_streams_drain(struct resolve *);

#endif
