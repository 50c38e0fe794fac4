/*
 * search_keys.h - the keys of a search: each is unknown, false or true for the message at hand, and
 * what is known of all decides.  Only search*.c here include it.
 */
#ifndef VIEW_SEARCH_KEYS_H
#define VIEW_SEARCH_KEYS_H

#include "base/arena.h"
#include "view/search.h"

enum search_value { SEARCH_UNKNOWN, SEARCH_FALSE, SEARCH_TRUE };

struct search_keys {
	struct imap_search *keys;
	uint8_t *values;           /* enum search_value, of each node */
	uint8_t *bits;             /* of each keyword key: its bit, or none */
	bool any_header, any_body; /* keys that want them */
	bool date_seen;            /* of the message at hand */
	bool changed;              /* a value is known that was not when they were decided last */
};

/* Lives in the arena; false when that is full.  The keys are borrowed. */
MUST_CHECK bool search_keys_make(struct search_keys *, struct imap_search *, struct arena *);
/* Prepares a node.  Answers: ERR_RANGE a number that is not there. */
MUST_CHECK struct err search_keys_take(struct search_keys *, uint32_t node,
                                       const struct search_mailbox *);
/* A message begins: what its row answers. */
void search_keys_begin(struct search_keys *, const struct search_message *);
/* What is known already decides; SEARCH_UNKNOWN where it does not. */
enum search_value search_keys_decide(const struct search_keys *);
bool search_keys_is_unknown(const struct search_keys *, uint32_t node);
void search_keys_found(struct search_keys *, uint32_t node);
/* The Date field, disregarding time and zone (RFC 3501 6.4.4); one that is none is on no day. */
void search_keys_date(struct search_keys *, struct bytes field);
/* What is still unknown of these keys is false. */
void search_keys_settle(struct search_keys *, bool (*which)(enum imap_search_key));
bool search_keys_any_unknown(const struct search_keys *, bool (*which)(enum imap_search_key));

/* ---- which keys ---- */

bool search_key_is_any(enum imap_search_key);
bool search_key_is_text(enum imap_search_key); /* it has a string */
bool search_key_is_sent(enum imap_search_key); /* it asks for the Date field */
bool search_key_in_header(enum imap_search_key);
bool search_key_in_body(enum imap_search_key);
bool search_key_in_header_only(enum imap_search_key);

#endif
