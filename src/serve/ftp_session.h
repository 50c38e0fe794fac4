/*
 * ftp_session.h - what the files of the FTP driver share: a session, and the transfer that it may
 * have under way.  Only serve/ftp*.c include it.
 */
#ifndef SERVE_FTP_SESSION_H
#define SERVE_FTP_SESSION_H

#include "serve/ftp.h"
#include "serve/ftp_data.h"
#include "serve/ftp_listing.h"
#include "serve/ftp_ports.h"
#include "serve/login.h"

/* A transfer asks box for the file, says 150, gets its connection, moves, and is settled. */
enum { FTP_IDLE_MS = 600 * 1000 }; /* of a control connection; in a transfer: with replies unsent */

enum ftp_move_stage {
	FTP_MOVE_NONE,
	FTP_MOVE_ASKING,  /* box, for the file or what is there */
	FTP_MOVE_SAYING,  /* 150 is to be written */
	FTP_MOVE_DIALING, /* dial, for a connection */
	FTP_MOVE_AWAITING,
	FTP_MOVE_MOVING,
	FTP_MOVE_SETTLING, /* box makes it durable */
};

struct ftp_move {
	enum ftp_move_stage stage;
	bool shows;   /* it is STAT's: lines on the control connection */
	bool stopped; /* ABOR came while box was asked: its answer is waited for, and dropped */
	struct chan_ask ask;
	struct loop_timer timer;
	struct ftp_data *data;
	struct ftp_listing listing;
	int file;
	uint32_t token;  /* of an upload; 0: none */
	uint64_t octets; /* that have moved, when it is over */
	uint64_t began_ms;
	size_t charged;
};

struct ftp_session {
	struct front_session front; /* the first */
	struct ftp_serve *serve;
	struct ftp *ftp;
	struct login login;
	struct addr local; /* what the client reached */
	struct chan_ask ask;
	bool waiting, closing, stopped;
	struct loop_task again; /* turn() */
	struct ftp_await await;
	struct ftp_move move;
};

struct ftp_serve {
	struct front front;
	struct front_port port;
	struct ftp_conf conf[2]; /* of sessions without and with a certificate */
	struct ftp_serve_conf given;
	struct ftp_ports *ports;
	struct ftp_datas datas;
	size_t moving;
	uint64_t logins, refused, sent, received, listed, failed, not_bound;
	uint64_t octets_sent, octets_received;
};

/* The session looks again, from the loop. */
void ftp_session_again(struct ftp_session *);
/* What an answer of box means for the machine. */
enum ftp_answer ftp_answer_of(const struct ftp_session *, uint8_t code);

/* FTP_TRANSFER, or FTP_SHOW: begins it.  It answers the machine when it is over. */
void ftp_move_begin(struct ftp_session *, bool shows);
/* The machine was stepped, and its question is open still. */
void ftp_move_on(struct ftp_session *);
/* FTP_ABORT. */
void ftp_move_stop(struct ftp_session *);
/* The session ends: nothing is answered any more. */
void ftp_move_drop(struct ftp_session *);
/* Is there one, of which the machine is to be told? */
static inline bool
ftp_moves(const struct ftp_session *s)
{
	return s->move.stage != FTP_MOVE_NONE;
}

#endif
