/* smtp_fields.c - headers in pieces of every size, and lists of addresses as people write them. */
#include "proto/smtp_fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static const struct {
	const char *from;      /* the value of From, folds and all; more fields in one text */
	const char *addresses; /* a blank behind each; "!" where it is not a list */
} lists[] = {
    {" alice@example.org", "alice@example.org "},
    {"alice@EXAMPLE.org", "alice@example.org "},
    {" Alice <alice@example.org>", "alice@example.org "},
    {" <alice@example.org>", "alice@example.org "},
    {" \"Alice, of <w@nderland>\" <alice@example.org>", "alice@example.org "},
    {" \"a \\\" b\" <alice@example.org>", "alice@example.org "},
    {" alice@example.org (Alice (of) Wonder\\)land)", "alice@example.org "},
    {" (x) alice (y) @ (z) example.org (<eve@example.org>)", "alice@example.org "},
    {" alice . b @ example . org", "alice.b@example.org "},
    {" A B\r\n\t<alice@example.org>", "alice@example.org "},
    {" A\r\n <\r\n alice@example.org\r\n >", "alice@example.org "},
    {" a@b.c, Bob <b@c.d>,, c@d.e ,", "a@b.c b@c.d c@d.e "},
    {" team: a@b.c, B <b@c.d>;", "a@b.c b@c.d "},
    {" a@b.c, team:;, d@e.f", "a@b.c d@e.f "},
    {" nobody:;", ""},
    {"", ""},
    {" (nobody)", ""},
    {" \xc3\x84lice <alice@example.org>", "alice@example.org "},
    {" =?utf-8?q?=C3=84?= <alice@example.org>", "alice@example.org "},
    {" \"a b\"@example.org", "a b@example.org "},
    {" <\"a>b\"@example.org>", "a>b@example.org "},
    {" a@[192.0.2.1], b@[IPv6:2001:db8::1]", "a@[192.0.2.1] b@[ipv6:2001:db8::1] "},
    {" bob@x.y <alice@example.org>", "bob@x.y alice@example.org "}, /* attack 172 */
    {" \"bob@x.y\" <alice@example.org>", "alice@example.org "},
    {" a@b.c\r\nFrom: d@e.f", "a@b.c d@e.f "},
    {" a@b.c\r\nfrom : d@e.f\r\n\t, g@h.i", "a@b.c d@e.f g@h.i "},
    {" a@b.c\r\nno field\r\nFROM: d@e.f", "a@b.c d@e.f "},
    /* more than one reading */
    {" alice", "!"},
    {" alice bob@example.org", "!"},
    {" <alice@example.org> <bob@example.org>", "!"},
    {" <alice@example.org> bob@example.org", "!"},
    {" <<alice@example.org>>", "!"},
    {" alice@example.org>", "!"},
    {" <alice@example.org", "!"},
    {" <alice @ example.org, bob@example.org>", "!"},
    {" <@x.y:alice@example.org>", "!"},
    {" \"alice@example.org", "!"},
    {" (alice@example.org", "!"},
    {" a@b.c; d@e.f", "!"},
    {" a: b: c@d.e;;", "!"},
    {" a: c@d.e", "!"},
    {" bob@x.y: alice@example.org;", "!"},
    {" B bob@x.y <alice@example.org>", "!"},
    {" a@b.c, \"\r\nFrom: \" <d@e.f>", "a@b.c !"},
    {" a@b.c (\r\nFrom: ) d@e.f", "!"},
    {" <>", "!"},
    {" a@b@c.d", "!"},
    {" \xc3\xa4@example.org", "!"},
    {" a@b.c\\, d@e.f", "!"},
};

static void
feed(struct smtp_fields *f, struct bytes text, size_t cut, size_t *header)
{
	*header = 0;
	for (size_t i = 0; i < text.n; i += cut) {
		size_t n = text.n - i < cut ? text.n - i : cut;
		uint8_t *copy = malloc(n);

		assert_non_null(copy);
		memcpy(copy, text.p + i, n);
		*header += smtp_fields_feed(f, (struct bytes){copy, n});
		free(copy);
	}
}

static struct bytes
addresses(const struct smtp_fields *f, struct wr w)
{
	struct smtp_from walk = smtp_from_begin(f);
	uint8_t *start = w.p;
	enum smtp_from_kind kind;
	struct address a;

	while ((kind = smtp_from_next(&walk, &a)) == SMTP_FROM_ADDRESS) {
		wr_bytes(&w, address_text(&a));
		wr_text(&w, " ");
	}
	wr_text(&w, kind == SMTP_FROM_BAD ? "!" : "");
	return wr_since(&w, start);
}

