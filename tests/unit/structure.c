/* structure.c - what IMAP shows of a tree, how it numbers its parts, and what a row keeps. */
#include "mail/structure.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
parse(struct mime *m, struct bytes b)
{
	mime_init(m, MIME_MEMORY);
	mime_feed(m, b);
	mime_done(m);
}

/* The text of `m` in windows of `step` octets, with a NUL behind it. */
static const char *
shown(const struct mime *m, bool extended, size_t step)
{
	static uint8_t room[8192];
	struct structure_text t = {0};
	uint8_t *p = room;
	bool done = false;

	while (!done) {
		struct wr w = wr_of(p, step);

		assert_true(p + step < room + sizeof(room));
		done = structure_write(&w, &t, m, extended);
		assert_false(w.full);
		p = w.p;
	}
	*p = 0;
	return (const char *)room;
}

static const struct {
	const char *text, *body, *structure;
} cases[] = {
    {"a: b\r\n\r\nhello\r\n", "(\"text\" \"plain\" NIL NIL NIL \"7BIT\" 7 1)",
     "(\"text\" \"plain\" NIL NIL NIL \"7BIT\" 7 1 NIL NIL NIL NIL)"},
    {"Content-Type: application/x; name=\"a\\\"b\"\r\nContent-ID: <i>\r\n"
     "Content-Description: d\r\nContent-Transfer-Encoding: BASE64\r\nContent-MD5: m\r\n"
     "Content-Disposition: attachment; filename=f\r\nContent-Language: en\r\n"
     "Content-Location: l\r\n\r\nAAAA",
     "(\"application\" \"x\" (\"name\" \"a\\\"b\") \"<i>\" \"d\" \"BASE64\" 4)",
     "(\"application\" \"x\" (\"name\" \"a\\\"b\") \"<i>\" \"d\" \"BASE64\" 4 \"m\" "
     "(\"attachment\" (\"filename\" \"f\")) (\"en\") \"l\")"},
    {"Content-Type: multipart/alternative; boundary=b\r\nContent-Language: en, de\r\n\r\n"
     "--b\r\n\r\none\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\ntwo\r\n--b--\r\n",
     "((\"text\" \"plain\" NIL NIL NIL \"7BIT\" 3 0)"
     "(\"text\" \"html\" (\"charset\" \"utf-8\") NIL NIL \"7BIT\" 3 0) \"alternative\")",
     "((\"text\" \"plain\" NIL NIL NIL \"7BIT\" 3 0 NIL NIL NIL NIL)"
     "(\"text\" \"html\" (\"charset\" \"utf-8\") NIL NIL \"7BIT\" 3 0 NIL NIL NIL NIL) "
     "\"alternative\" (\"boundary\" \"b\") NIL (\"en\" \"de\") NIL)"},
    {"Content-Type: multipart/mixed; boundary=b\r\n\r\n",
     "((\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 0 0) \"mixed\")",
     "((\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 0 0 NIL NIL NIL NIL) \"mixed\" "
     "(\"boundary\" \"b\") NIL NIL NIL)"},
    {"Content-Type: message/rfc822\r\n\r\nSubject: s\r\nFrom: a@b\r\n\r\nx\r\n",
     "(\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 28 "
     "(NIL \"s\" ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) "
     "NIL NIL NIL NIL NIL) (\"text\" \"plain\" NIL NIL NIL \"7BIT\" 3 1) 4)",
     "(\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 28 "
     "(NIL \"s\" ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) "
     "NIL NIL NIL NIL NIL) (\"text\" \"plain\" NIL NIL NIL \"7BIT\" 3 1 NIL NIL NIL NIL) 4 "
     "NIL NIL NIL NIL)"},
};

static void
structures_are_shown(void **state)
{
	struct mime m;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		parse(&m, bytes_of(cases[i].text));
		for (size_t step = 1; step < 700; step += 1 + step / 4) {
			assert_string_equal(shown(&m, false, step), cases[i].body);
			assert_string_equal(shown(&m, true, step), cases[i].structure);
		}
		mime_fini(&m);
	}
}

