/*
 * talk.h - the words between roles: fixed, bounded, and each allowed only from one role to another
 * in its phase.  talk.def is the table; talk_words.h, made from it, has for every word and answer
 *
 *	struct talk_NAME             the fields, but for a descriptor, which travels beside them;
 *	                             bytes are borrowed from the message
 *	talk_NAME_put(w, fields)     w is full when it has no room or bytes pass their limit
 *	talk_NAME_get(r, fields)     false when anything is missing, left over or beyond its limit
 *	talk_NAME_out(fields)        what net/chan.h sends
 *
 * Where all bytes of a word at their limits would pass TALK_MAX, put fills w up earlier: then the
 * bulk goes as the word's descriptor.
 */
#ifndef TALK_TALK_H
#define TALK_TALK_H

#include "base/bytes.h"
#include "base/err.h"
#include "talk_words.h" /* enum role, enum word, struct talk_WORD, struct talk_WORD_answer */

enum {
	TALK_HEAD = 12,       /* version u16, word u16, flags u16, reserved u16, seq u32 */
	TALK_MAX = 64 * 1024, /* a whole message on a channel */
};

enum talk_phase { PHASE_START = 1, PHASE_RUN = 2, PHASE_ANY = 3 };

/* What a front speaks with its client; auth logs and limits by it. */
enum protocol {
	PROTOCOL_SMTP = 1,
	PROTOCOL_SUBMISSION,
	PROTOCOL_POP3,
	PROTOCOL_IMAP,
	PROTOCOL_FTP,
	PROTOCOL_HTTP
};

enum people_kind { PEOPLE_ACCOUNT = 1, PEOPLE_DOMAIN, PEOPLE_ALIAS };
enum people_change {
	PEOPLE_ADD_ACCOUNT = 1,
	PEOPLE_REMOVE_ACCOUNT,
	PEOPLE_FIND_ACCOUNT,
	PEOPLE_ADD_DOMAIN,
	PEOPLE_REMOVE_DOMAIN,
	PEOPLE_ADD_ALIAS,
	PEOPLE_REMOVE_ALIAS
};

/* What dial connects for. */
enum dial_purpose { DIAL_SMTP = 1, DIAL_FTP };

/* What a resolver knows of an answer (RFC 4035 4.3). */
enum dns_security { DNS_INDETERMINATE, DNS_INSECURE, DNS_SECURE, DNS_BOGUS };

enum file_kind { FILE_REGULAR = 1, FILE_FOLDER };
enum file_how { FILE_REPLACE = 1, FILE_APPEND, FILE_RESUME };
enum file_change { FILE_MAKE_FOLDER = 1, FILE_REMOVE_FOLDER, FILE_REMOVE, FILE_RENAME };

/* A result as the `code` of an answer: what is our fault is told as ERR_LATER. */
static inline uint8_t
talk_code(struct err e)
{
	return is_fault(e) ? ERR_LATER : (uint8_t)e.code;
}

/* A word's own fields, or its answer's. */
struct talk_part {
	void (*put)(struct wr *, const void *fields);
	bool (*get)(struct rd *, void *fields); /* into a union talk_any */
	size_t max;           /* octets of the packed fields, at most TALK_MAX - TALK_HEAD */
	bool fd, fd_optional; /* a descriptor travels beside it; it may be left out */
	const struct talk_field {
		const char *name;
		enum talk_kind { TALK_U8, TALK_U16, TALK_U32, TALK_U64, TALK_ID, TALK_BYTES } kind;
		size_t limit;  /* of bytes */
		size_t offset; /* in the struct */
	} * fields;
	size_t n_fields;
};

/* A row of the table. */
struct talk_row {
	const char *name;
	uint16_t number;
	uint8_t phase; /* enum talk_phase bits */
	bool ask;
	struct talk_part said, answer; /* answer is zero where nothing is asked */
	const struct talk_arrow {
		uint32_t from, to; /* bits of enum role */
	} * arrows;
	size_t n_arrows;
};
extern const struct talk_row talk_rows[]; /* in the order of talk.def */
extern const size_t talk_row_count;

/* NULL for a number that is no word. */
const struct talk_row *talk_row(uint16_t number);
/* May `from` say this word to `to` in `phase`? */
bool talk_allowed(const struct talk_row *, enum role from, enum role to, enum talk_phase phase);

const char *role_name(enum role);
/* False when there is no role of this name. */
bool role_by_name(struct bytes name, enum role *out);
extern const char *const talk_role_names[ROLE_COUNT];

/* The head of every message on a channel. */
struct talk_head {
	uint16_t word;
	bool answer;
	uint32_t seq; /* of the ask, 0 for a say */
};
void talk_put_head(struct wr *, const struct talk_head *);
/* False: not a head of this version. */
bool talk_get_head(struct rd *, struct talk_head *);

#endif
