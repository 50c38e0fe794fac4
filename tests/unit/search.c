/* search.c - keys against messages: what matches, and what must be read to know it. */
#include "view/search.h"

#include "mail/summary.h"
#include "view/fold.h"
#include "view/needle.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdlib.h>

static const char mixed[] =
    "Date: Mon, 2 Mar 2026 23:30:00 -0500\r\n"
    "From: =?iso-8859-1?q?J=F6rg_M=FCller?= <joerg@example.org>\r\n"
    "To: bob@example.com,\r\n\tcarol@example.com\r\n"
    "Subject: Hello =?utf-8?b?V8OWUkxE?=\r\n"
    "X-Empty:\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "preamble\r\n"
    "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\nSch=\r\n=F6ne Gr=FC=DFe, aaab\r\n"
    "--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "PGI+Zsi8w6TDpA==\r\n"
    "--b\r\nContent-Type: image/x\r\n\r\npicture\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner =?utf-8?q?=C3=84?=\r\n\r\ndeep\r\n"
    "--b--\r\nepilogue\r\n";

static const char plain[] = "Subject: plain\r\n\r\nno charset: \303\204\r\n";

enum reads { NONE, HEAD, BODY }; /* what is read to know it */

static const struct {
	const char *keys;
	bool mixed, plain; /* matches */
	enum reads reads;  /* of the first, where its row has all */
} cases[] = {
    {"ALL", true, true, NONE},
    {"SEEN", true, false, NONE},
    {"UNSEEN", false, true, NONE},
    {"NEW", false, true, NONE},
    {"OLD", true, false, NONE},
    {"FLAGGED", false, false, NONE},
    {"KEYWORD $junk", true, false, NONE},
    {"UNKEYWORD $Junk", false, true, NONE},
    {"KEYWORD none", false, false, NONE},
    {"1", true, false, NONE},
    {"2:*", false, true, NONE},
    {"UID 7", true, false, NONE},
    {"UID 8:100", false, true, NONE},
    {"NOT (1 2)", true, true, NONE},
    {"SINCE 1-Jan-2026 BEFORE 3-Jan-2026", true, false, NONE},
    {"ON 2-Jan-2026", true, false, NONE},
    {"ON 3-Jan-2026", false, true, NONE},
    {"LARGER 100", true, false, NONE},
    {"SMALLER 100", false, true, NONE},
    {"SENTON 2-Mar-2026", true, false, NONE},
    {"SENTBEFORE 2-Mar-2026", false, false, NONE},
    {"SENTSINCE 2-Mar-2026", true, false, NONE},
    {"NOT SENTSINCE 2-Mar-2026", false, true, NONE},
    {"SUBJECT hello", true, false, HEAD},
    {"SUBJECT \"hello w\303\266rld\"", true, false, HEAD},
    {"SUBJECT inner", false, false, HEAD},
    {"FROM \"M\303\234LLER\"", true, false, HEAD},
    {"FROM joerg@example.org", true, false, HEAD},
    {"TO \"bob@example.com,\tcarol\"", true, false, HEAD},
    {"CC bob", false, false, HEAD},
    {"HEADER x-empty \"\"", true, false, HEAD},
    {"HEADER x-empty a", false, false, HEAD},
    {"HEADER X-None \"\"", false, false, HEAD},
    {"SUBJECT subject", false, false, HEAD},
    {"SEEN SUBJECT hello", true, false, HEAD},
    {"UNSEEN SUBJECT hello", false, false, NONE},
    {"OR SEEN SUBJECT hello", true, false, NONE},
    {"OR SUBJECT plain SUBJECT hello", true, true, HEAD},
    {"NOT SUBJECT hello", false, true, HEAD},
    {"BODY \"sch\303\226ne gr\303\234\303\237e\"", true, false, BODY},
    {"BODY ab", true, false, BODY},
    {"BODY aab", true, false, BODY},
    {"BODY \"<b>f\"", true, false, BODY},
    {"BODY picture", false, false, BODY},
    {"BODY preamble", false, false, BODY},
    {"BODY epilogue", false, false, BODY},
    {"BODY hello", false, false, BODY},
    {"BODY deep", true, false, BODY},
    {"BODY \"inner \303\244\"", true, false, BODY},
    {"BODY \"\303\244\"", true, true, BODY},
    {"BODY \"\"", true, true, NONE},
    {"TEXT hello", true, false, HEAD},
    {"TEXT \"subject: hello\"", true, false, HEAD},
    {"TEXT deep", true, false, BODY},
    {"TEXT nowhere", false, false, BODY},
    {"NOT TEXT nowhere", true, true, BODY},
    {"OR BODY deep SUBJECT hello", true, false, HEAD},
    {"SUBJECT none BODY deep", false, false, HEAD},
    {"BODY deep BODY \"sch\303\266ne\" NOT BODY picture", true, false, BODY},
    {"OR (NOT BODY deep) (TEXT \"charset: \")", false, true, BODY},
};