/* The message of RFC 3501 6.4.5. */
static const char nested[] =
    "Subject: top\r\nContent-Type: multipart/mixed; boundary=A\r\n\r\n"
    "--A\r\n\r\npart 1\r\n"
    "--A\r\nContent-Type: application/octet-stream\r\n\r\npart 2\r\n"
    "--A\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: three\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"
    "--B\r\n\r\npart 3.1\r\n--B\r\n\r\npart 3.2\r\n--B--\r\n"
    "--A\r\nContent-Type: multipart/mixed; boundary=C\r\n\r\n"
    "--C\r\nContent-Type: image/gif\r\n\r\npart 4.1\r\n"
    "--C\r\nContent-Type: message/rfc822\r\n\r\nSubject: four two\r\n\r\npart 4.2.1\r\n--C--\r\n"
    "--A--\r\n";

static const struct {
	const char *path, *text; /* NULL: there is none; * at the end: how it begins */
} sections[] = {
    {"", "Subject: top\r\n*"},
    {"HEADER", "Subject: top\r\nContent-Type: multipart/mixed; boundary=A\r\n\r\n"},
    {"text", "--A\r\n*"},
    {"1", "part 1"},
    {"1.MIME", "\r\n"},
    {"2", "part 2"},
    {"2.mime", "Content-Type: application/octet-stream\r\n\r\n"},
    {"3", "Subject: three\r\n*"},
    {"3.MIME", "Content-Type: message/rfc822\r\n\r\n"},
    {"3.HEADER", "Subject: three\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"},
    {"3.TEXT", "--B\r\n\r\npart 3.1\r\n--B\r\n\r\npart 3.2\r\n--B--"},
    {"3.1", "part 3.1"},
    {"3.2", "part 3.2"},
    {"3.2.MIME", "\r\n"},
    {"4", "--C\r\n*"},
    {"4.1", "part 4.1"},
    {"4.1.MIME", "Content-Type: image/gif\r\n\r\n"},
    {"4.2", "Subject: four two\r\n\r\npart 4.2.1"},
    {"4.2.HEADER", "Subject: four two\r\n\r\n"},
    {"4.2.TEXT", "part 4.2.1"},
    {"4.2.1", "part 4.2.1"},
    {"4.2.1.MIME", "Subject: four two\r\n\r\n"},
    {"MIME", NULL},
    {"0", NULL},
    {"5", NULL},
    {"1.1", NULL},
    {"1.HEADER", NULL},
    {"1.TEXT", NULL},
    {"4.HEADER", NULL},
    {"4.3", NULL},
    {"4.2.2", NULL},
    {"4.2.1.1", NULL},
    {"3.3", NULL},
    {"1.", NULL},
    {".1", NULL},
    {"1.x", NULL},
    {"HEADER.1", NULL},
    {"4294967296", NULL},
};

static void
sections_are_found(void **state)
{
	struct bytes text, found;
	struct section s;
	struct mime m;
	bool whole;

	(void)state;
	parse(&m, bytes_of(nested));
	for (size_t i = 0; i < COUNT(sections); i++) {
		bool there = section_find_text(&m, bytes_of(sections[i].path), &s);

		if (there != (sections[i].text != NULL))
			print_error("section %s\n", sections[i].path);
		assert_int_equal(there, sections[i].text != NULL);
		if (!there)
			continue;
		text = bytes_of(sections[i].text);
		found = (struct bytes){(const uint8_t *)nested + s.at, (size_t)s.n};
		whole = !text.n || text.p[text.n - 1] != '*';
		text.n -= !whole;
		if (!whole && found.n > text.n)
			found.n = text.n;
		if (!bytes_eq(text, found))
			print_error("section %s: %.*s\n", sections[i].path, (int)found.n, found.p);
		assert_true(bytes_eq(text, found));
	}
	mime_fini(&m);
}

