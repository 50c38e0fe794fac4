/* mime.c - the tree of parts: one reading of every message, wherever it is cut. */
#include "mail/mime.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
parse(struct mime *m, struct bytes b, size_t cut)
{
	mime_init(m, MIME_MEMORY);
	for (size_t i = 0; i < b.n; i += cut)
		mime_feed(m, (struct bytes){b.p + i, b.n - i < cut ? b.n - i : cut});
	mime_done(m);
}

/*
 * A part a line: its depth as dots, its kind (L M for multipart, R for message/rfc822), type/subtype,
 * the text of its body where it is a leaf, lines, and "!" where it is ambiguous, "?" where opaque.
 */
static void
describe(struct wr *w, const struct mime *m, struct bytes text)
{
	struct content c;

	for (uint32_t i = 0; i < m->n; i++) {
		const struct mime_part *p = &m->parts[i];

		for (uint32_t d = 0; d < p->depth; d++)
			wr_u8(w, '.');
		mime_content(m, i, &c);
		wr_u8(w, (uint8_t) "LMR"[p->kind]);
		wr_printf(w, " %.*s/%.*s", (int)c.type.n, (const char *)c.type.p, (int)c.subtype.n,
		          (const char *)c.subtype.p);
		if (p->kind == MIME_LEAF) {
			wr_text(w, " [");
			wr_bytes(w, (struct bytes){text.p + p->body, (size_t)(p->end - p->body)});
			wr_text(w, "]");
		}
		wr_printf(w, " %u%s%s%s;", p->lines, p->flags & MIME_AMBIGUOUS ? "!" : "",
		          p->flags & MIME_OPAQUE ? "?" : "", p->flags & MIME_8BIT ? " 8" : "");
	}
}

#define MIXED(b) "Content-Type: multipart/mixed; boundary=" b "\r\n\r\n"

