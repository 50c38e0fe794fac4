/* bytes.c - the longer halves of the door for outside bytes. */
#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>

bool
bytes_eq_nocase(struct bytes a, struct bytes b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool
bytes_begins_nocase(struct bytes b, struct bytes prefix)
{
	return b.n >= prefix.n && bytes_eq_nocase((struct bytes){b.p, prefix.n}, prefix);
}

bool
rd_line(struct rd *r, struct bytes *line)
{
	const uint8_t *lf = r->p, *end = r->end;

	if (r->bad)
		return false;
	while (lf < end && (lf = memchr(lf, '\n', (size_t)(end - lf)))) {
		if (lf > r->p && lf[-1] == '\r') {
			*line = (struct bytes){r->p, (size_t)(lf - r->p) - 1};
			r->p = lf + 1;
			return true;
		}
		lf++;
	}
	return false;
}

void
wr_bytes8(struct wr *w, struct bytes b)
{
	if (b.n > UINT8_MAX || wr_room(w) < 1 + b.n) {
		w->full = true;
		return;
	}
	wr_u8(w, (uint8_t)b.n);
	wr_bytes(w, b);
}

void
wr_bytes16(struct wr *w, struct bytes b)
{
	if (b.n > UINT16_MAX || wr_room(w) < 2 + b.n) {
		w->full = true;
		return;
	}
	wr_u16(w, (uint16_t)b.n);
	wr_bytes(w, b);
}

void
wr_printf(struct wr *w, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		w->full = true;
	else
		wr_bytes(w, (struct bytes){(const uint8_t *)text, (size_t)n});
}
