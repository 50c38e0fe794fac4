/*
 * ftp_listing.h - a folder's entries as lines, fetched from box page by page: one page is held, and
 * the next is asked for when its lines were written (attack 134).
 */
#ifndef SERVE_FTP_LISTING_H
#define SERVE_FTP_LISTING_H

#include "net/chan.h"
#include "proto/ftp.h"
#include "proto/ftp_glob.h"
#include "serve/ftp_data.h"

struct ftp_listing {
	const struct ftp_transfer *what; /* borrowed as long as it lasts, as the next */
	struct peers *peers;
	struct talk_id handle;
	struct ftp_facts itself; /* what was asked for is a file: its only line */
	bool single;
	struct ftp_glob glob;
	struct chan_ask ask;
	uint8_t *page; /* rows that came; at: how far they were written */
	size_t page_n, at;
	uint64_t cursor, now_s;
	bool asked, last, failed;
	loop_fn *came; /* a page did, or failed to */
	void *owner;
};

/* `facts`: of the path, as box has told.  False: a listing of it cannot be. */
bool ftp_listing_init(struct ftp_listing *, const struct ftp_transfer *, const struct ftp_facts *,
                      struct peers *, struct talk_id handle, uint64_t now_s, loop_fn *came,
                      void *owner);
void ftp_listing_fini(struct ftp_listing *); /* also one that is zeroed */
/* Lines as long as there is room: a ftp_data_text whose WAIT ends with came(). */
enum ftp_text ftp_listing_text(struct ftp_listing *, struct wr *);

#endif
