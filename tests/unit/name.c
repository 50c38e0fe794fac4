/* name.c - names: text and wire are the same name, compression is bounded, order is canonical. */
#include "dns/name.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static struct dname
name(const char *text)
{
	struct dname d;

	assert_null(dname_parse_text(&d, bytes_of(text), DNAME_ROOT));
	assert_true(dname_ok(dname_bytes(&d)));
	assert_int_equal(d.labels, dname_labels(dname_bytes(&d)));
	return d;
}

static void
text_becomes_wire_and_text_again(void **state)
{
	static const struct {
		const char *in, *origin, *out;
	} cases[] = {
	    {".", NULL, "."},
	    {"a.b.", NULL, "a.b."},
	    {"A.b", "Example.ORG.", "A.b.Example.ORG."},
	    {"a", ".", "a."},
	    {"@", "example.org.", "example.org."},
	    {"\\@", "org.", "\\@.org."},
	    {"a\\.b.c.", NULL, "a\\.b.c."},
	    {"\\046\\065.", NULL, "\\.A."},
	    {"\\000\\255\\010.", NULL, "\\000\\255\\010."},
	    {"a\\ b\\\\\\\"\\;\\(\\)\\$.", NULL, "a\\032b\\\\\\\"\\;\\(\\)\\$."},
	    {"*.x.", NULL, "*.x."},
	    {"<script>.", NULL, "<script>."},
	};
	uint8_t room[DNAME_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wr w = wr_of(room, sizeof(room));
		struct dname d, origin, again;
		struct bytes o = NO_BYTES;

		if (cases[i].origin) {
			origin = name(cases[i].origin);
			o = dname_bytes(&origin);
		}
		assert_null(dname_parse_text(&d, bytes_of(cases[i].in), o));
		assert_true(dname_ok(dname_bytes(&d)));
		dname_to_text(&w, dname_bytes(&d));
		assert_true(bytes_eq(wr_since(&w, room), bytes_of(cases[i].out)));
		assert_null(dname_parse_text(&again, wr_since(&w, room), NO_BYTES));
		assert_true(bytes_eq(dname_bytes(&again), dname_bytes(&d)));
	}
}

static void
text_that_is_no_name_is_refused(void **state)
{
	static const char *const cases[] = {"",   "..",   ".a.",   "a..b.",  "a",      "@",
	                                    "\\", "\\2.", "\\25.", "\\256.", "\\2a5.", "a.\\"};
	char label[65], text[300];
	struct dname d;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_non_null(dname_parse_text(&d, bytes_of(cases[i]), NO_BYTES));
	for (size_t n = 63; n <= 64; n++) {
		memset(label, 'x', n);
		label[n] = 0;
		assert_int_equal(dname_parse_text(&d, bytes_of(label), DNAME_ROOT) == NULL,
		                 n == 63);
	}
	/* 127 labels of one octet are the longest; an octet or a label more is too long. */
	for (size_t i = 0; i < 127; i++)
		memcpy(text + 2 * i, "a.", 2);
	assert_null(dname_parse_text(&d, (struct bytes){(uint8_t *)text, 254}, NO_BYTES));
	assert_int_equal(d.n, 255);
	assert_int_equal(d.labels, 127);
	assert_null(dname_parse_text(&d, (struct bytes){(uint8_t *)text, 253}, DNAME_ROOT));
	memcpy(text + 254, "a.", 2);
	for (size_t n = 255; n <= 256; n++)
		assert_non_null(
		    dname_parse_text(&d, (struct bytes){(uint8_t *)text, n}, DNAME_ROOT));
	memcpy(text + 252, "aa.", 3);
	assert_non_null(dname_parse_text(&d, (struct bytes){(uint8_t *)text, 255}, NO_BYTES));
}

static void
pointers_go_backward_only(void **state)
{
	/* At 12 "b.", at 15 "a" and a pointer to 12, at 19 a pointer to 15, at 21 to itself, at 23
	 * forward, at 25 into the header, at 27 "c" and a pointer to its own start. */
	static const uint8_t msg[] = {0,  0,    0,   0,    0, 0,   0,    0,    0,    0,    0,
	                              0,  1,    'b', 0,    1, 'a', 0xc0, 12,   0xc0, 15,   0xc0,
	                              21, 0xc0, 25,  0xc0, 4, 1,   'c',  0xc0, 27,   0x41, 0x80};
	static const struct {
		size_t at, behind; /* 0: not a name */
		const char *text;
	} cases[] = {{12, 15, "b."}, {15, 19, "a.b."}, {19, 21, "a.b."}, {21, 0, ""}, {23, 0, ""},
	             {25, 0, ""},    {27, 0, ""},      {31, 0, ""},      {32, 0, ""}, {33, 0, ""}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rd r = {msg + cases[i].at, msg + sizeof(msg), false};
		struct dname d;

		dname_read(&r, (struct bytes){msg, sizeof(msg)}, &d);
		assert_int_equal(r.bad, !cases[i].behind);
		assert_true(dname_ok(dname_bytes(&d)));
		if (!r.bad) {
			struct dname want = name(cases[i].text);

			assert_ptr_equal(r.p, msg + cases[i].behind);
			assert_true(bytes_eq(dname_bytes(&d), dname_bytes(&want)));
			assert_int_equal(d.labels, want.labels);
		}
	}
}

