/*
 * imap_work.h - what an IMAP session holds beside itself: for the command that is under way, and of
 * the mailbox that is selected.  Only imap*.c here include it.
 */
#ifndef SERVE_IMAP_WORK_H
#define SERVE_IMAP_WORK_H

#include "base/buf.h"
#include "mail/structure.h"
#include "mail/summary.h"
#include "proto/imap.h"
#include "serve/body.h"
#include "view/selected.h"

enum {
	IMAP_PAGE_MAX = 61440,      /* of rows, as one answer brings them */
	IMAP_CHUNK = 48 * 1024,     /* of a message, for one word */
	IMAP_RANGES_WORD = 4096,    /* ranges in one word */
	IMAP_WORK_OWN = 128 * 1024, /* charged while a command has work: a page and a chunk */
	IMAP_OWN_CHANGES = 8,       /* of this session that are not told to it again */
};

/* What a command needs until its tagged answer. */
struct imap_work {
	struct buf page; /* rows or folders of box's last answer */
	struct rd at;    /* what of them is left */
	bool more;       /* box has others behind them */
	uint32_t after;  /* the last of them */

	struct uid_range *set; /* the UIDs that are meant */
	size_t set_n, set_at;

	/* IMAP_SYNC: what box has told and the client was not */
	struct imap_news_held {
		bool learned; /* it is being told */
		bool more;    /* box has more of it */
		bool held;    /* row had no room */
		struct buf page;
		struct rd at;
		struct message_row row;
	} news;

	/* FETCH: the row that was given last */
	bool has_row, has_tree;
	bool parsed; /* the tree was made from the message, to its end */
	struct message_row row;
	struct summary summary;
	struct mime tree;
	struct buf texts; /* envelope and structures as they are shown */
	size_t envelope_n, bodytext_n;
	uint64_t seen_modseq; /* of the first \Seen that this FETCH has set, 0: none */
	size_t tree_charged;

	struct buf chunk; /* of the message, from chunk_at on */
	uint32_t chunk_uid;
	uint64_t chunk_at, read_to;

	/* APPEND */
	struct body body;
	struct summary_scan scan;
	bool begun; /* body and scan are in use */
	bool comes; /* more octets may come */

	/* SEARCH */
	struct imap_find *find;

	/* COPY, MOVE */
	struct imap_range *from, *to;
	size_t from_n, to_n;

	/* LIST */
	struct imap_folder_list *folders;
};

/* The mailbox that is selected. */
struct imap_box {
	struct selected known;
	struct uid_range *gone; /* of them, what the client is still to be told of */
	size_t gone_n;
	uint32_t number, uidvalidity, recent;
	uint64_t modseq; /* what was asked for up to here */
	bool read_only;
	bool told_count; /* false: EXISTS is to be told */
	bool told_words; /* false: the keywords are */
	bool behind;     /* new messages came by the page: their UIDs are asked for */
	uint64_t own[IMAP_OWN_CHANGES]; /* modseqs of changes that this session made */
	uint8_t own_at;
	struct buf words; /* the keywords' names */
	struct bytes keywords[KEYWORDS_MAX];
	size_t keywords_n;
	size_t charged;
};

#endif
