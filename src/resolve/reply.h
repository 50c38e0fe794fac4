/*
 * reply.h - what a name server's reply says to the question that it was asked, and nothing that it
 * was not asked: the one place where bailiwick is judged.
 *
 * Of a reply is taken: records of the name that was asked, of the type that was asked or its CNAME;
 * the SOA of a negative answer; or a referral, strictly downward and toward the name, with the
 * addresses of its servers that lie in the zone of who answers.  The rest is dropped: what follows a
 * CNAME is asked for anew, NS records beside an answer and additional data of an answer are not
 * looked at (attacks 24, 25; RFC 2181 5.4.1, RFC 5452).
 */
#ifndef RESOLVE_REPLY_H
#define RESOLVE_REPLY_H

#include "base/arena.h"
#include "dns/msg.h"

enum {
	REPLY_SERVERS = 20, /* of a referral: those behind them are dropped (attack 22) */
	REPLY_GLUE = 64,    /* addresses of one referral */
};

enum reply_kind {
	REPLY_ANSWER,
	REPLY_CNAME,
	REPLY_REFERRAL,
	REPLY_NODATA,
	REPLY_NXDOMAIN,
	REPLY_TRUNCATED, /* to be asked over TCP */
	REPLY_NO_EDNS,   /* to be asked without EDNS (RFC 6891 7) */
	REPLY_LAME,      /* of a server that does not serve the zone */
	REPLY_REFUSED,   /* REFUSED, SERVFAIL and all other codes */
	REPLY_TOO_LARGE, /* its set passes the limits of cache.h */
	REPLY_BROKEN,    /* not a message */
};

struct reply_set {
	struct bytes owner;
	uint16_t type, n;
	uint32_t ttl;
	struct bytes records; /* as in cache.h */
};

struct reply_question {
	struct bytes zone; /* which the server was asked as one of */
	struct bytes name;
	uint16_t type, id;
	bool edns, tcp;
};

struct reply {
	enum reply_kind kind;
	uint16_t flags;
	uint8_t rcode;
	struct reply_set set; /* the answer, the CNAME, or the NS set of a referral */
	struct reply_set soa; /* of a negative answer; n 0: there was none that counts */
	struct reply_set glue[REPLY_GLUE];
	size_t glue_n;
	uint16_t dropped;      /* records that were not taken */
	uint16_t glue_dropped; /* of which addresses out of the server's bailiwick */
};

/*
 * May it answer this question: a reply, this id, and the question as it was asked?  What is not is
 * as if it had not come (RFC 5452 9.1).
 */
bool reply_fits(const struct reply_question *, struct bytes packet);
/* For a packet that fits; all of *out lives in the arena.  ERR_MEMORY: the arena is full. */
MUST_CHECK struct err reply_read(struct reply *out, const struct reply_question *,
                                 struct bytes packet, struct arena *);

/* May a server of this zone speak about this name? */
bool reply_in_bailiwick(struct bytes name, struct bytes zone);

#endif
