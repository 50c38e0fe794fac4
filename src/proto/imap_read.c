/*
 * imap_read.c - where a command ends.  Its lines and literals are gathered in one text; a literal is
 * refused before anything is kept for it (attack 107).  A line that ends in "{n}" is followed by a
 * literal whatever stands before it: neither an atom nor a quoted string may end so.
 */
#include "base/text.h"
#include "proto/imap_session.h"
#include "proto/verb.h"

enum { APPEND_LITERALS = 2 }; /* the message's is the second, where the mailbox is one, too */

static size_t
text_max(const struct imap *m)
{
	return m->state == IMAP_NOT_AUTHENTICATED ? IMAP_EARLY_MAX : IMAP_COMMAND_MAX;
}

/* Of the line from m->reading.line on, which is whole. */
static bool
has_bare_cr(struct bytes line)
{
	const uint8_t *cr = memchr(line.p, '\r', line.n);

	return cr != line.p + line.n - 2;
}

struct marker {
	uint64_t size;
	size_t n; /* octets of "{123+}" */
	bool sync, binary;
};

/* The "{123}" at the end of a line without its CRLF. */
static bool
find_marker(struct bytes line, struct marker *m)
{
	size_t end = line.n, digits;

	if (!end || line.p[end - 1] != '}')
		return false;
	end--;
	m->sync = !(end && line.p[end - 1] == '+');
	end -= !m->sync;
	digits = end;
	while (digits && line.p[digits - 1] >= '0' && line.p[digits - 1] <= '9')
		digits--;
	if (digits == end || !digits || line.p[digits - 1] != '{')
		return false;
	if (!text_u64((struct bytes){line.p + digits, end - digits}, UINT64_MAX, &m->size))
		m->size = UINT64_MAX;
	m->n = line.n - digits + 1;
	m->binary = digits > 1 && line.p[digits - 2] == '~';
	return true;
}

static void
cut_text(struct imap *m, size_t n)
{
	m->text.n -= n;
}

static enum imap_read
literal(struct imap *m, const struct marker *marker)
{
	struct imap_reading *r = &m->reading;

	r->sync = marker->sync;
	if (marker->binary) /* RFC 3516 is not offered (attack 108) */
		return r->sync ? IMAP_READ_REFUSED : IMAP_READ_TOO_BIG;
	if (m->state != IMAP_NOT_AUTHENTICATED && ++r->literals <= APPEND_LITERALS) {
		cut_text(m, marker->n + 2);
		if (imap_is_append(m)) {
			m->appending =
			    (struct imap_appending){.left = marker->size, .sync = marker->sync};
			m->command->size = marker->size;
			return IMAP_READ_MESSAGE;
		}
		m->text.n += marker->n + 2;
	}
	if (marker->size > text_max(m) - m->text.n)
		return r->sync ? IMAP_READ_REFUSED : IMAP_READ_TOO_BIG;
	r->literal = marker->size;
	r->line = m->text.n + marker->size;
	return r->sync ? IMAP_READ_GO : IMAP_READ_MORE;
}

/* A line has ended. */
static enum imap_read
line_end(struct imap *m)
{
	struct bytes text = buf_bytes(&m->text);
	struct bytes line = {text.p + m->reading.line, text.n - m->reading.line};
	struct marker marker;

	if (line.n < 2 || line.p[line.n - 2] != '\r' || has_bare_cr(line))
		return IMAP_READ_BARE;
	line.n -= 2;
	if (find_marker(line, &marker))
		return literal(m, &marker);
	while (line.n && line.p[line.n - 1] == ' ') /* some clients end with a blank */
		line.n--;
	m->text.n = m->reading.line + line.n;
	return IMAP_READ_COMMAND;
}

static bool
is_alien(struct imap *m)
{
	return !m->reading.seen && verb_is_alien(buf_bytes(&m->text));
}

/* Octets up to the end of a line, or of a literal. */
static enum imap_read
gather(struct imap *m, struct rd *in)
{
	struct imap_reading *r = &m->reading;
	size_t n = rd_left(in);
	const uint8_t *lf = NULL;
	bool too_long = false;

	if (r->literal) {
		n = n < r->literal ? n : (size_t)r->literal;
		r->literal -= n;
	} else {
		lf = memchr(in->p, '\n', n);
		n = lf ? (size_t)(lf - in->p) + 1 : n;
		if (n > text_max(m) - m->text.n) {
			n = text_max(m) - m->text.n;
			too_long = true;
		}
	}
	if (!buf_add(&m->text, rd_take(in, n)))
		return IMAP_READ_MEMORY;
	if (is_alien(m))
		return IMAP_READ_ALIEN;
	if (too_long)
		return IMAP_READ_LONG;
	if (!lf)
		return IMAP_READ_MORE;
	r->seen = true;
	return line_end(m);
}

enum imap_read
imap_read(struct imap *m, struct rd *in)
{
	enum imap_read got = IMAP_READ_MORE;

	while (got == IMAP_READ_MORE && rd_left(in))
		got = gather(m, in);
	return got;
}