static const struct {
	const char *name, *text, *tree;
} cases[] = {
    {"nothing", "", "L text/plain [] 0;"},
    {"no header", "hello\r\nworld", "L text/plain [hello\r\nworld] 1;"},
    {"no body", "Subject: a\r\n", "L text/plain [] 0;"},
    {"a body", "Subject: a\r\n\r\nb\r\nc\r\n", "L text/plain [b\r\nc\r\n] 2;"},
    {"lines of LF", "Content-Type: a/b\n\nb\nc\n", "L a/b [b\nc\n] 2;"},
    {"folds and comments", "Content-Type: (x(y)) text (a\\)b)\r\n / html\r\n\t;charset=x\r\n\r\n",
     "L text/html [] 0;"},
    {"two parts",
     MIXED("b") "pre\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: "
                "a/b\r\n\r\ntwo\r\nx\r\n\r\n--b--\r\npost",
     "M multipart/mixed 11;.L text/plain [one] 0;.L a/b [two\r\nx\r\n] 2;"},
    {"delimiters of LF", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n",
     "M multipart/mixed 4;.L text/plain [one] 0;"},
    {"blanks behind a delimiter", MIXED("b") "--b \t\r\n\r\none\r\n--b-- \r\n",
     "M multipart/mixed 4;.L text/plain [one] 0;"},
    {"what begins like a delimiter is none",
     MIXED("b") "--b\r\n\r\n--bb\r\n--b-\r\n--b--x\r\n -\r\n--b--",
     "M multipart/mixed 6;.L text/plain [--bb\r\n--b-\r\n--b--x\r\n -] 3;"},
    {"empty parts", MIXED("b") "--b\r\n--b\r\n\r\n--b\r\n\r\n\r\n--b--",
     "M multipart/mixed 6;.L text/plain [] 0;.L text/plain [] 0;.L text/plain [] 0;"},
    {"no end", MIXED("b") "--b\r\n\r\none\r\n", "M multipart/mixed 3;.L text/plain [one\r\n] 1;"},
    {"no delimiter at all", MIXED("b") "text\r\n", "M multipart/mixed 1;"},
    {"no boundary", "Content-Type: multipart/mixed\r\n\r\n--b\r\n", "L text/plain [--b\r\n] 1!;"},
    {"nothing behind the end", MIXED("b") "--b\r\n\r\none\r\n--b--\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
     "M multipart/mixed 8;.L text/plain [one] 0;"},
    {"a boundary within another",
     MIXED("b") "--b\r\n" MIXED("bb") "--bb\r\n\r\none\r\n--bb--\r\n--b\r\n\r\ntwo\r\n--b--",
     "M multipart/mixed 10;.M multipart/mixed 3;..L text/plain [one] 0;.L text/plain [two] 0;"},
    {"the outer one ends the inner",
     MIXED("o") "--o\r\n" MIXED("i") "--i\r\n\r\none\r\n--o\r\n\r\ntwo\r\n--o--",
     "M multipart/mixed 9;.M multipart/mixed 2;..L text/plain [one] 0;.L text/plain [two] 0;"},
    {"the same boundary twice: the inner takes it",
     MIXED("b") "--b\r\n" MIXED("b") "--b\r\n\r\none\r\n--b--\r\n--b\r\n\r\ntwo",
     "M multipart/mixed 9;.M multipart/mixed 3;..L text/plain [one] 0;.L text/plain [two] 0;"},
    {"a delimiter that looks like a field",
     "Content-Type: multipart/mixed; boundary=\"a:b\"\r\n\r\n--a:b\r\nSubject: "
     "x\r\n--a:b\r\n\r\ntwo",
     "M multipart/mixed 4;.L text/plain [] 0;.L text/plain [two] 0;"},
    {"a delimiter behind the last field",
     "Content-Type: multipart/mixed; boundary=b\r\n--b\r\n\r\none",
     "M multipart/mixed 2;.L text/plain [one] 0;"},
    {"a message", "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n",
     "R message/rfc822 3;.L text/plain [x\r\n] 1;"},
    {"a message in a message",
     "Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\n\r\nx",
     "R message/rfc822 3;.R message/rfc822 1;..L text/plain [x] 0;"},
    {"a digest",
     "Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nSubject: "
     "a\r\n\r\nx\r\n--d\r\nContent-Type: a/b\r\n\r\ny\r\n--d--",
     "M multipart/digest 9;.R message/rfc822 2;..L text/plain [x] 0;.L a/b [y] 0;"},
    {"the first field counts",
     "Content-Type: a/b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n",
     "L a/b [--b\r\n\r\n] 2!;"},
    {"the first boundary counts",
     "Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--b\r\n\r\nb\r\n--a\r\n\r\na",
     "M multipart/mixed 5!;.L text/plain [a] 0;"},
    {"an encoded multipart is not",
     "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: "
     "base64\r\n\r\n--b\r\n\r\nx",
     "M multipart/mixed 2!;.L text/plain [x] 0;"},
    {"no type", "Content-Type: text\r\n\r\nx", "L text/plain [x] 0!;"},
    {"external bodies are leaves",
     "Content-Type: message/external-body\r\n\r\nContent-Type: a/b\r\n\r\n",
     "L message/external-body [Content-Type: a/b\r\n\r\n] 2;"},
    {"8 bits", MIXED("b") "\344\r\n--b\r\n\r\n\344\r\n--b\r\n\r\nx\r\n--b--\r\n",
     "M multipart/mixed 8 8;.L text/plain [\344] 0 8;.L text/plain [x] 0;"},
};

static void
every_message_has_one_reading(void **state)
{
	uint8_t room[4096];
	struct bytes text;
	struct mime m;
	struct wr w;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		text = bytes_of(cases[i].text);
		for (size_t cut = 1; cut <= text.n + 1; cut++) {
			parse(&m, text, cut);
			w = wr_of(room, sizeof(room) - 1);
			describe(&w, &m, text);
			*w.p = 0;
			if (strcmp((const char *)room, cases[i].tree) != 0)
				print_error("%s, cut %zu\n", cases[i].name, cut);
			assert_string_equal((const char *)room, cases[i].tree);
			assert_false(m.cut);
			mime_fini(&m);
		}
	}
}

