/*
 * charset.h - text in the charsets of old mail as UTF-8, in pieces of any size.
 *
 * What cannot be said becomes U+FFFD: wrong UTF-8 one for each part of a character (as Unicode 3.9
 * recommends), octets that a charset does not have one each, and every octet beyond ASCII of a
 * charset that is not known (attack 71).
 */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include "base/bytes.h"

enum charset_which {
	CHARSET_ASCII,
	CHARSET_UTF8,
	CHARSET_LATIN1,
	CHARSET_LATIN9, /* ISO-8859-15 */
	CHARSET_WINDOWS_1252,
	CHARSET_UNKNOWN,
};

enum { CHARSET_ROOM = 16 }; /* charset_feed() eats nothing while there is less room than this */

/* By a name of the IANA registry, of any case; no name is US-ASCII. */
enum charset_which charset_find(struct bytes name);

/* A converter: a plain value that starts as zeros, but for `which`. */
struct charset {
	uint8_t which; /* enum charset_which */
	uint8_t n;     /* octets held of a character that is not whole */
	uint8_t held[4];
};

void charset_feed(struct charset *, struct rd *in, struct wr *out);
/* The end of the text: a character that is not whole becomes U+FFFD. */
void charset_finish(struct charset *, struct wr *out);

/* One character as UTF-8; U+FFFD for what is none. */
void charset_put(struct wr *, uint32_t character);

#endif
