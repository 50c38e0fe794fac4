/*
 * ftp_session.h - the state of an FTP session and the few acts that its verbs and its answers share.
 * Only ftp*.c include it; everybody else knows ftp.h.
 */
#ifndef PROTO_FTP_SESSION_H
#define PROTO_FTP_SESSION_H

#include "proto/ftp.h"

enum ftp_state {
	FTP_START,
	FTP_NAMED, /* USER was said */
	FTP_IN,
	FTP_AT_END,
};

enum { FTP_GO_ON = -1 }; /* beside the wants: look at what comes next */

/* For whom FTP_LOOK looks. */
enum ftp_looking { FTP_FOR_CWD, FTP_FOR_SIZE, FTP_FOR_MDTM, FTP_FOR_MLST, FTP_FOR_RNFR };

/* Owned bytes; without any there is no memory. */
struct ftp_text {
	uint8_t *p;
	size_t n;
};

struct ftp {
	const struct ftp_conf *conf;
	struct ftp_peer peer;
	struct ftp_text user, secret;
	struct ftp_text cwd;            /* empty: the root */
	struct ftp_text path, target;   /* of the open question */
	struct ftp_text pattern, given; /* the same */
	struct ftp_text from;           /* RNFR's, until the next command */
	struct ftp_transfer transfer;
	struct addr to;                   /* PORT's; its port is 0 when there is none */
	struct ftp_facts found;           /* FTP_LOOK's answer, without the name */
	struct addr at;                   /* FTP_PASSIVE's */
	uint64_t rest, moved, size, made; /* made: names of STOU */
	enum ftp_state state;
	enum ftp_want open; /* the question that waits for an answer, or FTP_INPUT */
	enum ftp_answer answer;
	enum ftp_looking looking;
	enum ftp_change change;
	uint8_t errors, early, logins, facts;
	bool answered, greeted, ending, idle;
	bool tls, pbsz, protect; /* protect: PROT P */
	bool image;              /* TYPE I, else A */
	bool epsv_all, extended; /* extended: FTP_PASSIVE is for EPSV */
	bool passive;            /* a data connection is awaited, or there */
	bool begins, begun;      /* of a transfer: 150 is to be said, was said */
	bool aborted;            /* ABOR came during it */
	bool named;              /* STOU: 150 tells the name */
};
_Static_assert(sizeof(struct ftp) <= 640, "an idle session is small");

/* A reply line; returns FTP_GO_ON. */
int ftp_reply(struct wr *, const char *text);
int ftp_leave(struct ftp *, struct wr *, const char *text);
/* A refusal of what is no command: a peer that only errs is sent away. */
int ftp_refuse(struct ftp *, struct wr *, const char *text);
int ftp_ask(struct ftp *, enum ftp_want question);
/* Puts a copy in the place of what was there; false without memory. */
bool ftp_keep(struct ftp_text *, struct bytes);
void ftp_drop(struct ftp_text *);
struct bytes ftp_text(const struct ftp_text *);
/* Nobody is logged in, and nothing is left of who was. */
void ftp_restart(struct ftp *);

enum ftp_line {
	FTP_LINE_MORE, /* no whole line yet */
	FTP_LINE_GOOD, /* taken, and written to `line` without Telnet's commands and CRLF */
	FTP_LINE_BARE, /* a CR, LF or NUL that ends no line: nothing taken */
	FTP_LINE_LONG, /* longer than FTP_LINE_MAX: nothing taken */
	FTP_LINE_ALIEN,
};
enum ftp_line ftp_line(struct rd *, struct wr *line);

/* One command line. */
int ftp_verb(struct ftp *, struct bytes line, struct wr *);
/* STAT without an argument: how the session stands (RFC 959 4.1.3). */
int ftp_status(struct ftp *, struct wr *);

/* What settles a question: the reply that its answer calls for. */
int ftp_settle(struct ftp *, struct wr *);

/* The verbs that name files: ftp_names.c. */
int ftp_do_cwd(void *, struct bytes, struct wr *);
int ftp_do_cdup(void *, struct bytes, struct wr *);
int ftp_do_pwd(void *, struct bytes, struct wr *);
int ftp_do_size(void *, struct bytes, struct wr *);
int ftp_do_mdtm(void *, struct bytes, struct wr *);
int ftp_do_mlst(void *, struct bytes, struct wr *);
int ftp_do_rnfr(void *, struct bytes, struct wr *);
int ftp_do_rnto(void *, struct bytes, struct wr *);
int ftp_do_dele(void *, struct bytes, struct wr *);
int ftp_do_mkd(void *, struct bytes, struct wr *);
int ftp_do_rmd(void *, struct bytes, struct wr *);
int ftp_do_stat(void *, struct bytes, struct wr *);

/* The verbs of data connections and what goes over them: ftp_data.c. */
int ftp_do_port(void *, struct bytes, struct wr *);
int ftp_do_eprt(void *, struct bytes, struct wr *);
int ftp_do_pasv(void *, struct bytes, struct wr *);
int ftp_do_epsv(void *, struct bytes, struct wr *);
int ftp_do_rest(void *, struct bytes, struct wr *);
int ftp_do_retr(void *, struct bytes, struct wr *);
int ftp_do_stor(void *, struct bytes, struct wr *);
int ftp_do_appe(void *, struct bytes, struct wr *);
int ftp_do_stou(void *, struct bytes, struct wr *);
int ftp_do_list(void *, struct bytes, struct wr *);
int ftp_do_nlst(void *, struct bytes, struct wr *);
int ftp_do_mlsd(void *, struct bytes, struct wr *);
/* Fills transfer.path, pattern and given from an argument of LIST; false when a reply was written. */
bool ftp_listed(struct ftp *, struct bytes args, bool patterns, struct wr *);

#endif
