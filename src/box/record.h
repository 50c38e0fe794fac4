/*
 * record.h - the keys and values of an account's shard, as docs/store.md has them.
 *
 * Version 1 of a message's row had its summary inside, and a mailbox's record ended behind the next
 * UID; both are read as they are, and written anew in the form of now when they change.
 */
#ifndef BOX_RECORD_H
#define BOX_RECORD_H

#include "base/err.h"
#include "store/id.h"
#include "talk/rows.h"

enum {
	RECORD_KEY_MAX = 13,
	RECORD_ROW = 1 + 4 + 8 + 8 + 8 + 8, /* octets of a message's row */
	RECORD_SUMMARY_MAX = 2 + 320 + 2 + 2048,
	RECORD_FOLDER_MAX = 1 + 255 + 2 * 4 + 2 + 4 * 4 + 2 * 8,
	RECORD_NEXT = 1 + 4 + 4,
	RECORD_KEYWORDS_MAX = KEYWORDS_MAX * (1 + KEYWORD_MAX),
	RECORD_OPS = 1024, /* operations whose outcome an account knows at most */
	RECORD_OP_MAX = 4096,
};

/* ---- keys ---- */

/* 'm' a message's row, 's' its summary. */
struct bytes record_message_key(uint8_t room[RECORD_KEY_MAX], char kind, uint32_t mailbox,
                                uint32_t uid);
/* 'b' its record, 'k' its keywords, 'x' it is being removed; of 'm', 's', 'e' where they begin. */
struct bytes record_folder_key(uint8_t room[RECORD_KEY_MAX], char kind, uint32_t mailbox);
struct bytes record_gone_key(uint8_t room[RECORD_KEY_MAX], uint32_t mailbox, uint64_t modseq);
struct bytes record_op_key(uint8_t room[RECORD_KEY_MAX], struct op_id, uint32_t part);
/* The numbers in a key; false when it is none of this length. */
bool record_message_of(struct bytes key, uint32_t *mailbox, uint32_t *uid);
bool record_folder_of(struct bytes key, uint32_t *mailbox);
bool record_gone_of(struct bytes key, uint64_t *modseq);

/* ---- values ---- */

struct record_row {
	struct message_row row; /* its summary is there where is_old */
	bool is_old;            /* version 1 */
	struct bytes sender;    /* where is_old */
};
struct bytes record_row_value(uint8_t room[RECORD_ROW], const struct message_row *);
/* ERR_CORRUPT: it is none. */
MUST_CHECK struct err record_row_read(struct bytes key, struct bytes value, struct record_row *);
struct bytes record_summary_value(uint8_t room[RECORD_SUMMARY_MAX], struct bytes sender,
                                  struct bytes summary);
/* The summary; the sender is for whoever comes later. */
MUST_CHECK struct err record_summary_read(struct bytes value, struct bytes *summary);

struct record_folder {
	struct bytes name;
	uint32_t uidvalidity, uidnext;
	bool is_old, counted; /* counted: the following are known */
	uint32_t count, unseen, recent, flags;
	uint64_t modseq, gone_from;
};
struct bytes record_folder_value(uint8_t room[RECORD_FOLDER_MAX], const struct record_folder *);
MUST_CHECK struct err record_folder_read(struct bytes value, struct record_folder *);

/* What comes next in an account. */
struct record_next {
	uint32_t number, uidvalidity; /* the next one's number; the highest so far */
};
struct bytes record_next_value(uint8_t room[RECORD_NEXT], const struct record_next *);
MUST_CHECK struct err record_next_read(struct bytes value, struct record_next *);

/* What an operation did. */
struct record_op {
	struct op_id op;
	uint32_t part, mailbox, uidvalidity;
	uint32_t uid;      /* the first that was given; the others follow it */
	uint32_t next;     /* a copy: the UID behind the last of its sources */
	struct bytes from; /* a copy: its sources, ranges */
};
struct bytes record_op_value(uint8_t room[RECORD_OP_MAX], const struct record_op *);
/* False: it is damaged, or of another operation. */
bool record_op_read(struct bytes value, struct op_id, uint32_t part, struct record_op *);

#endif
