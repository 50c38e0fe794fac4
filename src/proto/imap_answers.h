/*
 * imap_answers.h - the answers to imap.h's questions that say more than imap_answer() does.  Those
 * that are given `out` write at once and return false (or fewer) where there is no room: step
 * again, and when it asks again go on there.
 */
#ifndef PROTO_IMAP_ANSWERS_H
#define PROTO_IMAP_ANSWERS_H

#include "proto/imap_command.h"

struct imap;

enum imap_folder_flag { /* the low ones as enum folder_flag in talk/rows.h */
	                IMAP_FOLDER_EXISTS = 1, /* else only its name is subscribed to */
	                IMAP_FOLDER_SUBSCRIBED = 2,
	                IMAP_FOLDER_SENT = 4,
	                IMAP_FOLDER_DRAFTS = 8,
	                IMAP_FOLDER_TRASH = 16,
	                IMAP_FOLDER_JUNK = 32,
	                IMAP_FOLDER_CHILDREN = 1 << 16, /* mailboxes exist beneath it */
};

struct imap_folder {
	struct bytes name; /* UTF-8 */
	uint32_t flags;
};

/*
 * IMAP_FOLDERS: the next one, in imap_name_order(); it is listed if it matches.  Levels above it
 * that are no mailboxes need not be given.
 */
bool imap_folder(struct imap *, const struct imap_folder *, struct wr *out);

struct imap_status { /* IMAP_STATE */
	uint32_t messages, recent, uidnext, uidvalidity, unseen;
};
void imap_status(struct imap *, const struct imap_status *);

/* IMAP_OPEN.  The keywords are the driver's and stay as they are until the mailbox is left or an
 * update gives others. */
struct imap_opened {
	uint32_t exists, recent, uidvalidity, uidnext;
	uint32_t unseen; /* the number of the first that was not seen; 0: there is none */
	bool read_only;  /* EXAMINE, or may not be written */
	const struct bytes *keywords; /* in the order of their bits */
	size_t keywords_n;            /* at most IMAP_KEYWORDS_MAX */
};
void imap_opened(struct imap *, const struct imap_opened *);

/*
 * IMAP_SYNC.  Where imap_may_expunge() is false no EXPUNGE may be told now, nor anything behind one
 * that would have a number changed by it; it waits for a later IMAP_SYNC.
 */
enum imap_news { IMAP_NEWS_EXPUNGE, IMAP_NEWS_EXISTS, IMAP_NEWS_KEYWORDS, IMAP_NEWS_FLAGS };
struct imap_update {
	enum imap_news what;
	uint32_t number;              /* EXPUNGE: of whom; EXISTS: how many there are */
	uint32_t recent;              /* EXISTS: of them */
	const struct imap_row *row;   /* FLAGS: number, uid, flags, keywords, recent */
	const struct bytes *keywords; /* KEYWORDS: all of them now, borrowed as in imap_opened(); to
	                                 be told before a row has a new one */
	size_t keywords_n;
};
bool imap_may_expunge(const struct imap *);
bool imap_update(struct imap *, const struct imap_update *, struct wr *out);

struct bytes imap_piece(const struct imap *); /* IMAP_PIECE: borrowed from `in` */
void imap_appended(struct imap *, uint32_t uidvalidity, uint32_t uid);

void imap_row(struct imap *, const struct imap_row *); /* IMAP_ROW */
/* IMAP_STRUCTURE: as in a row; all three, and valid as long as the row. */
void imap_structure(struct imap *, struct bytes envelope, struct bytes bodytext,
                    struct bytes bodystructure);
/* IMAP_PART: the path that is meant (at least one number), and where it lies; NULL: there is none. */
const uint32_t *imap_path(const struct imap *, size_t *n);
void imap_part(struct imap *, const struct imap_part *);
/*
 * IMAP_OCTETS: whose octets (the row's), from where, how many at most.  Writes as far as there is
 * room and returns how many of the piece were taken; it asks until it has enough, and may ask for
 * the same ones twice: to count them, then to send them.
 */
uint32_t imap_uid(const struct imap *);
uint64_t imap_offset(const struct imap *);
uint64_t imap_missing(const struct imap *);
size_t imap_octets(struct imap *, struct bytes piece, struct wr *out);

/* IMAP_FIND: numbers, or UIDs where the command has `uid`; returns how many were taken. */
size_t imap_hits(struct imap *, const uint32_t *, size_t n, struct wr *out);

/* IMAP_TAKE; the ranges stay as they are until the next question that is not IMAP_SYNC. */
struct imap_copied {
	uint32_t uidvalidity;
	const struct imap_range *from, *to; /* the UIDs there, and in the same order the new ones */
	size_t from_n, to_n;                /* 0: nothing was copied */
};
void imap_copied(struct imap *, const struct imap_copied *);

#endif
