/*
 * smtp.h - the driver of SMTP and submission sessions: auth says who logs in, MAIL and RCPT are
 * answered from the directory image, a message is kept until it is whole, and 250 is said when box
 * has it durably.
 */
#ifndef SERVE_SMTP_H
#define SERVE_SMTP_H

#include "proto/smtp.h"
#include "serve/front.h"

struct smtp_serve;

struct smtp_serve_conf {
	struct bytes host; /* borrowed for its life */
	uint64_t size_max;
	uint32_t rcpt_max;
	struct smtp_networks {
		const struct net *plaintext; /* may log in without TLS; borrowed for its life */
		const struct net *relay;     /* may send to everywhere without a login */
		size_t n_plaintext, n_relay;
	} networks;
};

MUST_CHECK struct err smtp_serve_open(struct smtp_serve **, const struct smtp_serve_conf *,
                                      struct loop *, struct random *, struct peers *);
void smtp_serve_close(struct smtp_serve *);
/* As front_certificate() and front_listen(). */
MUST_CHECK struct err smtp_serve_certificate(struct smtp_serve *, struct bytes chain, uint32_t key);
MUST_CHECK struct err smtp_serve_listen(struct smtp_serve *, int fd);
/* A listener of submission; tls_now: TLS from the first byte. */
MUST_CHECK struct err smtp_serve_listen_submission(struct smtp_serve *, int fd, bool tls_now);
/* For messages that begin from now on. */
void smtp_serve_limits(struct smtp_serve *, uint64_t size_max, uint32_t rcpt_max);
/* For sessions from now on. */
void smtp_serve_networks(struct smtp_serve *, const struct smtp_networks *);
/* A new directory image; fd stays the caller's.  Answers: ERR_DENIED, ERR_SYNTAX it is none. */
MUST_CHECK struct err smtp_serve_directory(struct smtp_serve *, int fd);
/* box is there again: what waits for it is handed in anew. */
void smtp_serve_box_came(struct smtp_serve *);
/* Idle sessions are told 421, those that wait for box are finished first. */
void smtp_serve_drain(struct smtp_serve *, loop_fn *drained, void *owner);
void smtp_serve_status(const struct smtp_serve *, struct wr *counters);

#endif
