/* attack_043_smtp_addresses.c - addresses that want to be something else. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

/* Each is taken as a plain key, or refused; what reaches the directory is shown as it is. */
static const struct {
	const char *path, *asked, *code;
} cases[] = {
    {"<\"\"@fakeplace.edu>", "", "501 5.1.3 "},
    {"<@a,@b:bob@fakeplace.edu>", "bob@fakeplace.edu ", "250 2.1.5 "},
    {"<\"a b\"@fakeplace.edu>", "a b@fakeplace.edu ", "550 5.1.1 "},
    {"<\"bob\"@FAKEPLACE.edu>", "bob@fakeplace.edu ", "250 2.1.5 "},
    {"<bob@[IPv6:2001:db8::1]>", "bob@[ipv6:2001:db8::1] ", "550 5.7.1 "},
    {"<bob@[IPv6:2001:db8::1::2]>", "", "501 5.1.3 "},
    {"<bob@[192.0.2.1]>", "bob@[192.0.2.1] ", "550 5.7.1 "},
    {"<b\303\266b@fakeplace.edu>", "", "553 5.6.7 "},
    {"<bob@f\303\244keplace.edu>", "", "553 5.6.7 "},
    {"<;cmd@fakeplace.edu>", "", "501 5.1.3 "},
    {"<\";cmd\"@fakeplace.edu>", ";cmd@fakeplace.edu ", "550 5.1.1 "},
    {"<|cmd@fakeplace.edu>", "|cmd@fakeplace.edu ", "250 2.1.5 "}, /* a name like another */
    {"<../x@fakeplace.edu>", "../x@fakeplace.edu ", "550 5.1.1 "},
    {"<${run{x}}@fakeplace.edu>", "${run{x}}@fakeplace.edu ", "250 2.1.5 "},
    {"<bob@../x>", "", "501 5.1.3 "},
    {"<bob@fakeplace.edu;cmd>", "", "501 5.1.3 "},
    {"<bob@-fakeplace.edu>", "", "501 5.1.3 "},
    {"<(bob)@fakeplace.edu>", "", "501 5.1.3 "},
    {"<bob@fakeplace.edu> <carol@fakeplace.edu>", "", "555 5.5.4 "},
    {"<bob@fakeplace.edu", "", "501 5.1.3 "},
    {"bob@fakeplace.edu>", "", "501 5.1.3 "},
};

static void
attack_043_smtp_addresses(void **state)
{
	static struct smtp_play t;
	char client[256];

	(void)state;
	smtp_play_init(&t);
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t cut = 1; cut < 100; cut += 7) {
			snprintf(client, sizeof(client), "HELO a\r\nMAIL FROM:<>\r\nRCPT TO:%s\r\n",
			         cases[i].path);
			smtp_play(&t, bytes_of(client), cut);
			assert_true(
			    bytes_eq(wr_since(&t.asked, t.asked_room), bytes_of(cases[i].asked)));
			assert_int_equal(count_in(smtp_play_said(&t), cases[i].code), 1);
		}
}

static void
attack_043_smtp_a_local_part_of_1_kB(void **state)
{
	static struct smtp_play t;
	char client[2048];

	(void)state;
	smtp_play_init(&t);
	for (int n = 64; n < 980; n += 13) {
		snprintf(client, sizeof(client),
		         "HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<%0*d@fakeplace.edu>\r\n", n, 0);
		smtp_play(&t, bytes_of(client), 100);
		assert_int_equal(
		    count_in(smtp_play_said(&t),
		             n > 64 ? "501 5.1.3 recipient address too long" : "250 2.1.5 "),
		    1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_043_smtp_addresses),
	    cmocka_unit_test(attack_043_smtp_a_local_part_of_1_kB),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
