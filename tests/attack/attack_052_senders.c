/* attack_052_senders.c - who logged in as A sends as B: in MAIL, and in the From that people see. */
#include "directory/builder.h"
#include "serve/senders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { ALICE = 1, BOB = 2 };

struct place {
	struct directory directory;
	uint8_t *image;
};

static void
alias(struct directory_builder *b, struct bytes name, const struct bytes *targets, size_t n)
{
	assert_true(is_ok(directory_add_alias(b, name, targets, n)));
}

static void
init(struct place *p)
{
	static const uint8_t key[16] = {1};
	const struct bytes both[] = {BYTES("alice@a.org"), BYTES("bob@a.org")};
	const struct bytes ring = BYTES("ring@a.org");
	struct directory_builder *b = directory_builder_new(key, 1);
	struct wr w;
	size_t n;

	assert_non_null(b);
	assert_true(is_ok(directory_add_domain(b, BYTES("a.org"))));
	assert_true(is_ok(directory_add_account(b, BYTES("alice@a.org"), ALICE, 0)));
	assert_true(is_ok(directory_add_account(b, BYTES("bob@a.org"), BOB, 0)));
	alias(b, BYTES("info@a.org"), both, 2);
	alias(b, BYTES("ally@a.org"), both, 1);
	alias(b, BYTES("ring@a.org"), &ring, 1);
	assert_true(is_ok(directory_size(b, &n)));
	p->image = malloc(n);
	assert_non_null(p->image);
	w = wr_of(p->image, n);
	assert_true(is_ok(directory_build(b, &w)));
	assert_true(directory_open(&p->directory, wr_since(&w, p->image)));
	directory_builder_free(b);
}

static const struct {
	const char *address;
	enum smtp_answer alice, bob;
} senders[] = {
    {"alice@a.org", SMTP_OK, SMTP_ALIEN},
    {"ALICE@a.org", SMTP_OK, SMTP_ALIEN},
    {"alice+tag@a.org", SMTP_OK, SMTP_ALIEN},
    {"ally@a.org", SMTP_OK, SMTP_ALIEN},
    {"info@a.org", SMTP_OK, SMTP_OK},
    {"bob@a.org", SMTP_ALIEN, SMTP_OK},
    {"nobody@a.org", SMTP_ALIEN, SMTP_ALIEN},
    {"alice@b.org", SMTP_ALIEN, SMTP_ALIEN},
    {"alice@a.org@b.org", SMTP_ALIEN, SMTP_ALIEN},
    {"alice%a.org@a.org", SMTP_ALIEN, SMTP_ALIEN},
    {"alice", SMTP_ALIEN, SMTP_ALIEN},
    {"ring@a.org", SMTP_TEMP, SMTP_TEMP},
};

static void
attack_052_envelope(void **state)
{
	struct place p;

	(void)state;
	init(&p);
	for (size_t i = 0; i < COUNT(senders); i++) {
		struct bytes a = bytes_of(senders[i].address);

		assert_int_equal(senders_envelope(&p.directory, a, ALICE), senders[i].alice);
		assert_int_equal(senders_envelope(&p.directory, a, BOB), senders[i].bob);
	}
	free(p.image);
}

static const struct {
	const char *header; /* alice's */
	enum smtp_answer answer;
} messages[] = {
    {"From: alice@a.org\r\n", SMTP_OK},
    {"From: \"Bob <bob@a.org>\" <alice+x@a.org>\r\n", SMTP_OK},
    {"From: Alice <alice@a.org>, info@a.org\r\n", SMTP_OK},
    {"From: bob@a.org\r\n", SMTP_FORGED},
    {"From: boss@b.org\r\n", SMTP_FORGED},
    {"From: alice@a.org, bob@a.org\r\n", SMTP_FORGED},
    {"From: team: alice@a.org, bob@a.org;\r\n", SMTP_FORGED},
    {"From: alice@a.org\r\nFrom: bob@a.org\r\n", SMTP_FORGED},
    {"From: alice@a.org\r\nfrom :\r\n bob@a.org\r\n", SMTP_FORGED},
    {"From: alice@a.org\r\nno field\r\nFrom: bob@a.org\r\n", SMTP_FORGED},
    {"From: alice@a.org <bob@a.org>\r\n", SMTP_FORGED},
    {"From: bob@a.org\r\nSender: alice@a.org\r\n", SMTP_FORGED},
    {"From: (alice@a.org) bob@a.org (\r\n <alice@a.org>)\r\n", SMTP_FORGED},
    {"From: <alice@a.org> <bob@a.org>\r\n", SMTP_NO_FROM},
    {"From: alice@a.org bob@a.org\r\n", SMTP_NO_FROM},
    {"From: \"alice@a.org\r\nFrom: \" <bob@a.org>\r\n", SMTP_NO_FROM},
    {"From: Alice\r\n", SMTP_NO_FROM},
    {"From: nobody:;\r\n", SMTP_NO_FROM},
    {"From:\r\n", SMTP_NO_FROM},
    {"Subject: From: alice@a.org\r\n", SMTP_NO_FROM},
    {"X-From: alice@a.org\r\n", SMTP_NO_FROM},
    {"", SMTP_NO_FROM},
    {"From: ring@a.org\r\n", SMTP_TEMP},
};

static void
attack_052_from(void **state)
{
	struct place p;

	(void)state;
	init(&p);
	for (size_t i = 0; i < COUNT(messages); i++) {
		struct smtp_fields f = smtp_fields_init();
		struct bytes header = bytes_of(messages[i].header);

		assert_int_equal(smtp_fields_feed(&f, header), header.n);
		smtp_fields_feed(&f, BYTES("\r\nFrom: alice@a.org\r\n\r\n"));
		assert_true(f.ended);
		if (senders_from(&p.directory, &f, ALICE) != messages[i].answer)
			fail_msg("%s", messages[i].header);
		smtp_fields_fini(&f);
	}
	free(p.image);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_052_envelope),
	    cmocka_unit_test(attack_052_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
