/*
 * mime.c - any octets as a message: the tree of parts does not depend on how the message was cut,
 * its offsets lie within each other, what is rendered is the same in every window, what was packed
 * or encoded comes back, and what was made fit for 7 bits says the same as before.
 */
#include "mail/mime.h"

#include "base/text.h"
#include "mail/convert.h"
#include "mail/envelope.h"
#include "mail/header.h"
#include "mail/structure.h"
#include "mail/summary.h"
#include "mail/words.h"

#include <assert.h>
#include <stdlib.h>

enum { ROOM = 1 << 20, PATH_MAX_PARTS = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint8_t one[ROOM], two[ROOM], three[ROOM];

static void
parse(struct mime *m, struct bytes b, size_t cut, size_t memory)
{
	mime_init(m, memory);
	for (size_t i = 0; i < b.n; i += cut)
		mime_feed(m, (struct bytes){b.p + i, b.n - i < cut ? b.n - i : cut});
	mime_done(m);
	assert(m->used <= m->memory && m->n >= 1 && m->n <= MIME_PARTS_MAX);
}

static void
check_tree(const struct mime *m, size_t n)
{
	assert(m->parts[0].at == 0 && m->parts[0].end == n);
	for (uint32_t i = 0; i < m->n; i++) {
		const struct mime_part *p = &m->parts[i];

		assert(p->at <= p->body && p->body <= p->end && p->depth <= MIME_DEPTH_MAX);
		assert((p->kind == MIME_MESSAGE) <= (p->child != MIME_NONE));
		assert(p->kind != MIME_LEAF || p->child == MIME_NONE);
		if (i) {
			assert(p->parent < i && p->at >= m->parts[p->parent].body);
			assert(p->end <= m->parts[p->parent].end);
			assert(p->depth == m->parts[p->parent].depth + 1);
		}
		assert(p->next == MIME_NONE || m->parts[p->next].at >= p->end);
	}
}

static void
same_trees(const struct mime *a, const struct mime *b)
{
	assert(a->n == b->n && a->cut == b->cut && a->ambiguous == b->ambiguous);
	for (uint32_t i = 0; i < a->n; i++) {
		struct mime_part p = a->parts[i], q = b->parts[i];

		assert(p.at == q.at && p.body == q.body && p.end == q.end && p.lines == q.lines);
		assert(p.parent == q.parent && p.child == q.child && p.next == q.next);
		assert(p.kind == q.kind && p.encoding == q.encoding && p.flags == q.flags);
		assert(p.depth == q.depth);
	}
}

/* BODYSTRUCTURE in windows of `step` octets. */
static struct bytes
render(const struct mime *m, uint8_t *room, size_t step, bool extended)
{
	struct structure_text t = {0};
	struct wr all = wr_of(room, ROOM), w;
	bool done = false;

	while (!done && wr_room(&all) >= step) {
		w = wr_of(all.p, step);
		done = structure_write(&w, &t, m, extended);
		assert(!w.full && (done || w.p == w.end));
		all.p = w.p;
	}
	return wr_since(&all, room);
}

static void
check_packed(const struct mime *m, size_t n)
{
	struct wr w = wr_of(three, ROOM);
	struct bytes packed, whole;
	struct mime again;

	structure_pack(&w, m);
	assert(!w.full);
	packed = wr_since(&w, three);
	assert(is_ok(structure_unpack(&again, packed, n)));
	again.cut = m->cut;
	same_trees(m, &again);
	whole = render(m, one, ROOM, true);
	assert(bytes_eq(whole, render(&again, two, 61, true)));
	mime_fini(&again);
	for (size_t i = 0; i < packed.n && i < 64; i++)
		if (is_ok(structure_unpack(&again, (struct bytes){packed.p, i}, n)))
			mime_fini(&again);
	render(m, one, 1000, false);
}

static void
check_sections(const struct mime *m)
{
	static const char *const texts[] = {"",       "1",          "2",        "1.1",
	                                    "HEADER", "TEXT",       "1.HEADER", "1.TEXT",
	                                    "1.MIME", "2.1.HEADER", "1.1.1.1",  "3.2"};
	struct section s;

	for (size_t i = 0; i < COUNT(texts); i++)
		if (section_find_text(m, bytes_of(texts[i]), &s))
			assert(s.at <= m->parts[0].end && s.n <= m->parts[0].end - s.at &&
			       s.part < m->n);
}

static struct bytes
decoded(struct bytes b, enum encoding encoding, uint8_t *room, size_t cut)
{
	struct decode d = {.encoding = (uint8_t)encoding};
	struct wr w = wr_of(room, ROOM);
	struct rd in;

	for (size_t i = 0; i < b.n; i += cut) {
		in = rd_of((struct bytes){b.p + i, b.n - i < cut ? b.n - i : cut});
		decode_feed(&d, &in, &w);
		assert(!rd_left(&in));
	}
	decode_finish(&d, &w);
	return wr_since(&w, room);
}

static void
check_encodings(struct bytes b, size_t cut)
{
	struct encode e;
	struct wr w;
	struct rd in;
	struct bytes text;

	for (int encoding = ENCODING_QP; encoding <= ENCODING_BASE64; encoding++) {
		e = (struct encode){.encoding = (uint8_t)encoding};
		w = wr_of(one, ROOM);
		for (size_t i = 0; i < b.n; i += cut) {
			in = rd_of((struct bytes){b.p + i, b.n - i < cut ? b.n - i : cut});
			encode_feed(&e, &in, &w);
			assert(!rd_left(&in));
		}
		encode_finish(&e, &w);
		text = wr_since(&w, one);
		assert(bytes_eq(b, decoded(text, (enum encoding)encoding, two, cut)));
		text = decoded(b, (enum encoding)encoding, one, cut);
		assert(text.n <= b.n);
		assert(bytes_eq(text, decoded(b, (enum encoding)encoding, two, b.n + 1)));
	}
}

static struct bytes
convert(const struct mime *m, struct bytes b, size_t cut)
{
	struct wr all = wr_of(three, ROOM), w;
	struct convert c;
	bool done = false;
	struct rd in;

	convert_init(&c, m);
	for (size_t i = 0; !done; i += cut) {
		in = rd_of((struct bytes){b.p + (i < b.n ? i : b.n), i >= b.n        ? 0
		                                                     : b.n - i < cut ? b.n - i
		                                                                     : cut});
		do {
			w = wr_of(all.p, CONVERT_ROOM + cut);
			done = convert_step(&c, &in, &w);
			assert(!w.full);
			all.p = w.p;
		} while (!done && rd_left(&in));
	}
	return wr_since(&all, three);
}

/* The parts are the same, and so is what they say, now in 7 bits. */
static void
check_converted(const struct mime *m, struct bytes b, struct bytes after)
{
	struct bytes before_text, after_text;
	struct mime n;

	for (size_t i = 0; i < after.n; i++)
		assert(after.p[i] < 0x80);
	parse(&n, after, 4096, MIME_MEMORY);
	if (m->cut || n.cut) {
		mime_fini(&n);
		return;
	}
	assert(n.n == m->n);
	for (uint32_t i = 0; i < m->n; i++) {
		const struct mime_part *p = &m->parts[i], *q = &n.parts[i];

		assert(p->kind == q->kind);
		if (p->kind != MIME_LEAF)
			continue;
		before_text = decoded((struct bytes){b.p + p->body, (size_t)(p->end - p->body)},
		                      (enum encoding)p->encoding, one, 4096);
		after_text = decoded((struct bytes){after.p + q->body, (size_t)(q->end - q->body)},
		                     (enum encoding)q->encoding, two, 4096);
		assert(bytes_eq(before_text, after_text));
	}
	mime_fini(&n);
}

static void
check_convert(const struct mime *m, struct bytes b, size_t cut)
{
	enum convert_plan plan = convert_plan(m);
	struct bytes after = convert(m, b, cut);

	if (plan == CONVERT_NOTHING)
		assert(bytes_eq(after, b));
	if (plan == CONVERT_NEEDED)
		check_converted(m, b, after);
}

static void
check_text(struct bytes b)
{
	struct wr w = wr_of(one, b.n * WORDS_GROWTH + WORDS_SPARE);
	struct header h = header_of(b);
	struct header_field f;
	struct content c;

	words_decode(&w, b);
	assert(!w.full && text_is_utf8(wr_since(&w, one)));
	w = wr_of(one, CONTENT_PACKED_MAX);
	content_read(&w, b, false);
	assert(!w.full && content_unpack(wr_since(&w, one), &c));
	w = wr_of(two, ROOM);
	words_param(&w, c.params, "name");
	assert(text_is_utf8(wr_since(&w, two)));
	w = wr_of(one, ENVELOPE_MAX);
	envelope_write(&w, b);
	assert(!w.full);
	while (header_next(&h, &f)) {
		w = wr_of(one, f.value.n * WORDS_GROWTH + WORDS_SPARE);
		words_decode(&w, f.value);
	}
}

static void
check_summary(struct bytes b, size_t cut)
{
	struct summary_scan s;
	struct summary row, read;
	struct wr w = wr_of(one, SUMMARY_PACKED_MAX);
	struct mime m;
	struct rd in;

	summary_init(&s);
	for (size_t i = 0; i < b.n; i += cut)
		summary_feed(&s, (struct bytes){b.p + i, b.n - i < cut ? b.n - i : cut});
	row = summary_done(&s);
	assert(row.size == b.n && row.body == header_body(b));
	summary_write(&w, &row);
	assert(!w.full);
	in = rd_of(wr_since(&w, one));
	assert(is_ok(summary_read(&in, &read)) && !rd_left(&in));
	if (read.structure.n) {
		assert(is_ok(structure_unpack(&m, read.structure, read.size)));
		assert(m.parts[0].body == row.body);
		mime_fini(&m);
	}
	summary_fini(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t cut = n ? data[n - 1] % 16 + 1u : 1;
	struct bytes b = {data, n};
	struct mime m, again;

	if (n > ROOM / 8)
		return 0;
	parse(&m, b, n + 1, MIME_MEMORY);
	check_tree(&m, n);
	parse(&again, b, cut, MIME_MEMORY);
	same_trees(&m, &again);
	mime_fini(&again);
	assert(m.cut || m.parts[0].body == header_body(b));
	check_packed(&m, n);
	check_sections(&m);
	check_convert(&m, b, cut);
	mime_fini(&m);
	parse(&m, b, cut, 2048); /* little memory: bounds are reached */
	check_tree(&m, n);
	check_packed(&m, n);
	check_convert(&m, b, cut);
	mime_fini(&m);
	check_encodings(b, cut);
	check_text(b);
	check_summary(b, cut);
	return 0;
}