static void
fields_are_read(void **state)
{
	static const char text[] = "content-type : Text/Plain; Charset=\"us-\\\"ascii\" ; "
				   "name=a/b.c (c) ;;x; format=flowed\r\n"
				   "Content-Transfer-Encoding: (no) Base64\r\n"
				   "CONTENT-ID: <a@b>\r\n"
				   "Content-Description: two\r\n  words \r\n"
				   "Content-Disposition: attachment; filename=\"a b\"\r\n"
				   "Content-Language: en, de-AT (x), fr\r\n"
				   "Content-Location: http://x/\r\n"
				   "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\n\r\n";
	struct bytes tag, languages;
	struct content c;
	struct mime m;

	(void)state;
	parse(&m, bytes_of(text), 3);
	mime_content(&m, 0, &c);
	assert_true(content_is(&c, "TEXT", "plain"));
	assert_true(bytes_eq(content_param_find(c.params, "charset"), BYTES("us-\"ascii")));
	assert_true(bytes_eq(content_param_find(c.params, "NAME"), BYTES("a/b.c")));
	assert_true(bytes_eq(content_param_find(c.params, "format"), BYTES("flowed")));
	assert_null(content_param_find(c.params, "x").p);
	assert_true(bytes_eq(c.encoding, BYTES("Base64")));
	assert_true(bytes_eq(c.id, BYTES("<a@b>")));
	assert_true(bytes_eq(c.description, BYTES("two  words")));
	assert_true(bytes_eq(c.disposition, BYTES("attachment")));
	assert_true(bytes_eq(content_param_find(c.disposition_params, "filename"), BYTES("a b")));
	languages = c.languages;
	assert_true(content_language(&languages, &tag) && bytes_eq(tag, BYTES("en")));
	assert_true(content_language(&languages, &tag) && bytes_eq(tag, BYTES("de-AT")));
	assert_true(content_language(&languages, &tag) && bytes_eq(tag, BYTES("fr")));
	assert_false(content_language(&languages, &tag));
	assert_true(bytes_eq(c.location, BYTES("http://x/")));
	assert_true(bytes_eq(c.md5, BYTES("Q2hlY2sgSW50ZWdyaXR5IQ==")));
	assert_int_equal(m.parts[0].encoding, ENCODING_BASE64);
	assert_true(m.ambiguous); /* the "x" */
	mime_fini(&m);
}

static void
a_damaged_content_is_refused(void **state)
{
	static const char text[] = "Content-Type: a/b; c=d; e=f\r\nContent-ID: x\r\n";
	uint8_t room[CONTENT_PACKED_MAX];
	struct wr w = wr_of(room, sizeof(room));
	struct bytes packed;
	struct content c;

	(void)state;
	content_read(&w, bytes_of(text), false);
	packed = wr_since(&w, room);
	assert_true(content_unpack(packed, &c));
	for (size_t n = 0; n < packed.n; n++)
		assert_false(content_unpack((struct bytes){room, n}, &c));
	room[packed.n] = 0;
	assert_false(content_unpack((struct bytes){room, packed.n + 1}, &c));
}

static void
what_a_header_says_first_is_kept(void **state)
{
	/* A header larger than what is held: what says what the part is is not crowded out. */
	static const char to[] = "To: a@b.example, ", type[] = "\r\nContent-Type: a/b\r\n\r\nx";
	struct content c;
	struct mime m;

	(void)state;
	mime_init(&m, 65536);
	mime_feed(&m, BYTES("From: a@b\r\n"));
	for (size_t i = 0; i < 100000; i++)
		mime_feed(&m, i ? BYTES("bob@c.example,\r\n ") : bytes_of(to));
	mime_feed(&m, bytes_of(type));
	mime_done(&m);
	assert_true(m.cut && m.used <= 65536 && m.n == 1);
	mime_content(&m, 0, &c);
	assert_true(content_is(&c, "a", "b"));
	assert_true(mime_envelope(&m, 0).n > 1000);
	mime_fini(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_message_has_one_reading),
	    cmocka_unit_test(fields_are_read),
	    cmocka_unit_test(a_damaged_content_is_refused),
	    cmocka_unit_test(what_a_header_says_first_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