/* How a message is given: in pieces of this size, with or without what its row may have. */
struct how {
	size_t cut;
	bool summary, strings;
};

struct seen {
	bool match;
	uint64_t last; /* the last octet that was read */
};

static struct seen
run(struct search *s, const char *text, const struct search_message *m, struct how how)
{
	enum search_want want = search_begin(s, m);
	struct seen seen = {false, 0};
	uint64_t offset, n;
	struct rd in;

	while (want == SEARCH_READ) {
		search_place(s, &offset, &n);
		assert_true(n > 0 && offset + n <= m->row->size);
		n = n < how.cut ? n : how.cut;
		in = rd_of((struct bytes){(const uint8_t *)text + offset, (size_t)n});
		want = search_feed(s, &in);
		assert_true(rd_left(&in) < n || want != SEARCH_READ);
		seen.last =
		    offset + n - rd_left(&in) > seen.last ? offset + n - rd_left(&in) : seen.last;
	}
	seen.match = want == SEARCH_MATCH;
	return seen;
}

static struct bytes
packed(const char *text, bool strings, uint8_t *room)
{
	struct wr w = wr_of(room, SUMMARY_PACKED_MAX);
	struct summary_scan scan;
	struct summary row;

	summary_init(&scan);
	summary_feed(&scan, bytes_of(text));
	row = summary_done(&scan);
	if (!strings)
		row.envelope = row.structure = NO_BYTES;
	summary_write(&w, &row);
	summary_fini(&scan);
	return wr_since(&w, room);
}

static struct err
open_search(struct search **s, struct imap_search *keys, const char *text, struct arena *arena)
{
	const struct bytes keywords[] = {BYTES("$Forwarded"), BYTES("$Junk")};
	const struct search_mailbox box = {2, 9, keywords, COUNT(keywords)};
	struct rd in = rd_of(bytes_of(text));

	if (!is_ok(imap_search_read(keys, &in, arena)))
		fail_msg("not a search: %s", text);
	return search_open(s, keys, &box);
}

static void
check_case(size_t i, struct search *s, struct how how)
{
	uint8_t one[SUMMARY_PACKED_MAX], two[SUMMARY_PACKED_MAX];
	struct message_row first = {.uid = 7,
	                            .flags = FLAG_SEEN,
	                            .keywords = 2,
	                            .size = sizeof(mixed) - 1,
	                            .received_s = 1767312000 + 100},
			   second = {.uid = 9,
	                             .size = sizeof(plain) - 1,
	                             .received_s = 1767312000 + 86400};
	struct search_message a = {1, false, &first}, b = {2, true, &second};
	uint64_t body = (uint64_t)(strstr(mixed, "preamble") - mixed);
	struct seen seen;

	if (how.summary) {
		first.summary = packed(mixed, how.strings, one);
		second.summary = packed(plain, how.strings, two);
	}
	seen = run(s, mixed, &a, how);
	if (seen.match != cases[i].mixed)
		print_error("%s\n", cases[i].keys);
	assert_int_equal(seen.match, cases[i].mixed);
	if (cases[i].reads == NONE && how.strings)
		assert_int_equal(seen.last, 0);
	if (cases[i].reads == HEAD && how.summary)
		assert_true(seen.last > 0 && seen.last <= body);
	if (cases[i].reads == BODY)
		assert_true(seen.last > body);
	seen = run(s, plain, &b, how);
	if (seen.match != cases[i].plain)
		print_error("%s (plain)\n", cases[i].keys);
	assert_int_equal(seen.match, cases[i].plain);
}

