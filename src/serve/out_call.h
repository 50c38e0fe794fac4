/*
 * out_call.h - one connection with a mail server: dialled, put into TLS where it is offered, spoken
 * over by proto/smtpc for one message after the other.
 */
#ifndef SERVE_OUT_CALL_H
#define SERVE_OUT_CALL_H

#include "net/peers.h"
#include "policy/route.h"
#include "proto/smtpc.h"
#include "serve/out_body.h"

struct out_call;
struct tls_client;

struct out_place {
	struct addr addr;
	uint8_t name_n;
	uint8_t name[ROUTE_NAME_MAX]; /* of the host, or an address in brackets */
};

enum out_end {
	OUT_UNREACHED, /* no connection: number tells why; EAGAIN: we are at fault ourselves */
	OUT_NO_TLS,    /* the handshake failed; the message was not spoken of */
	OUT_SPOKEN,    /* smtpc_result() of its recipients is borrowed until this returns */
};

struct out_call_env {
	struct loop *loop;
	struct peers *peers;
	struct tls_client *tls;
	struct bytes host;
	/*
	 * Of a message that was given to a call, once.  The call must not be freed in it; it is on
	 * its way to rest, or to its end, and knows the message's owner no more.
	 */
	void (*over)(void *owner, struct out_call *, enum out_end, int number);
	/* It waits for another message, out_call_quit() or its end. */
	void (*rests)(void *whole, struct out_call *);
	/* It has ended, and is freed behind this. */
	void (*gone)(void *whole, struct out_call *);
	void *whole;
	size_t *opening; /* of all calls, those whose message waits for the reply to MAIL */
};

/* Begins it with its first message; env outlives it, all else but the place until over(). */
MUST_CHECK struct err out_call_new(struct out_call **, const struct out_call_env *,
                                   const struct out_place *, bool tls, const struct smtpc_message *,
                                   const struct out_body *, void *owner);
/* Without over() and gone(); NULL does nothing. */
void out_call_free(struct out_call *);

/* To one that rests.  A fault: as it was. */
MUST_CHECK struct err out_call_send(struct out_call *, const struct smtpc_message *,
                                    const struct out_body *, void *owner);
/* To one that rests: takes leave, then gone(). */
void out_call_quit(struct out_call *);
/* The message's time is over: over() comes from the loop. */
void out_call_stop(struct out_call *, const char *why);

bool out_call_is_open(const struct out_call *); /* of one that rests: it has not ended meanwhile */
const struct smtpc *out_call_smtpc(const struct out_call *);
const struct out_place *out_call_place(const struct out_call *);
/* What the message under way, or the last one, waited until MAIL was accepted; or waits yet. */
uint64_t out_call_opened_ms(const struct out_call *);
unsigned out_call_messages(const struct out_call *); /* that were given to it */

#endif
