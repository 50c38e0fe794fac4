/*
 * imap_fetch.h - the items of FETCH (RFC 3501 6.4.5), and the row of a message that they are made
 * from.
 */
#ifndef PROTO_IMAP_FETCH_H
#define PROTO_IMAP_FETCH_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

enum {
	IMAP_ITEMS_MAX = 64,   /* of one FETCH; more is BAD */
	IMAP_LABEL_MAX = 4096, /* octets of "BODY[HEADER.FIELDS (...)]<0>"; more is BAD */
	IMAP_FIELDS_MAX = 256, /* names in one HEADER.FIELDS */
	IMAP_PATH_MAX = 50,    /* levels of "1.2.3": as deep as a structure goes */
};

/* The same bits as enum message_flag in talk/rows.h. */
enum imap_flag {
	IMAP_SEEN = 1,
	IMAP_ANSWERED = 2,
	IMAP_FLAGGED = 4,
	IMAP_DELETED = 8,
	IMAP_DRAFT = 16,
};

enum imap_item_kind {
	IMAP_ITEM_FLAGS,
	IMAP_ITEM_UID,
	IMAP_ITEM_INTERNALDATE,
	IMAP_ITEM_SIZE, /* RFC822.SIZE */
	IMAP_ITEM_ENVELOPE,
	IMAP_ITEM_BODY, /* BODY without a section */
	IMAP_ITEM_BODYSTRUCTURE,
	IMAP_ITEM_SECTION, /* octets of the message: BODY[...], RFC822, RFC822.HEADER, RFC822.TEXT */
};

enum imap_section {
	IMAP_WHOLE,     /* BODY[], or of a part its body: BODY[1.2] */
	IMAP_HEADER_OF, /* of the message, or of the one that the part holds */
	IMAP_TEXT_OF,
	IMAP_MIME_OF, /* the part's own header */
	IMAP_FIELDS_OF,
	IMAP_FIELDS_NOT_OF,
};

struct imap_item {
	enum imap_item_kind kind;
	enum imap_section section;
	bool partial;
	uint32_t origin, count; /* partial: <origin.count> */
	const uint32_t *path;   /* part numbers, from 1 */
	size_t path_n;          /* 0: the message itself */
	const struct bytes *fields;
	size_t fields_n;
	struct bytes label; /* as the answer names it */
};

/* All of it lives as long as the command. */
struct imap_fetch {
	struct imap_item *items;
	size_t n;
	uint32_t needs; /* 1 << imap_item_kind of all items: what a row must have */
	bool sets_seen; /* a BODY[...] without PEEK, RFC822 or RFC822.TEXT is among them: \Seen is
	                   to be set before the rows are given, but for an EXAMINEd mailbox */
};

/* Reads the item or list behind the set.  Answers: ERR_SYNTAX; ERR_RANGE; ERR_FULL. */
MUST_CHECK struct err imap_fetch_read(struct imap_fetch *, struct rd *in, struct arena *);

/* A message as its view shows it.  What it points to stays as it is until the next IMAP_ROW. */
struct imap_row {
	uint32_t number, uid;
	uint32_t flags; /* enum imap_flag */
	bool recent;
	bool news;           /* its flags are not what the client knows: they are told unasked */
	uint64_t keywords;   /* bits into the names that imap_opened() or an update gave last */
	uint64_t size;       /* octets, in CRLF form */
	uint64_t body;       /* where the body begins, behind the empty line; size: it has none */
	uint64_t received_s; /* since 1970 */
	/*
	 * What the answer shows, parentheses and all, written as it stands; without octets it is not
	 * known, and IMAP_STRUCTURE asks for it where an item needs it.
	 */
	struct bytes envelope, bodytext, bodystructure;
};

/* Where a part lies in its message. */
struct imap_part {
	uint64_t mime, body, end; /* offsets: its own header, its body, behind its last octet */
	/* of a message/rfc822: where the body of that message begins (end: it has none); else 0 */
	uint64_t text;
};

#endif