static void
keys_find_messages(void **state)
{
	static const struct how hows[] = {
	    {1, true, true},   {7, true, true},    {4096, true, true},
	    {11, true, false}, {13, false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena arena = arena_init(1 << 20);
		struct imap_search keys;
		struct search *s;

		assert_true(is_ok(open_search(&s, &keys, cases[i].keys, &arena)));
		for (size_t h = 0; h < COUNT(hows); h++)
			check_case(i, s, hows[h]);
		search_close(s);
		arena_free(&arena);
	}
}

static void
searches_are_refused(void **state)
{
	struct arena arena = arena_init(1 << 20);
	char text[4096];
	struct imap_search keys;
	struct search *s;
	struct wr w;

	(void)state;
	assert_int_equal(open_search(&s, &keys, "3", &arena).code, ERR_RANGE);
	assert_null(s);
	assert_true(is_ok(open_search(&s, &keys, "UID 300", &arena)));
	assert_false(search_wants_summary(s));
	search_close(s);
	assert_true(is_ok(open_search(&s, &keys, "SENTON 1-Jan-2026", &arena)));
	assert_true(search_wants_summary(s));
	search_close(s);
	for (size_t n = SEARCH_TEXTS_MAX; n < SEARCH_TEXTS_MAX + 2; n++) {
		w = wr_of(text, sizeof(text) - 1);
		for (size_t i = 0; i < n; i++)
			wr_printf(&w, "%sBODY x%zu", i ? " " : "", i);
		*w.p = 0;
		assert_int_equal(open_search(&s, &keys, text, &arena).code,
		                 n > SEARCH_TEXTS_MAX ? ERR_FULL : 0);
		search_close(s);
	}
	search_close(NULL);
	arena_free(&arena);
}

static void
letters_are_folded(void **state)
{
	static const struct {
		const char *text, *folded;
	} folds[] = {
	    {"", ""},
	    {"AbC[{", "abc[{"},
	    {"\303\200\303\226\303\227\303\236\303\237",
	     "\303\240\303\266\303\227\303\276\303\237"},
	    {"\304\200\304\201\304\271\305\270\304\260", "\304\201\304\201\304\272\303\277i"},
	    {"\316\221\316\243\317\202\316\206", "\316\261\317\203\317\203\316\254"},
	    {"\320\220\320\257\320\201", "\320\260\321\217\321\221"},
	    {"\341\272\236\341\270\200", "\303\237\341\270\201"},
	    {"\360\237\230\200\342\202\254X", "\360\237\230\200\342\202\254x"},
	};
	uint8_t room[64];

	(void)state;
	for (size_t i = 0; i < COUNT(folds); i++) {
		struct bytes b = bytes_of(folds[i].text);

		memcpy(room, b.p, b.n);
		b = (struct bytes){room, fold_text(room, b.n)};
		assert_true(bytes_eq(b, bytes_of(folds[i].folded)));
	}
	for (size_t n = 1; n < 4; n++) { /* a character that is cut is not read beyond */
		memcpy(room, "\360\237\230\200", n);
		assert_int_equal(fold_text(room, n), n);
	}
}

/* Against the plain way, for all strings of two letters. */
static void
needles_are_found(void **state)
{
	char text[16], needle[8];

	(void)state;
	for (unsigned v = 0; v < 1u << 10; v++)
		for (unsigned w = 0; w < 1u << 4; w++)
			for (size_t n = 1; n <= 4; n++) {
				struct arena arena = arena_init(1024);
				struct needle d;
				bool there = false;
				size_t cut = 1 + v % 3;

				for (size_t i = 0; i < 10; i++)
					text[i] = (char)('a' + (v >> i & 1));
				text[10] = 0;
				for (size_t i = 0; i < n; i++)
					needle[i] = (char)('a' + (w >> i & 1));
				needle[n] = 0;
				assert_true(needle_make(&d, bytes_of(needle), &arena));
				for (size_t i = 0; i < 10 && !there; i += cut)
					there = needle_find(
					    &d, (struct bytes){(uint8_t *)text + i,
					                       10 - i < cut ? 10 - i : cut});
				assert_int_equal(there, strstr(text, needle) != NULL);
				arena_free(&arena);
			}
}

/* Work is done in turns, whatever is asked for (attack 110). */
static void
a_long_search_pauses(void **state)
{
	struct arena arena = arena_init(4 << 20);
	size_t n = 4 << 20, turns = 0;
	char *text = malloc(n), *keys_text = malloc(100000);
	struct wr w = wr_of(keys_text, 99999);
	struct imap_search keys;
	struct search *s;
	struct message_row row = {.uid = 1, .size = n};
	struct search_message m = {1, false, &row};
	enum search_want want;
	uint64_t offset, size;

	(void)state;
	memset(text, 'a', n);
	memcpy(text, "a: b\r\n\r\n", 8);
	for (size_t i = 0; i < SEARCH_TEXTS_MAX; i++) {
		wr_text(&w, i ? " BODY " : "BODY ");
		for (size_t k = 0; k <= i; k++)
			wr_u8(&w, 'a');
		wr_u8(&w, 'b');
	}
	*w.p = 0;
	assert_true(is_ok(open_search(&s, &keys, keys_text, &arena)));
	for (want = search_begin(s, &m); want == SEARCH_READ; turns++) {
		search_place(s, &offset, &size);
		struct rd in = rd_of((struct bytes){(uint8_t *)text + offset, (size_t)size});
		want = search_feed(s, &in);
	}
	assert_int_equal(want, SEARCH_NO_MATCH);
	assert_true(turns > 64 * n / SEARCH_WORK / 2);
	search_close(s);
	arena_free(&arena);
	free(text);
	free(keys_text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_find_messages),   cmocka_unit_test(searches_are_refused),
	    cmocka_unit_test(letters_are_folded),   cmocka_unit_test(needles_are_found),
	    cmocka_unit_test(a_long_search_pauses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
