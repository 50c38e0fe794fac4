/*
 * ftp.h - the server side of an FTP control connection (RFC 959, 1123, 2228, 2389, 2428, 2640, 3659,
 * 4217) as a machine without a socket.
 *
 * It knows who is logged in, where the session stands and how data is to be sent; files and data
 * connections are the driver's, who is asked.  One question is open at a time, and what comes
 * behind it is not eaten; but while a transfer runs the machine still looks for ABOR and STAT.
 * Nothing that a client names is executed, and every path is made absolute here, below the root of
 * its account: the driver hands it to who opens files as it is.
 */
#ifndef PROTO_FTP_H
#define PROTO_FTP_H

#include "base/addr.h"
#include "base/bytes.h"

enum {
	FTP_LINE_MAX = 4096,  /* a command line with its CRLF */
	FTP_PATH_MAX = 4095,  /* octets of an absolute path */
	FTP_REPLY_MAX = 9216, /* the room that one step needs in `out`: a path, all of it doubled */
	FTP_USER_MAX = 254,   /* octets of a user's name */
	FTP_SECRET_MAX = 1024, /* octets of a password (attack 95) */
	FTP_ERRORS_MAX = 50,   /* lines in a row that are no command, then the session ends */
	FTP_EARLY_MAX = 50,    /* commands before a login, then the session ends */
	FTP_LOGINS_MAX = 3,    /* refused logins, then the session ends */
	FTP_PORT_MIN = 1024,   /* that PORT may name (RFC 2577 3, attack 131) */
};

enum ftp_want {
	FTP_INPUT, /* more octets in `in` */
	FTP_ROOM,  /* FTP_REPLY_MAX octets of room in `out`: send, then step again */
	/* questions: ftp_answer() before the next step */
	FTP_LOGIN,    /* is it he? ftp_user(), ftp_secret() */
	FTP_LOOK,     /* what is at ftp_path()? ftp_found(), or an answer that is not FTP_OK */
	FTP_CHANGE,   /* ftp_change() it, durably */
	FTP_PASSIVE,  /* await a data connection: ftp_awaited(), or an answer that is not FTP_OK */
	FTP_SHOW,     /* STAT with a path: the driver writes ftp_transfer()'s lines to `out` */
	FTP_TRANSFER, /* ftp_transfer(): step again whenever input comes, until it is answered */
	/* during FTP_TRANSFER */
	FTP_ABORT, /* end the transfer, then answer it; what was written counts for nothing */
	/* ends */
	FTP_TLS,   /* send `out`, drop all that was read, do the handshake, ftp_tls_done() */
	FTP_CLOSE, /* send `out` and close */
};

enum ftp_answer {
	FTP_OK,
	FTP_BAD,       /* LOGIN: wrong name or password, one answer for both: 530 */
	FTP_TEMP,      /* not now: 450, 451, or 421 behind a login that cannot be checked */
	FTP_NOTFOUND,  /* 550 */
	FTP_EXISTS,    /* 550, 553: something is there already, or a folder is not empty */
	FTP_DENIED,    /* 550, 553 */
	FTP_NAME,      /* 501, 553: no name that there could be */
	FTP_RANGE,     /* 554: REST behind the end (RFC 3659 5.3) */
	FTP_FULL,      /* 452: no space */
	FTP_NO_DATA,   /* PASSIVE: 425 no port is free; TRANSFER: 425 no data connection came */
	FTP_CUT,       /* TRANSFER: 426 the data connection broke, stalled, or we aborted */
	FTP_NOT_BOUND, /* TRANSFER: 522 TLS without the control connection's session (attack 133) */
	FTP_NO_TLS,    /* TRANSFER: 522 the handshake failed */
	FTP_BUSY,      /* TRANSFER: 450 too many transfers */
};

/* What sessions of one listener share; borrowed until the last of them is freed. */
struct ftp_conf {
	struct bytes host; /* our name in the greeting */
	bool tls;          /* there is a certificate */
};

struct ftp_peer {
	uint8_t ip[16];  /* the client's: the only one that data goes to */
	bool plaintext;  /* a password may come outside TLS from there (RFC 8314 3.3, attack 92) */
	uint64_t unique; /* any number that is not likely to be drawn again, for STOU */
};

struct ftp;

/* A session; NULL when out of memory. */
struct ftp *ftp_new(const struct ftp_conf *, const struct ftp_peer *);
void ftp_free(struct ftp *);

enum ftp_want ftp_step(struct ftp *, struct rd *in, struct wr *out);
void ftp_answer(struct ftp *, enum ftp_answer);
/* The handshake is done: nothing of before is known (RFC 4217 4, attack 84). */
void ftp_tls_done(struct ftp *);
/* We are going down: once no question is open a step says 421 and wants FTP_CLOSE. */
void ftp_end(struct ftp *);
/* As ftp_end(), for one that was idle for too long. */
void ftp_idle(struct ftp *);

/* While FTP_LOGIN is open. */
struct bytes ftp_user(const struct ftp *); /* valid until the next USER or the end */
struct bytes ftp_secret(const struct ftp *);

/* While FTP_LOOK or FTP_CHANGE is open: absolute, without "." and ".."; "/" is the root. */
struct bytes ftp_path(const struct ftp *);

enum ftp_kind { FTP_FILE = 1, FTP_FOLDER };

struct ftp_facts {
	enum ftp_kind kind;
	uint64_t size, modified_s;
	struct bytes name;
};
/* Answers FTP_LOOK. */
void ftp_found(struct ftp *, const struct ftp_facts *);

enum ftp_change { FTP_MAKE_FOLDER = 1, FTP_REMOVE_FOLDER, FTP_REMOVE, FTP_RENAME };
enum ftp_change ftp_change(const struct ftp *);
struct bytes ftp_target(const struct ftp *); /* of a rename */

/* Answers FTP_PASSIVE: where it is awaited; EPSV tells the port alone. */
void ftp_awaited(struct ftp *, const struct addr *);

enum ftp_act { FTP_RETR = 1, FTP_STOR, FTP_APPE, FTP_LIST, FTP_NLST, FTP_MLSD };

/* While FTP_TRANSFER or FTP_SHOW is open; borrowed until it is answered. */
struct ftp_transfer {
	enum ftp_act act;
	struct bytes path;
	struct bytes pattern; /* LIST, NLST: for ftp_glob.h; empty: all */
	struct bytes given;   /* NLST: how the client named it */
	uint64_t offset;      /* RETR, STOR: REST */
	unsigned facts;       /* MLSD: enum ftp_fact bits (ftp_list.h) */
	bool ascii;           /* LF is CRLF on the way */
	bool tls;             /* PROT P */
	bool active;          /* connect to `to`; else the passive one comes */
	struct addr to;
};
const struct ftp_transfer *ftp_transfer(const struct ftp *);
/* The file is there: the next step says 150; size: RETR's, 0 where it is not known. */
void ftp_begins(struct ftp *, uint64_t size);
/* So many octets have moved, for STAT. */
void ftp_moved(struct ftp *, uint64_t octets);

bool ftp_is_tls(const struct ftp *);

#endif
