/*
 * text.h - bytes that people read or wrote: escaping for logs, strict numbers, hex, UTF-8.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/bytes.h"

/*
 * Foreign bytes for a log or a person: printable ASCII stays, but for \ and ", everything else is
 * \xNN, so that no byte of a stranger moves a cursor, ends a line or ends a quote (attacks 17,
 * 159). At most TEXT_ESCAPED bytes come from one.
 */
enum { TEXT_ESCAPED = 4 };
void text_escape(struct wr *, struct bytes);

/* Only digits, at least one, at most 20, and no more than max; else false, and *out stays. */
bool text_u64(struct bytes, uint64_t max, uint64_t *out);

/* The value of a hex digit of either case; -1 when it is none. */
int text_hex_digit(uint8_t);
/* Two lower-case digits a byte. */
void text_hex(struct wr *, struct bytes);
/* False when it is not hex digits (of any case) in pairs; what was written then means nothing. */
bool text_unhex(struct wr *, struct bytes);

/* Without SP and TAB at both ends. */
struct bytes text_trim(struct bytes);
/* Cuts what stands before the first sep off *rest (which goes on behind it); all when none is left.
 */
struct bytes text_cut(struct bytes *rest, uint8_t sep);
/* With ASCII letters in lower case. */
void text_lower_into(struct wr *, struct bytes);

/* How many bytes from the start are well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong).
 */
size_t text_utf8_good(struct bytes);
static inline bool
text_is_utf8(struct bytes b)
{
	return text_utf8_good(b) == b.n;
}

/* "2026-01-02T03:04:05.678Z" (RFC 3339) of nanoseconds since 1970, UTC; 24 bytes. */
void text_stamp(struct wr *, uint64_t wall_ns);

#endif
