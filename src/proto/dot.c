/*
 * dot.c - a CR is never taken without its LF: so a CR that is the last octet of a read stays in the
 * input, and no state has to remember it.
 */
#include "proto/dot.h"

/*
 * What stands at the beginning of a line: DOT_PIECE for text (a stuffed dot is taken off it).  The
 * third octet decides whether a dot ends the text, so it waits for three.
 */
static enum dot_took
begin_line(struct dot_in *d, struct rd *in)
{
	size_t left = rd_left(in);

	if (!left || in->p[0] != '.')
		return DOT_PIECE;
	if (left < 2)
		return DOT_MORE;
	if (in->p[1] == '\r') {
		if (left < 3)
			return DOT_MORE;
		if (in->p[2] != '\n')
			return DOT_BARE;
		rd_take(in, 3);
		return DOT_END;
	}
	rd_u8(in);
	d->inside = true;
	return DOT_PIECE;
}

/*
 * From p on: DOT_PIECE when *stop is behind the end of the line, DOT_MORE when it is the end of
 * what can be told, else *stop is the octet that may not be.
 */
static enum dot_took
scan_line(size_t line_room, const uint8_t *p, const uint8_t *end, const uint8_t **stop)
{
	const uint8_t *lf = memchr(p, '\n', (size_t)(end - p));
	const uint8_t *last = lf ? lf : end;
	const uint8_t *cr = memchr(p, '\r', (size_t)(last - p));
	const uint8_t *nul;

	last = cr ? cr : last;
	nul = memchr(p, '\0', (size_t)(last - p));
	*stop = nul ? nul : last;
	if ((size_t)(*stop - p) > line_room) {
		*stop = p + line_room;
		return DOT_LONG;
	}
	if (*stop == end || (cr && !nul && cr + 1 == end))
		return DOT_MORE;
	if (nul || !cr || cr + 1 != lf)
		return DOT_BARE;
	*stop = lf + 1;
	return DOT_PIECE;
}

/* What is before an octet that may not be is given first: so cuts between reads change nothing. */
enum dot_took
dot_take(struct dot_in *d, struct rd *in, size_t line_max, struct bytes *piece)
{
	const uint8_t *start, *p, *stop;
	enum dot_took took = DOT_PIECE;

	if (!d->inside)
		took = begin_line(d, in);
	if (took != DOT_PIECE)
		return took;
	if (!rd_left(in))
		return DOT_MORE;
	for (start = p = in->p; took == DOT_PIECE; p = stop) {
		if (p == in->end || (!d->inside && p != start && *p == '.'))
			break;
		took = scan_line(line_max - d->line, p, in->end, &stop);
		d->line = took == DOT_PIECE ? 0 : d->line + (size_t)(stop - p);
		d->inside = took != DOT_PIECE && (d->inside || stop > p);
	}
	*piece = rd_take(in, (size_t)(p - start));
	return piece->n ? DOT_PIECE : took;
}

size_t
dot_put(struct dot_out *d, struct bytes piece, struct wr *out)
{
	const uint8_t *p = piece.p, *end = p ? p + piece.n : p, *lf;
	size_t n;

	while (p < end) {
		if (!d->inside && *p == '.') {
			if (wr_room(out) < 2)
				break;
			wr_u8(out, '.');
		}
		lf = memchr(p, '\n', (size_t)(end - p));
		n = (size_t)((lf ? lf + 1 : end) - p);
		if (n > wr_room(out)) {
			n = wr_room(out);
			lf = NULL;
		}
		if (!n)
			break;
		wr_bytes(out, (struct bytes){p, n});
		/* RFC 1939 3 knows CRLF only: a bare LF begins no line */
		d->inside = !lf || !(n > 1 ? lf[-1] == '\r' : d->cr);
		p += n;
		d->cr = p[-1] == '\r';
	}
	return piece.n ? (size_t)(p - piece.p) : 0;
}

void
dot_end(struct dot_out *d, struct wr *out)
{
	if (d->inside)
		wr_text(out, "\r\n");
	wr_text(out, ".\r\n");
	*d = (struct dot_out){false, false};
}
