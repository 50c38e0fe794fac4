/* ftp_listing.c - pages of rows become lines. */
#include "serve/ftp_listing.h"

#include "net/peers.h"
#include "proto/ftp_list.h"
#include "proto/ftp_path.h"

#include <stdlib.h>

enum { ASK_MS = 30 * 1000 };

static void
page_came(void *owner, struct err e, struct chan_word *w)
{
	struct ftp_listing *l = owner;
	struct talk_file_list_answer answer;

	l->asked = false;
	if (!is_ok(e) || !talk_file_list_answer_get(&w->body, &answer) || answer.code) {
		l->failed = true;
	} else if (answer.rows.n) {
		l->page = malloc(answer.rows.n);
		l->failed = !l->page;
	}
	if (!l->failed) {
		l->page_n = answer.rows.n;
		l->at = 0;
		l->cursor = answer.cursor;
		l->last = !answer.more;
		if (l->page_n)
			memcpy(l->page, answer.rows.p, l->page_n);
	}
	l->came(l->owner);
}

static void
ask_page(struct ftp_listing *l)
{
	const struct talk_file_list word = {
	    .handle = l->handle, .path = l->what->path, .cursor = l->cursor};
	struct chan *box = peers_chan(l->peers, ROLE_BOX, 0);

	free(l->page);
	l->page = NULL;
	l->page_n = l->at = 0;
	l->asked = box && is_ok(chan_ask(box, &l->ask, talk_file_list_out(&word), -1, ASK_MS,
	                                 page_came, l));
	l->failed = !l->asked;
}

/* The next row of the page; false at its end. */
static bool
next_row(struct ftp_listing *l, struct ftp_facts *f)
{
	struct rd r = rd_of((struct bytes){l->page + l->at, l->page_n - l->at});

	if (!rd_left(&r))
		return false;
	f->kind = rd_u8(&r) == FILE_FOLDER ? FTP_FOLDER : FTP_FILE;
	f->size = rd_u64(&r);
	f->modified_s = rd_u64(&r);
	f->name = rd_bytes8(&r);
	l->at = l->page_n - rd_left(&r);
	if (r.bad)
		l->at = l->page_n;
	return !r.bad;
}

bool
ftp_listing_init(struct ftp_listing *l, const struct ftp_transfer *what,
                 const struct ftp_facts *facts, struct peers *peers, struct talk_id handle,
                 uint64_t now_s, loop_fn *came, void *owner)
{
	*l = (struct ftp_listing){.what = what,
	                          .peers = peers,
	                          .handle = handle,
	                          .now_s = now_s,
	                          .came = came,
	                          .owner = owner};
	if (what->pattern.n && !ftp_glob_make(&l->glob, what->pattern))
		return false;
	if (facts->kind == FTP_FOLDER)
		return true;
	l->itself = *facts;
	l->itself.name = ftp_path_last(what->path);
	l->single = true;
	return what->act != FTP_MLSD && !what->pattern.n; /* they are for folders */
}

void
ftp_listing_fini(struct ftp_listing *l)
{
	chan_ask_stop(&l->ask);
	free(l->page);
	l->page = NULL;
}

enum ftp_text
ftp_listing_text(struct ftp_listing *l, struct wr *w)
{
	struct ftp_facts f;

	if (l->single) {
		ftp_row(w, l->what, &l->itself, true, l->now_s);
		return FTP_TEXT_END;
	}
	if (l->failed)
		return FTP_TEXT_FAILED;
	if (l->asked)
		return FTP_TEXT_WAIT;
	while (wr_room(w) >= FTP_ROW_MAX) {
		if (next_row(l, &f)) {
			if (!l->what->pattern.n || ftp_glob_match(&l->glob, f.name))
				ftp_row(w, l->what, &f, false, l->now_s);
		} else if (l->last) {
			return FTP_TEXT_END;
		} else {
			ask_page(l);
			return l->failed ? FTP_TEXT_FAILED : FTP_TEXT_WAIT;
		}
	}
	return FTP_TEXT_MORE;
}
