/*
 * conn_parts.h - what conn.c and conn_io.c share: the connection itself.  For these two only.
 *
 * Invariants:
 * 1. turn() is called from the loop only, never from within a conn_ function.
 * 2. in.n <= in_max, out.n <= out_max; bytes wait in `raw` or TLS (`more`) only while `in` is full,
 *    and nothing is read meanwhile.
 * 3. Between conn_starttls() and the handshake nothing is read, and `in` is empty (attacks 84, 85).
 * 4. Once `stage` is not CONN_TALKING the owner hears of CONN_DONE only.
 * 5. What the purse was charged is CONN_OWN, CONN_OWN_TLS in TLS, and `charged`; all is refunded.
 */
#ifndef NET_CONN_PARTS_H
#define NET_CONN_PARTS_H

#include "base/buf.h"
#include "net/conn.h"

enum { CONN_CHUNK = 16 * 1024 }; /* of one TLS record; plain bytes given to TLS at once */

enum conn_stage { CONN_TALKING, CONN_FLUSHING, CONN_LINGERING, CONN_FINISHED };

struct conn {
	struct loop *loop;
	struct loop_poll *poll;
	struct loop_task task;
	struct loop_timer timer;
	uint64_t armed_at; /* what the timer is set to */
	struct conn_conf conf;
	int fd;
	conn_turn *turn;
	void *owner;
	enum conn_state state;
	enum conn_stage stage;
	struct err why;
	struct tls *tls;
	bool starttls; /* TLS begins when what was written has left */
	bool held, news, freed;
	bool more;     /* TLS has plain bytes that wait for room in `in` */
	unsigned busy; /* callbacks that are running: freed behind the last one */
	struct buf in, out, raw;
	size_t need;             /* what conn_room() had to refuse last; 0: nothing */
	size_t charged, dropped; /* dropped: octets while CONN_LINGERING */
	struct conn_counts counts;

	enum conn_late late;
	uint32_t idle_ms, rate;
	uint64_t last_ms;  /* when a byte last came or left */
	uint64_t until_at; /* these four: 0 for none */
	uint64_t limit_at; /* of the handshake, of conn_finish() */
	uint64_t purse_at; /* when to look at an empty purse again */
	uint64_t window_at;
	uint64_t window_bytes;
	bool forgiven;
};

/* How much the purse allows still. */
size_t conn_purse_room(const struct conn *);
/* Makes `charged` what the buffers hold; room in the purse was looked at before they grew. */
void conn_purse_settle(struct conn *);

void conn_finished(struct conn *);
void conn_broke(struct conn *, struct err why);
void conn_begin_tls(struct conn *);

/* How many bytes may be read now. */
size_t conn_read_room(struct conn *);
void conn_read(struct conn *);
/* May bytes that wait for room in `in` go there now? */
bool conn_may_feed(const struct conn *);
void conn_feed(struct conn *);
void conn_flush(struct conn *);

#endif
