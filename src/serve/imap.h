/*
 * imap.h - the driver of IMAP sessions: auth says who it is, box has the mailboxes; which numbers
 * a client knows is kept here (view/selected.h).
 */
#ifndef SERVE_IMAP_H
#define SERVE_IMAP_H

#include "proto/imap.h"
#include "serve/front.h"

struct imap_serve;

struct imap_serve_conf {
	struct bytes host;           /* borrowed for its life, as the next */
	const struct net *plaintext; /* networks that may log in without TLS */
	size_t n_plaintext;
	uint64_t size_max; /* octets of a message that is appended */
};

MUST_CHECK struct err imap_serve_open(struct imap_serve **, const struct imap_serve_conf *,
                                      struct loop *, struct random *, struct peers *);
void imap_serve_close(struct imap_serve *);
/* As front_certificate() and front_listen(); tls_now: TLS from the first byte. */
MUST_CHECK struct err imap_serve_certificate(struct imap_serve *, struct bytes chain, uint32_t key);
MUST_CHECK struct err imap_serve_listen(struct imap_serve *, int fd, bool tls_now);
/* What may change while it runs, for sessions from now on; borrowed as in the conf. */
void imap_serve_settings(struct imap_serve *, const struct net *plaintext, size_t n,
                         uint64_t size_max);
/* box tells that a mailbox has changed. */
void imap_serve_word(struct imap_serve *, struct chan_word *);
/* box went away, and with it what the logins have opened: those sessions end. */
void imap_serve_box_gone(struct imap_serve *);
/* Sessions end; what is being done for one is finished first. */
void imap_serve_drain(struct imap_serve *, loop_fn *drained, void *owner);
void imap_serve_status(const struct imap_serve *, struct wr *counters);

#endif
