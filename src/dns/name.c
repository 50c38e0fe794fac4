/* name.c - domain names in wire form (RFC 1035 3.1, 4.1.4, 5.1; RFC 4034 6.1). */
#include "dns/name.h"

#include "dns/lex.h"

enum { HEADER = 12, POINTER = 0xc0 };

/* Where each label begins; how many there are without the root. */
static unsigned
edges(struct bytes name, uint8_t at[DNAME_LABELS_MAX + 1])
{
	unsigned n = 0;

	for (size_t i = 0; name.p[i]; i += 1u + name.p[i])
		at[n++] = (uint8_t)i;
	return n;
}

static int
label_cmp(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;

	for (size_t i = 0; i < n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return lower(a.p[i]) < lower(b.p[i]) ? -1 : 1;
	return (a.n > b.n) - (a.n < b.n);
}

static struct bytes
label_at(struct bytes name, uint8_t at)
{
	return (struct bytes){name.p + at + 1, name.p[at]};
}

/* Adds a label; false when the root label would no longer fit behind it. */
static bool
add_label(struct dname *d, struct bytes label)
{
	if (d->n + 1 + label.n + 1 > DNAME_MAX)
		return false;
	d->wire[d->n] = (uint8_t)label.n;
	memcpy(d->wire + d->n + 1, label.p, label.n);
	d->n = (uint8_t)(d->n + 1 + label.n);
	d->labels++;
	return true;
}

static void
make_root(struct dname *d)
{
	d->n = 1;
	d->labels = 0;
	d->wire[0] = 0;
}

/* Ends a name whose last label's length stands at `at`, and whose octets end before n. */
static const char *
end_name(struct dname *out, size_t at, size_t n, struct bytes origin)
{
	if (n == at + 1) { /* a final dot came before */
		out->wire[at] = 0;
		out->n = (uint8_t)n;
		return NULL;
	}
	out->wire[at] = (uint8_t)(n - at - 1);
	if (!origin.n)
		return "a name without a final dot where there is no origin";
	if (n + origin.n > DNAME_MAX)
		return "a name longer than 255 octets";
	memcpy(out->wire + n, origin.p, origin.n);
	out->n = (uint8_t)(n + origin.n);
	out->labels = (uint8_t)(out->labels + 1 + dname_labels(origin));
	return NULL;
}

const char *
dname_parse_text(struct dname *out, struct bytes text, struct bytes origin)
{
	struct rd r = rd_of(text);
	size_t at = 0, n = 1; /* the length of the label being read; the next octet */
	bool escaped;
	int c;

	make_root(out);
	if (!text.n)
		return "an empty name";
	if (bytes_eq(text, BYTES(".")))
		return NULL;
	if (bytes_eq(text, BYTES("@"))) {
		if (!origin.n)
			return "\"@\" where there is no origin";
		dname_copy(out, origin);
		return NULL;
	}
	while ((c = lex_octet(&r, &escaped)) >= 0) {
		if (n >= DNAME_MAX)
			return "a name longer than 255 octets";
		if (c != '.' || escaped) {
			if (n - at > DNAME_LABEL_MAX)
				return "a label longer than 63 octets";
			out->wire[n++] = (uint8_t)c;
			continue;
		}
		if (n == at + 1)
			return "a name with an empty label";
		out->wire[at] = (uint8_t)(n - at - 1);
		out->labels++;
		at = n++;
	}
	if (c == -2)
		return "a wrong escape in a name";
	return end_name(out, at, n, origin);
}

void
dname_to_text(struct wr *w, struct bytes name)
{
	uint8_t room[DNAME_TEXT_MAX];
	struct wr t = wr_of(room, sizeof(room));

	if (dname_is_root(name))
		wr_u8(&t, '.');
	for (; !dname_is_root(name); name = dname_parent(name)) {
		struct bytes label = dname_label(name);

		for (size_t i = 0; i < label.n; i++) {
			uint8_t c = label.p[i],
				digits[] = {'\\', (uint8_t)('0' + c / 100),
			                    (uint8_t)('0' + c / 10 % 10), (uint8_t)('0' + c % 10)};

			if (c <= ' ' || c > '~') {
				wr_bytes(&t, (struct bytes){digits, sizeof(digits)});
				continue;
			}
			if (memchr(".\\\"();@$", c, 8))
				wr_u8(&t, '\\');
			wr_u8(&t, c);
		}
		wr_u8(&t, '.');
	}
	wr_bytes(w, wr_since(&t, room));
}

void
dname_read(struct rd *r, struct bytes msg, struct dname *out)
{
	struct rd at = *r;
	size_t piece = (size_t)(r->p - msg.p); /* where the labels being read began */
	unsigned hops = 0;
	uint8_t n;

	out->n = 0;
	out->labels = 0;
	while ((n = rd_u8(&at)) && !at.bad) {
		if (n >= POINTER) {
			size_t to = (size_t)(n - POINTER) << 8 | rd_u8(&at);

			/* Backward from the start of this piece: each hop is lower, so no loop. */
			if (at.bad || to < HEADER || to >= piece || ++hops > DNAME_HOPS_MAX)
				goto bad;
			if (hops == 1)
				r->p = at.p;
			piece = to;
			at = rd_of(msg);
			rd_take(&at, to);
		} else if (n > DNAME_LABEL_MAX || rd_left(&at) < n ||
		           !add_label(out, rd_take(&at, n))) {
			goto bad;
		}
	}
	if (at.bad)
		goto bad;
	out->wire[out->n++] = 0;
	if (!hops)
		r->p = at.p;
	return;
bad:
	r->bad = true;
	make_root(out);
}

struct bytes
dname_take(struct rd *r)
{
	struct rd at = *r;
	size_t size = 0;
	uint8_t n;

	do {
		n = rd_u8(&at);
		rd_take(&at, n);
		size += 1u + n;
		if (n > DNAME_LABEL_MAX || size > DNAME_MAX)
			at.bad = true;
	} while (n && !at.bad);
	if (at.bad) {
		r->bad = true;
		return NO_BYTES;
	}
	return rd_take(r, size);
}

bool
dname_ok(struct bytes b)
{
	struct rd r = rd_of(b);

	return dname_take(&r).n && !rd_left(&r);
}

void
dname_copy(struct dname *out, struct bytes name)
{
	memcpy(out->wire, name.p, name.n);
	out->n = (uint8_t)name.n;
	out->labels = (uint8_t)dname_labels(name);
}

void
dname_lower(struct dname *d)
{
	/* A length is below 'A', so all octets may be treated alike. */
	for (size_t i = 0; i < d->n; i++)
		d->wire[i] = lower(d->wire[i]);
}

void
dname_copy_lower(struct dname *out, struct bytes name)
{
	dname_copy(out, name);
	dname_lower(out);
}

bool
dname_join(struct dname *out, struct bytes labels, struct bytes suffix)
{
	struct bytes whole = {out->wire, labels.n + suffix.n};

	if (whole.n > DNAME_MAX)
		return false;
	memmove(out->wire + labels.n, suffix.p, suffix.n);
	if (labels.n)
		memmove(out->wire, labels.p, labels.n);
	out->n = (uint8_t)whole.n;
	out->labels = (uint8_t)dname_labels(whole);
	return true;
}

bool
dname_wildcard(struct dname *out, struct bytes parent)
{
	return dname_join(out, BYTES("\1*"), parent);
}

bool
dname_eq(struct bytes a, struct bytes b)
{
	/* A length is never a letter, so equal octets are equal labels. */
	return bytes_eq_nocase(a, b);
}

int
dname_cmp(struct bytes a, struct bytes b)
{
	uint8_t at[DNAME_LABELS_MAX + 1], bt[DNAME_LABELS_MAX + 1];
	unsigned an = edges(a, at), bn = edges(b, bt);

	while (an && bn) {
		int c = label_cmp(label_at(a, at[--an]), label_at(b, bt[--bn]));

		if (c)
			return c;
	}
	return (an > bn) - (an < bn);
}

bool
dname_is_below(struct bytes name, struct bytes ancestor)
{
	while (name.n > ancestor.n)
		name = dname_parent(name);
	return dname_eq(name, ancestor);
}

unsigned
dname_labels(struct bytes name)
{
	unsigned n = 0;

	for (size_t i = 0; name.p[i]; i += 1u + name.p[i])
		n++;
	return n;
}

unsigned
dname_common(struct bytes a, struct bytes b)
{
	uint8_t at[DNAME_LABELS_MAX + 1], bt[DNAME_LABELS_MAX + 1];
	unsigned an = edges(a, at), bn = edges(b, bt), n = 0;

	while (an && bn && !label_cmp(label_at(a, at[--an]), label_at(b, bt[--bn])))
		n++;
	return n;
}
