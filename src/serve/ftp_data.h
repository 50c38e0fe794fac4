/*
 * ftp_data.h - a data connection, from the moment that it is there until all has moved.
 *
 * A file that goes as it is over a plain connection is sent by the kernel; all else, in TLS or with
 * other line ends, by way of net/conn.  In TLS we are the server, also where we connected (RFC 4217
 * 7), and the client must have resumed the session of its control connection (attack 133).  What
 * ends without TLS's close_notify was cut: it counts as broken (attack 89).
 */
#ifndef SERVE_FTP_DATA_H
#define SERVE_FTP_DATA_H

#include "net/conn.h"

enum ftp_data_end {
	FTP_DATA_DONE,
	FTP_DATA_CUT, /* broken, stalled, or ended without close_notify */
	FTP_DATA_NO_TLS,
	FTP_DATA_NOT_BOUND,
	FTP_DATA_FULL,   /* the disk took no more */
	FTP_DATA_FAILED, /* it could not be read or written */
};

/* Once, from the loop.  The data connection may be freed in it, and is to be freed then. */
typedef void ftp_data_done(void *owner, enum ftp_data_end);

enum ftp_text { FTP_TEXT_MORE, FTP_TEXT_WAIT, FTP_TEXT_END, FTP_TEXT_FAILED };
/*
 * Writes lines as long as there is room.  MORE: call again.  WAIT: ftp_data_more() will be said.
 */
typedef enum ftp_text ftp_data_text(void *owner, struct wr *);

enum ftp_data_job { FTP_DATA_SEND, FTP_DATA_TAKE, FTP_DATA_TEXT };

enum {
	FTP_DATA_BUFFER = 128 * 1024,   /* in each direction; an open one costs up to this ... */
	FTP_DATA_OWN = 160 * 1024,      /* ... with TLS: what a session's purse is charged */
	FTP_DATA_TEXT_ROOM = 16 * 1024, /* that text() gets at least */
	FTP_DATA_STALL_MS = 60 * 1000,  /* without an octet moving */
};

struct ftp_data_conf {
	struct addr peer;
	struct tls_server *tls;    /* NULL: plain */
	const struct tls *control; /* with tls: the control connection's, which outlives this */
	bool bound;                /* must be of its session */
	enum ftp_data_job job;
	int file;    /* SEND, TAKE; stays the caller's, as long as the connection */
	uint64_t at; /* SEND: from this octet on */
	bool ascii;  /* LF is CRLF on the way */
	ftp_data_text *text;
	ftp_data_done *done;
	void *owner;
};

struct ftp_data;

/* What all of one front share; those that are over and still say goodbye stay in it. */
struct ftp_datas {
	struct loop *loop;
	struct ftp_data *first;
	uint8_t *room; /* what one read from a client may bring */
};
MUST_CHECK struct err ftp_datas_init(struct ftp_datas *, struct loop *);
void ftp_datas_fini(struct ftp_datas *); /* cuts all that are left */

/* fd is taken over, also when this fails. */
MUST_CHECK struct err ftp_data_open(struct ftp_data **, struct ftp_datas *, int fd,
                                    const struct ftp_data_conf *);
/* Cuts it, unless it is done: then it ends in its own time.  NULL does nothing. */
void ftp_data_free(struct ftp_data *);
void ftp_data_more(struct ftp_data *);
/* Octets of the file or text. */
uint64_t ftp_data_moved(const struct ftp_data *);

#endif
