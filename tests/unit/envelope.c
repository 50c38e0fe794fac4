/* envelope.c - ENVELOPE of headers as they come. */
#include "mail/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdlib.h>

static void
envelopes_are_shown(void **state)
{
	static const struct {
		const char *header, *envelope;
	} cases[] = {
	    {"", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"},
	    {"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
	     "From: Terry Gray <gray@cac.washington.edu>\r\n"
	     "Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
	     "To: imap@cac.washington.edu\r\n"
	     "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
	     "Message-Id: <B27397-0100000@cac.washington.edu>\r\n\r\n",
	     "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" "
	     "\"IMAP4rev1 WG mtg summary and minutes\" "
	     "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
	     "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
	     "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
	     "((NIL NIL \"imap\" \"cac.washington.edu\")) "
	     "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")"
	     "(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
	     "\"<B27397-0100000@cac.washington.edu>\")"},
	    {"Subject:\r\nIn-Reply-To: <a>\r\n <b>\r\nSender: s@t\r\nReply-To: r@u\r\n"
	     "From: f@v\r\nBcc: b@w\r\n",
	     "(NIL \"\" ((NIL NIL \"f\" \"v\")) ((NIL NIL \"s\" \"t\")) "
	     "((NIL NIL \"r\" \"u\")) NIL NIL ((NIL NIL \"b\" \"w\")) \"<a> <b>\" NIL)"},
	    {"Subject: a \"b\" \\\r\n",
	     "(NIL \"a \\\"b\\\" \\\\\" NIL NIL NIL NIL NIL NIL NIL NIL)"},
	    {"Subject: \344\r\n", "(NIL {1}\r\n\344 NIL NIL NIL NIL NIL NIL NIL NIL)"},
	    {"Subject: a\rb\r\nSubject: c\r\n", "(NIL \"ab\" NIL NIL NIL NIL NIL NIL NIL NIL)"},
	};
	uint8_t room[ENVELOPE_MAX];
	struct wr w;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		w = wr_of(room, sizeof(room) - 1);
		envelope_write(&w, bytes_of(cases[i].header));
		*w.p = 0;
		assert_string_equal((const char *)room, cases[i].envelope);
	}
}

static void
addresses_are_read_as_they_come(void **state)
{
	static const struct {
		const char *to, *list;
	} cases[] = {
	    {"", "NIL"},
	    {" , ,", "NIL"},
	    {"(only a comment)", "NIL"},
	    {"a@b", "((NIL NIL \"a\" \"b\"))"},
	    {"a@b (Al (the) B)", "((\"Al (the) B\" NIL \"a\" \"b\"))"},
	    {"a . b @ c . d", "((NIL NIL \"a.b\" \"c.d\"))"},
	    {"\"a b\"@c", "((NIL NIL \"a b\" \"c\"))"},
	    {"A  B.\r\n C <a@b>", "((\"A B. C\" NIL \"a\" \"b\"))"},
	    {"\"A, \\\"B\\\"\" <a@b>", "((\"A, \\\"B\\\"\" NIL \"a\" \"b\"))"},
	    {"<a@b>", "((NIL NIL \"a\" \"b\"))"},
	    {"x@y <a@b>", "((\"x@y\" NIL \"a\" \"b\"))"},
	    {"=?utf-8?q?A?= <a@b>", "((\"=?utf-8?q?A?=\" NIL \"a\" \"b\"))"},
	    {"<@r,@s:a@b>", "((NIL \"@r,@s\" \"a\" \"b\"))"},
	    {"a@[127.0.0.1]", "((NIL NIL \"a\" \"[127.0.0.1]\"))"},
	    {"nobody", "((NIL NIL \"nobody\" \"\"))"},
	    {"two words", "((NIL NIL \"two words\" \"\"))"},
	    {"<>", "((NIL NIL \"\" \"\"))"},
	    {"A <a>", "((\"A\" NIL \"a\" \"\"))"},
	    {"<a@b@c>", "((NIL NIL \"a\" \"b\"))"},
	    {"<a@b", "((NIL NIL \"a\" \"b\"))"},
	    {"<a@b, c@d", "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\"))"},
	    {"G: a@b, C <c@d>; e@f", "((NIL NIL \"G\" NIL)(NIL NIL \"a\" \"b\")"
	                             "(\"C\" NIL \"c\" \"d\")(NIL NIL NIL NIL)"
	                             "(NIL NIL \"e\" \"f\"))"},
	    {"undisclosed recipients:;", "((NIL NIL \"undisclosed recipients\" NIL)"
	                                 "(NIL NIL NIL NIL))"},
	    {"G: a@b", "((NIL NIL \"G\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL))"},
	    {"G: H: a@b;", "((NIL NIL \"G\" NIL)(NIL NIL NIL NIL)(NIL NIL \"H\" NIL)"
	                   "(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL))"},
	    {"a@b;c@d", "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\"))"},
	    {"\303\244 <a@b>", "(({2}\r\n\303\244 NIL \"a\" \"b\"))"},
	    {"a@b (open", "((NIL NIL \"a\" \"b\"))"},
	    {"\"open <a@b>", "((NIL NIL \"open <a@b>\" \"\"))"},
	};
	uint8_t room[ENVELOPE_MAX];
	char header[1024], wanted[1024];
	struct wr w, v;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		w = wr_of(header, sizeof(header) - 1);
		wr_printf(&w, "To: %s\r\n", cases[i].to);
		v = wr_of(wanted, sizeof(wanted) - 1);
		wr_printf(&v, "(NIL NIL NIL NIL NIL %s NIL NIL NIL NIL)", cases[i].list);
		*v.p = 0;
		v = wr_of(room, sizeof(room) - 1);
		envelope_write(&v, wr_since(&w, (uint8_t *)header));
		*v.p = 0;
		assert_string_equal((const char *)room, wanted);
	}
}

