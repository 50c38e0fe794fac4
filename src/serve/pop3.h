/*
 * pop3.h - the driver of POP3 sessions: auth says who it is, box gives the maildrop, and keeps what
 * QUIT removes.
 */
#ifndef SERVE_POP3_H
#define SERVE_POP3_H

#include "proto/pop3.h"
#include "serve/front.h"

struct pop3_serve;

struct pop3_serve_conf {
	struct bytes host;           /* borrowed for its life, as the next */
	const struct net *plaintext; /* networks that may log in without TLS */
	size_t n_plaintext;
};

MUST_CHECK struct err pop3_serve_open(struct pop3_serve **, const struct pop3_serve_conf *,
                                      struct loop *, struct random *, struct peers *);
void pop3_serve_close(struct pop3_serve *);
/* As front_certificate() and front_listen(); tls_now: TLS from the first byte. */
MUST_CHECK struct err pop3_serve_certificate(struct pop3_serve *, struct bytes chain, uint32_t key);
MUST_CHECK struct err pop3_serve_listen(struct pop3_serve *, int fd, bool tls_now);
/* Networks that may log in without TLS, for sessions from now on; borrowed for its life. */
void pop3_serve_plaintext(struct pop3_serve *, const struct net *, size_t n);
/* Sessions end; those that wait for an update are finished first. */
void pop3_serve_drain(struct pop3_serve *, loop_fn *drained, void *owner);
void pop3_serve_status(const struct pop3_serve *, struct wr *counters);

#endif
