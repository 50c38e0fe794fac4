/*
 * imap_parse.h - the words that commands are made of (RFC 3501 9), read from the text of a whole
 * command in which literals stand where they came: "{3}", CRLF, three octets.
 *
 * Each takes its word from the start of `in` and sets in->bad where there is none; so a command is
 * read to its end and `bad` looked at once.  No NUL is in the text (attack 108).  Only imap*.c
 * include this.
 */
#ifndef PROTO_IMAP_PARSE_H
#define PROTO_IMAP_PARSE_H

#include "base/arena.h"
#include "proto/imap_command.h"

/* The next octet, which stays; 0 at the end. */
static inline uint8_t
imap_peek(const struct rd *in)
{
	return rd_left(in) ? in->p[0] : 0;
}

/* Takes the next octet if it is this one. */
static inline bool
imap_skip(struct rd *in, uint8_t c)
{
	return imap_peek(in) == c && rd_u8(in) == c;
}

/* It must be this one. */
static inline void
imap_take(struct rd *in, uint8_t c)
{
	if (!imap_skip(in, c))
		in->bad = true;
}

bool imap_is_atom_char(uint8_t);
/* Takes the word if the next octets are it, in any case, and no letter or digit follows. */
bool imap_skip_word(struct rd *in, const char *word);

struct bytes imap_take_tag(struct rd *in);
struct bytes imap_take_atom(struct rd *in);
/* Letters, digits and dots: the name of a command or an item. */
struct bytes imap_take_name(struct rd *in);
/* With the escapes of a quoted string undone, in the arena where there are any. */
struct bytes imap_take_string(struct rd *in, struct arena *);
struct bytes imap_take_astring(struct rd *in, struct arena *);
/* NIL is no bytes. */
struct bytes imap_take_nstring(struct rd *in, struct arena *);
uint32_t imap_take_number(struct rd *in);
/* list-mailbox: an astring that may have wildcards. */
struct bytes imap_take_pattern(struct rd *in, struct arena *);
/* From modified UTF-7; INBOX, also above others, in capitals. */
struct bytes imap_take_mailbox(struct rd *in, struct arena *);
/* "1-Feb-1994", quoted or not: days since 1970. */
int64_t imap_take_date(struct rd *in);
/* " 7-Feb-1994 21:52:25 -0800", quoted: seconds since 1970. */
int64_t imap_take_date_time(struct rd *in);
/* Flags side by side, or in parentheses; \Recent, which nobody may set, is passed over. */
void imap_take_flags(struct rd *in, struct arena *, struct imap_flags *);
/* Nothing may follow. */
void imap_take_end(struct rd *in);

/* Jan to Dec. */
extern const char imap_months[12][4];

#endif
