/*
 * ftp.h - the driver of FTP sessions: auth says who it is, box opens files, dial connects, and data
 * goes over connections of this front.
 */
#ifndef SERVE_FTP_H
#define SERVE_FTP_H

#include "proto/ftp.h"
#include "serve/front.h"

struct ftp_serve;

enum {
	FTP_SESSIONS_MAX = 5000,  /* each may have three descriptors; below the role's limit */
	FTP_TRANSFERS_MAX = 2000, /* under way at once */
};

struct ftp_serve_conf {
	struct bytes host;           /* borrowed for its life, as the next */
	const struct net *plaintext; /* networks that may log in without TLS */
	size_t n_plaintext;
	bool announces;         /* PASV tells clients from elsewhere ... */
	uint8_t passive_ip[16]; /* ... this IPv4 address, and not the one that they reached */
	bool data_resumes;      /* data in TLS must resume its control connection's session */
};

MUST_CHECK struct err ftp_serve_open(struct ftp_serve **, const struct ftp_serve_conf *,
                                     struct loop *, struct random *, struct peers *);
void ftp_serve_close(struct ftp_serve *);
/* From now on, with all that is borrowed. */
void ftp_serve_settings(struct ftp_serve *, const struct ftp_serve_conf *);
/* As front_certificate(). */
MUST_CHECK struct err ftp_serve_certificate(struct ftp_serve *, struct bytes chain, uint32_t key);
/* As front_listen(); data: it is a port of the passive range. */
MUST_CHECK struct err ftp_serve_listen(struct ftp_serve *, int fd, bool data);
/* box went away, and knows the logins no more: their sessions end, behind what they move. */
void ftp_serve_box_gone(struct ftp_serve *);
/* Sessions end; those that move data finish it first. */
void ftp_serve_drain(struct ftp_serve *, loop_fn *drained, void *owner);
void ftp_serve_status(const struct ftp_serve *, struct wr *counters);

#endif