static void
uncompressed_names_are_views(void **state)
{
	static const struct {
		struct bytes in;
		size_t n;
	} cases[] = {
	    {{(const uint8_t *)"", 1}, 1},       {{(const uint8_t *)"\1a\0x", 4}, 3},
	    {{(const uint8_t *)"\1a", 2}, 0},    {{(const uint8_t *)"\3ab", 3}, 0},
	    {{(const uint8_t *)"\xc0\0", 2}, 0}, {{(const uint8_t *)"\x40", 1}, 0},
	};
	uint8_t longest[258] = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rd r = rd_of(cases[i].in);

		assert_int_equal(dname_take(&r).n, cases[i].n);
		assert_int_equal(r.bad, !cases[i].n);
		assert_int_equal(dname_ok(cases[i].in), cases[i].n && cases[i].n == cases[i].in.n);
	}
	for (size_t i = 0; i < 256; i += 2)
		longest[i] = 1;
	assert_false(dname_ok((struct bytes){longest, 257}));
	longest[254] = 0;
	assert_true(dname_ok((struct bytes){longest, 255}));
}

static void
names_are_in_canonical_order(void **state)
{
	/* RFC 4034 6.1's own list. */
	static const char *const order[] = {".",
	                                    "example.",
	                                    "a.example.",
	                                    "yljkjljk.a.example.",
	                                    "Z.a.example.",
	                                    "zABC.a.EXAMPLE.",
	                                    "z.example.",
	                                    "\\001.z.example.",
	                                    "*.z.example.",
	                                    "\\200.z.example."};

	(void)state;
	for (size_t i = 0; i < COUNT(order); i++)
		for (size_t k = 0; k < COUNT(order); k++) {
			struct dname a = name(order[i]), b = name(order[k]);
			int c = dname_cmp(dname_bytes(&a), dname_bytes(&b));

			assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
			assert_int_equal(dname_eq(dname_bytes(&a), dname_bytes(&b)), i == k);
		}
}

static void
ancestors_are_suffixes(void **state)
{
	static const struct {
		const char *name, *ancestor;
		bool below;
		unsigned common;
	} cases[] = {
	    {"a.B.c.", "b.C.", true, 2},     {"b.c.", "b.c.", true, 2}, {"xb.c.", "b.c.", false, 1},
	    {"b.c.", "a.b.c.", false, 2},    {"a.", ".", true, 0},      {".", "a.", false, 0},
	    {"\\001b.c.", "b.c.", false, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dname a = name(cases[i].name), b = name(cases[i].ancestor);

		assert_int_equal(dname_is_below(dname_bytes(&a), dname_bytes(&b)), cases[i].below);
		assert_int_equal(dname_common(dname_bytes(&a), dname_bytes(&b)), cases[i].common);
	}
}

static void
labels_come_and_go(void **state)
{
	struct dname d = name("WWW.Example.org."), w, want = name("*.example.ORG."), j;
	struct bytes up = dname_parent(dname_bytes(&d));

	(void)state;
	assert_true(bytes_eq(dname_label(up), BYTES("Example")));
	assert_true(dname_is_root(dname_strip(dname_bytes(&d), 3)));
	assert_true(dname_is_root(dname_parent(DNAME_ROOT)));
	assert_true(dname_wildcard(&w, up));
	assert_true(dname_is_wildcard(dname_bytes(&w)));
	assert_false(dname_is_wildcard(up));
	assert_true(dname_eq(dname_bytes(&w), dname_bytes(&want)));
	assert_true(dname_join(&j, (struct bytes){d.wire, 4}, dname_bytes(&w)));
	want = name("www.*.example.org.");
	assert_int_equal(j.labels, 4);
	dname_lower(&j);
	assert_true(bytes_eq(dname_bytes(&j), dname_bytes(&want)));
	/* Grows in place, up to 255 octets and no further. */
	j = name("a.");
	while (dname_wildcard(&j, dname_bytes(&j)))
		assert_true(dname_ok(dname_bytes(&j)));
	assert_int_equal(j.n, 255);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_becomes_wire_and_text_again),
	    cmocka_unit_test(text_that_is_no_name_is_refused),
	    cmocka_unit_test(pointers_go_backward_only),
	    cmocka_unit_test(uncompressed_names_are_views),
	    cmocka_unit_test(names_are_in_canonical_order),
	    cmocka_unit_test(ancestors_are_suffixes),
	    cmocka_unit_test(labels_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
