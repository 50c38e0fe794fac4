/* imap_filter.c - a field is held only until its name is whole. */
#include "proto/imap_filter.h"

static void
emit(struct imap_filter *f, struct bytes b, struct imap_window *w)
{
	if (!b.n)
		return;
	f->count += b.n;
	f->ended = b.p[b.n - 1] == '\n';
	if (!w->out)
		return;
	if (w->skip >= b.n) {
		w->skip -= b.n;
		return;
	}
	b = (struct bytes){b.p + w->skip, b.n - (size_t)w->skip};
	w->skip = 0;
	if (b.n > w->left)
		b.n = (size_t)w->left;
	w->left -= b.n;
	wr_bytes(w->out, b);
}

static bool
is_wanted(const struct imap_filter *f)
{
	struct bytes name = {f->name, f->name_n};

	while (name.n && (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t'))
		name.n--; /* the obsolete form has blanks before the colon */
	for (size_t i = 0; i < f->n; i++)
		if (bytes_eq_nocase(name, f->fields[i]))
			return !f->others;
	return f->others;
}

/* What was held of the line comes out or not, and so does the rest of it. */
static void
decide(struct imap_filter *f, bool keep, struct imap_window *w)
{
	f->keep = keep;
	f->state = IMAP_FILTER_REST;
	if (keep)
		emit(f, (struct bytes){f->name, f->name_n}, w);
	f->name_n = 0;
}

static void
name_octet(struct imap_filter *f, uint8_t c, struct imap_window *w)
{
	if (c == ':') {
		decide(f, is_wanted(f), w);
		if (f->keep)
			emit(f, BYTES(":"), w);
		return;
	}
	if (c == '\n' && (!f->name_n || (f->name_n == 1 && f->name[0] == '\r'))) {
		f->state = IMAP_FILTER_DONE; /* the empty line */
		return;
	}
	if (c == '\n') { /* no field at all */
		decide(f, f->others, w);
		if (f->keep)
			emit(f, BYTES("\n"), w);
		f->state = IMAP_FILTER_START;
		return;
	}
	f->name[f->name_n++] = c;
	if (f->name_n == IMAP_FILTER_NAME)
		decide(f, f->others, w);
}

/* Octets up to the line's end, or as many as have room. */
static size_t
rest_of_line(struct imap_filter *f, struct bytes b, struct imap_window *w)
{
	const uint8_t *lf = memchr(b.p, '\n', b.n);
	size_t n = lf ? (size_t)(lf - b.p) + 1 : b.n;

	if (w->out && n > wr_room(w->out) - IMAP_FILTER_ROOM + 1)
		n = wr_room(w->out) - IMAP_FILTER_ROOM + 1;
	if (f->keep)
		emit(f, (struct bytes){b.p, n}, w);
	if (b.p[n - 1] == '\n')
		f->state = IMAP_FILTER_START;
	return n;
}

void
imap_filter_init(struct imap_filter *f, const struct bytes *fields, size_t n, bool others)
{
	*f = (struct imap_filter){.fields = fields, .n = n, .others = others, .ended = true};
}

size_t
imap_filter_put(struct imap_filter *f, struct bytes piece, struct imap_window *w)
{
	size_t i = 0;

	while (i < piece.n && (!w->out || wr_room(w->out) >= IMAP_FILTER_ROOM)) {
		uint8_t c = piece.p[i];

		switch (f->state) {
		case IMAP_FILTER_START: /* a line that begins with a blank goes on with the field */
			f->state = c == ' ' || c == '\t' ? IMAP_FILTER_REST : IMAP_FILTER_NAMES;
			break;
		case IMAP_FILTER_NAMES:
			name_octet(f, c, w);
			i++;
			break;
		case IMAP_FILTER_REST:
			i += rest_of_line(f, (struct bytes){piece.p + i, piece.n - i}, w);
			break;
		case IMAP_FILTER_DONE:
			return piece.n;
		}
	}
	return i;
}

void
imap_filter_end(struct imap_filter *f, struct imap_window *w)
{
	if (f->state == IMAP_FILTER_NAMES)
		decide(f, f->others, w);
	f->state = IMAP_FILTER_DONE;
	if (!f->ended)
		emit(f, BYTES("\r\n"), w);
	emit(f, BYTES("\r\n"), w);
}
