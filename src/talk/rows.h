/*
 * rows.h - the rows of messages and of mailboxes that box gives a front: what a listing needs,
 * without the bodies; and the ranges of UIDs by which a front names messages.
 */
#ifndef TALK_ROWS_H
#define TALK_ROWS_H

#include "base/bytes.h"

/* ---- messages ---- */

struct message_row {
	uint32_t uid;
	uint32_t flags;      /* enum message_flag */
	uint64_t keywords;   /* bit n: the mailbox's keyword n */
	uint64_t size;       /* octets, as RETR and RFC822.SIZE tell */
	uint64_t received_s; /* seconds since 1970, the internal date */
	uint64_t modseq;
	struct bytes summary; /* mail/summary's packed row; empty where it was not asked for */
};

enum message_flag {
	FLAG_SEEN = 1,
	FLAG_ANSWERED = 2,
	FLAG_FLAGGED = 4,
	FLAG_DELETED = 8,
	FLAG_DRAFT = 16,
	FLAGS_ALL = 31
};

enum { KEYWORDS_MAX = 64, KEYWORD_MAX = 63 }; /* of one mailbox; octets of one */

/* What a row has beside its fixed part. */
enum row_field { ROW_FIXED = 0, ROW_SUMMARY = 1 };

enum flags_how { FLAGS_SET = 1, FLAGS_ADD, FLAGS_REMOVE };

enum { MESSAGE_ROW_FIXED = 4 + 4 + 8 + 8 + 8 + 8 + 2 }; /* octets beside the summary */

void message_row_put(struct wr *, const struct message_row *);
/* The next row, borrowed; false at the end, or with r->bad where it is damaged. */
bool message_row_get(struct rd *r, struct message_row *);

/* ---- ranges of UIDs: u32 first and u32 last each, rising ---- */

struct uid_range {
	uint32_t first, last;
};

void uid_range_put(struct wr *, struct uid_range);
/* The next range; false at the end, or with r->bad where it is damaged (first > last). */
bool uid_range_get(struct rd *r, struct uid_range *);

/* ---- mailboxes ---- */

struct folder_row {
	uint32_t number, uidvalidity, uidnext, count, unseen;
	uint32_t recent; /* this UID and those behind it are recent; uidnext: none */
	uint32_t flags;  /* enum folder_flag */
	uint64_t modseq;
	struct bytes name; /* UTF-8, levels parted by "/"; INBOX in capitals */
};

enum folder_flag {
	FOLDER_EXISTS = 1, /* else only its name is subscribed to */
	FOLDER_SUBSCRIBED = 2,
	FOLDER_SENT = 4, /* the special uses of RFC 6154 */
	FOLDER_DRAFTS = 8,
	FOLDER_TRASH = 16,
	FOLDER_JUNK = 32,
};

enum folder_change {
	FOLDER_CREATE = 1,
	FOLDER_DELETE,
	FOLDER_RENAME, /* with all beneath it; of INBOX: its messages move (RFC 3501 6.3.5) */
	FOLDER_SUBSCRIBE,
	FOLDER_UNSUBSCRIBE,
};

enum { FOLDER_NAME_MAX = 255 };

void folder_row_put(struct wr *, const struct folder_row *);
bool folder_row_get(struct rd *r, struct folder_row *);

#endif
