/*
 * ftp_list.h - a line about a file, in the forms of LIST, NLST and MLSD (RFC 3659 7).
 */
#ifndef PROTO_FTP_LIST_H
#define PROTO_FTP_LIST_H

#include "proto/ftp.h"

enum ftp_fact {
	FTP_FACT_TYPE = 1,
	FTP_FACT_SIZE = 2,
	FTP_FACT_MODIFY = 4,
	FTP_FACT_PERM = 8,
	FTP_FACTS_ALL = 15,
};
enum { FTP_ROW_MAX = 4608 }; /* octets of a line */

/*
 * One line with its CRLF.  itself: it is what was asked for, and not in it.  now_s: LIST tells the
 * time of day of what is younger than half a year, else the year; all in UTC.
 */
void ftp_row(struct wr *, const struct ftp_transfer *, const struct ftp_facts *, bool itself,
             uint64_t now_s);
/* "type=file;size=3;": those of the mask that this kind has; `root`: it cannot be removed. */
void ftp_facts_put(struct wr *, const struct ftp_facts *, unsigned mask, bool root);
/* "20240131120000" (RFC 3659 2.3). */
void ftp_time_put(struct wr *, uint64_t s);
/* The names of facts in the order of their bits; NULL behind the last. */
extern const char *const ftp_fact_names[];

#endif