static void
fields_of_one_name_are_one_list(void **state)
{
	uint8_t room[ENVELOPE_MAX];
	struct wr w = wr_of(room, sizeof(room) - 1);

	(void)state;
	envelope_write(&w, BYTES("Cc: a@b\r\nCc: c@d\r\n"));
	*w.p = 0;
	assert_string_equal((const char *)room, "(NIL NIL NIL NIL NIL NIL ((NIL NIL \"a\" \"b\")"
	                                        "(NIL NIL \"c\" \"d\")) NIL NIL NIL)");
}

static void
strings_are_quoted_or_literal(void **state)
{
	uint8_t room[64];
	struct wr w = wr_of(room, sizeof(room) - 1);

	(void)state;
	imap_string(&w, NO_BYTES);
	imap_nstring(&w, NO_BYTES);
	imap_string(&w, BYTES("a\"\0b"));
	imap_string(&w, BYTES("a\n\0b"));
	*w.p = 0;
	assert_string_equal((const char *)room, "\"\"NIL\"a\\\"b\"{3}\r\na\nb");
}

/* No field makes it larger than it says, whatever octets it is of. */
static void
a_large_header_is_cut(void **state)
{
	static const char *const names[] = {"Date", "Subject", "From", "Sender",      "Reply-To",
	                                    "To",   "Cc",      "Bcc",  "In-Reply-To", "Message-ID"};
	static const char *const fill[] = {"\"", "\\", "a,", "\344", "g:;", "\"\\\"\"<@a:b@c>,",
	                                   "("};
	enum { N = 20000 };
	char *header = malloc(COUNT(names) * (N + 64));
	uint8_t *room = malloc(ENVELOPE_MAX);
	struct wr h, w;

	(void)state;
	for (size_t f = 0; f < COUNT(fill); f++) {
		h = wr_of(header, COUNT(names) * (N + 64));
		for (size_t i = 0; i < COUNT(names); i++) {
			wr_printf(&h, "%s:", names[i]);
			for (size_t k = 0; k < N / strlen(fill[f]); k++)
				wr_text(&h, fill[f]);
			wr_text(&h, "\r\n");
		}
		assert_false(h.full);
		w = wr_of(room, ENVELOPE_MAX);
		envelope_write(&w, wr_since(&h, (uint8_t *)header));
		assert_false(w.full);
		assert_int_equal(w.p[-1], ')');
	}
	free(header);
	free(room);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(envelopes_are_shown),
	    cmocka_unit_test(addresses_are_read_as_they_come),
	    cmocka_unit_test(fields_of_one_name_are_one_list),
	    cmocka_unit_test(strings_are_quoted_or_literal),
	    cmocka_unit_test(a_large_header_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