static void
addresses_of_from(void **state)
{
	uint8_t text[512], room[512];

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++)
		for (size_t cut = 1; cut < 100; cut++) {
			struct smtp_fields f = smtp_fields_init();
			struct wr w = wr_of(text, sizeof(text));
			struct bytes got;
			size_t header;

			wr_text(&w, "Subject: From: x@y.z\r\nFrom:");
			wr_text(&w, lists[i].from);
			wr_text(&w,
			        "\r\nX-From: n@o.p\r\nFrom-X: q@r.s\r\n\r\nFrom: t@u.v\r\n\r\n");
			feed(&f, wr_since(&w, text), cut, &header);
			assert_true(f.ended);
			got = addresses(&f, wr_of(room, sizeof(room)));
			if (!bytes_eq(got, bytes_of(lists[i].addresses)))
				fail_msg("%s, cut %zu: %.*s", lists[i].from, cut, (int)got.n,
				         got.p);
			smtp_fields_fini(&f);
		}
}

static const struct {
	const char *text;
	size_t header;
	bool ended, date, id, broken;
} headers[] = {
    {"a: b\r\n\r\nc: d\r\n", 6, true, false, false, false},
    {"Date: x\r\nMESSAGE-ID : y\r\n\r\n", 25, true, true, true, false},
    {"Dates: x\r\nX-Message-ID: y\r\n\r\n", 27, true, false, false, false},
    {"a: b\r\n Date: x\r\n\r\n", 16, true, false, false, false},
    {"\r\nDate: x\r\n", 0, true, false, false, false},
    {"a: b\r\n", 6, false, false, false, false},
    {"", 0, false, false, false, false},
    {"text\r\nDate: x\r\n\r\n", 15, true, true, false, true},
    {" fold\r\na: b\r\n\r\n", 13, true, false, false, true},
    {"a b: c\r\n\r\n", 8, true, false, false, true},
    {": c\r\n\r\n", 5, true, false, false, true},
    {"a\tb\r\n\r\n", 5, true, false, false, true},
    {"\xc3\xa4: b\r\n\r\n", 7, true, false, false, true},
    {"a\r\n\r\n", 3, true, false, false, true},
};

static void
where_a_header_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++)
		for (size_t cut = 1; cut < 40; cut++) {
			struct smtp_fields f = smtp_fields_init();
			size_t header;

			feed(&f, bytes_of(headers[i].text), cut, &header);
			assert_int_equal(header, headers[i].header);
			assert_int_equal(f.ended, headers[i].ended);
			assert_int_equal(f.has_date, headers[i].date);
			assert_int_equal(f.has_message_id, headers[i].id);
			assert_int_equal(f.broken, headers[i].broken);
			smtp_fields_fini(&f);
		}
}

/* A message that is all header still has a From. */
static void
a_header_without_a_body(void **state)
{
	struct smtp_fields f = smtp_fields_init();
	uint8_t room[64];
	size_t header;

	(void)state;
	feed(&f, BYTES("From: a@b.c\r\n"), 3, &header);
	assert_false(f.ended);
	smtp_fields_end(&f);
	assert_true(bytes_eq(addresses(&f, wr_of(room, sizeof(room))), BYTES("a@b.c ")));
	smtp_fields_fini(&f);
}

/* Memory has a bound, and what is beyond it is refused and not forgotten. */
static void
a_from_without_end(void **state)
{
	struct smtp_fields f = smtp_fields_init();
	uint8_t room[64];
	size_t header;

	(void)state;
	feed(&f, BYTES("From: a@b.c"), 100, &header);
	for (int i = 0; i < 10000; i++)
		feed(&f, BYTES(" (x)\r\n\t"), 100, &header);
	feed(&f, BYTES("\r\n\r\n"), 100, &header);
	assert_true(f.ended);
	assert_true(f.from.cap <= SMTP_FROM_MAX);
	assert_true(bytes_eq(addresses(&f, wr_of(room, sizeof(room))), BYTES("!")));
	smtp_fields_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_of_from),
	    cmocka_unit_test(where_a_header_ends),
	    cmocka_unit_test(a_header_without_a_body),
	    cmocka_unit_test(a_from_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