static void
a_single_part_is_part_one(void **state)
{
	struct section s;
	struct mime m;

	(void)state;
	parse(&m, BYTES("a: b\r\n\r\nx"));
	assert_true(section_find_text(&m, BYTES("1"), &s) && s.at == 8 && s.n == 1);
	assert_true(section_find_text(&m, BYTES("TEXT"), &s) && s.at == 8 && s.n == 1);
	assert_true(section_find_text(&m, BYTES("1.MIME"), &s) && s.at == 0 && s.n == 8);
	assert_false(section_find_text(&m, BYTES("1.1"), &s));
	assert_false(section_find_text(&m, BYTES("2"), &s));
	mime_fini(&m);
	parse(&m, BYTES("Content-Type: message/rfc822\r\n\r\na: b\r\n\r\nx"));
	assert_true(section_find_text(&m, BYTES("1"), &s) && s.at == 32 && s.n == 9);
	assert_true(section_find_text(&m, BYTES("1.1"), &s) && s.at == 40 && s.n == 1);
	assert_true(section_find_text(&m, BYTES("1.HEADER"), &s) && s.at == 32 && s.n == 8);
	mime_fini(&m);
}

static void
trees_come_back(void **state)
{
	uint8_t room[2048];
	struct mime m, again;
	struct bytes packed;
	struct section s, t;
	char first[4096];
	struct wr w, f;

	(void)state;
	for (size_t i = 0; i <= COUNT(cases); i++) {
		struct bytes text = i < COUNT(cases) ? bytes_of(cases[i].text) : bytes_of(nested);

		parse(&m, text);
		w = wr_of(room, sizeof(room));
		structure_pack(&w, &m);
		assert_false(w.full);
		packed = wr_since(&w, room);
		f = wr_of(first, sizeof(first) - 1);
		wr_text(&f, shown(&m, true, 4000));
		*f.p = 0;
		assert_true(is_ok(structure_unpack(&again, packed, text.n)));
		assert_string_equal(first, shown(&again, true, 4000));
		assert_int_equal(section_find_text(&m, BYTES("3.2"), &s),
		                 section_find_text(&again, BYTES("3.2"), &t));
		mime_fini(&again);
		for (size_t n = 0; n < packed.n; n++)
			assert_int_equal(
			    structure_unpack(&again, (struct bytes){packed.p, n}, text.n).code,
			    ERR_SYNTAX);
		assert_int_equal(structure_unpack(&again, packed, text.n - 1).code, ERR_SYNTAX);
		assert_int_equal(structure_unpack(&again, packed, text.n + 1).code, ERR_SYNTAX);
		mime_fini(&m);
	}
}

/* Whatever octets a row has, what is made of it stays within the message. */
static void
a_forged_row_is_refused(void **state)
{
	uint8_t room[2048];
	struct wr w = wr_of(room, sizeof(room));
	struct mime m, again;
	size_t n;

	(void)state;
	parse(&m, bytes_of(nested));
	structure_pack(&w, &m);
	n = wr_since(&w, room).n;
	for (size_t i = 0; i < n; i++)
		for (unsigned c = 0; c < 256; c += 5) {
			uint8_t old = room[i];

			room[i] = (uint8_t)c;
			if (is_ok(structure_unpack(&again, (struct bytes){room, n},
			                           sizeof(nested) - 1))) {
				for (uint32_t p = 0; p < again.n; p++)
					assert_true(again.parts[p].at <= again.parts[p].body &&
					            again.parts[p].body <= again.parts[p].end &&
					            again.parts[p].end <= sizeof(nested) - 1);
				shown(&again, true, 4000);
				mime_fini(&again);
			}
			room[i] = old;
		}
	mime_fini(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(structures_are_shown),      cmocka_unit_test(sections_are_found),
	    cmocka_unit_test(a_single_part_is_part_one), cmocka_unit_test(trees_come_back),
	    cmocka_unit_test(a_forged_row_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
