/* header.c - fields are cut where lines end, and nothing in them is looked at. */
#include "mail/header.h"

/* The next line, without its end; at the end of what there is also one that has none. */
static bool
take_line(struct rd *in, struct bytes *line)
{
	const uint8_t *start = in->p, *lf;
	size_t n = rd_left(in);

	lf = n ? memchr(start, '\n', n) : NULL;
	*line = rd_take(in, lf ? (size_t)(lf - start) + 1 : n);
	if (lf)
		line->n -= lf > start && lf[-1] == '\r' ? 2 : 1;
	return lf != NULL;
}

/* RFC 5322 2.2: printable ASCII but the colon; blanks before the colon are the obsolete form. */
static bool
cut_name(struct bytes line, struct bytes *name, size_t *colon)
{
	size_t n = 0, at;

	while (n < line.n && line.p[n] > ' ' && line.p[n] < 0x7f && line.p[n] != ':')
		n++;
	for (at = n; at < line.n && (line.p[at] == ' ' || line.p[at] == '\t');)
		at++;
	if (!n || at > HEADER_NAME_MAX || at == line.n || line.p[at] != ':')
		return false;
	*name = (struct bytes){line.p, n};
	*colon = at;
	return true;
}

static bool
is_fold(const struct rd *in)
{
	return rd_left(in) && (*in->p == ' ' || *in->p == '\t');
}

/* One field with its folds; false and nothing taken where the header ends. */
static bool
take_field(struct rd *in, struct header_field *f)
{
	const uint8_t *start = in->p, *end;
	struct bytes line;
	size_t colon;

	if (!rd_left(in))
		return false;
	take_line(in, &line);
	if (!cut_name(line, &f->name, &colon)) {
		in->p = start;
		return false;
	}
	end = line.p + line.n;
	while (is_fold(in)) {
		take_line(in, &line);
		end = line.p + line.n;
	}
	f->value = (struct bytes){start + colon + 1, (size_t)(end - start) - colon - 1};
	f->n = (size_t)(in->p - start);
	return true;
}

struct header
header_of(struct bytes message)
{
	bool fits = message.n <= HEADER_OCTETS_MAX;
	struct bytes seen = {message.p, fits ? message.n : HEADER_OCTETS_MAX};

	return (struct header){rd_of(seen), 0, 0, fits};
}

bool
header_next(struct header *h, struct header_field *f)
{
	struct bytes line;

	if (h->fields == HEADER_FIELDS_MAX) {
		h->whole = false;
		return false;
	}
	if (!take_field(&h->in, f)) {
		h->whole |= take_line(&h->in, &line);
		return false;
	}
	f->at = h->at;
	h->at += f->n;
	h->fields++;
	return true;
}

bool
header_find(struct bytes message, struct bytes name, struct header_field *f)
{
	struct header h = header_of(message);

	while (header_next(&h, f))
		if (bytes_eq_nocase(f->name, name))
			return true;
	return false;
}

size_t
header_body(struct bytes message)
{
	struct rd in = rd_of(message);
	struct header_field f;
	const uint8_t *start;
	struct bytes line;

	while (take_field(&in, &f))
		;
	start = in.p;
	if (take_line(&in, &line) && !line.n)
		return (size_t)(in.p - message.p);
	return (size_t)(start - message.p);
}
