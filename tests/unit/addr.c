/* addr.c - addresses as people write them, held against inet_pton(3) and inet_ntop(3). */
#include "base/addr.h"

#include "base/random.h"

#include <arpa/inet.h>

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static const char *
text_of(const struct addr *a, char room[ADDR_TEXT + 1])
{
	struct wr w = wr_of(room, ADDR_TEXT);

	addr_text(&w, a);
	assert_false(w.full);
	*w.p = 0;
	return room;
}

static void
an_address_is_read_as_the_system_reads_it(void **state)
{
	static const char *const texts[] = {
	    "192.0.2.1",
	    "0.0.0.0",
	    "255.255.255.255",
	    "256.0.0.1",
	    "1.2.3",
	    "1.2.3.4.5",
	    "1.2.3.",
	    "",
	    ".",
	    "1..2.3",
	    "01.2.3.4",
	    "1.2.3.0004",
	    " 1.2.3.4",
	    "1.2.3.4 ",
	    "1.2.3.a",
	    "::",
	    "::1",
	    "1::",
	    "1::2",
	    "1:2:3:4:5:6:7:8",
	    "1:2:3:4:5:6:7",
	    "1:2:3:4:5:6:7:8:9",
	    "1:2:3:4:5:6:7::",
	    "::2:3:4:5:6:7:8",
	    "1::3:4:5:6:7:8",
	    "1:2:3:4::5:6:7:8",
	    ":",
	    ":::",
	    "1:::2",
	    "::1::",
	    "1::2::3",
	    ":1",
	    "1:",
	    "::1:",
	    ":1::",
	    "12345::",
	    "::12345",
	    "::g",
	    "::ffff:192.0.2.1",
	    "::192.0.2.1",
	    "1:2:3:4:5:6:1.2.3.4",
	    "1:2:3:4:5:6:7:1.2.3.4",
	    "1.2.3.4::",
	    "::1.2.3.4:5",
	    "::1.2.3",
	    "::1.2.3.256",
	    "1:2:3:4:5::1.2.3.4",
	    "ABCD:ef01::",
	    "fe80::1%1",
	    "[::1]",
	    "2001:0db8:0000::00001",
	    "1::1.2.3.4.5",
	    "::.1.2.3",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		uint8_t ours[16], theirs[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
		bool v6 = strchr(texts[i], ':') != NULL;
		int good = inet_pton(v6 ? AF_INET6 : AF_INET, texts[i], v6 ? theirs : theirs + 12);

		assert_int_equal(addr_ip_parse(bytes_of(texts[i]), ours), good == 1);
		if (good == 1)
			assert_memory_equal(ours, theirs, 16);
	}
}

static void
an_address_is_written_in_the_one_form(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
	    {"192.0.2.1", "192.0.2.1"},
	    {"::ffff:192.0.2.1", "192.0.2.1"},
	    {"0:0:0:0:0:0:0:0", "::"},
	    {"0:0:0:0:0:0:0:1", "::1"},
	    {"1:0:0:0:0:0:0:0", "1::"},
	    {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
	    {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
	    {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
	    {"0:0:1::", "0:0:1::"},
	    {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
	};
	struct random *r = random_seeded(9);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t ip[16], room[ADDR_IP_TEXT];
		struct wr w = wr_of(room, sizeof(room));

		assert_true(addr_ip_parse(bytes_of(cases[i].in), ip));
		addr_ip_text(&w, ip);
		assert_true(bytes_eq(wr_since(&w, room), bytes_of(cases[i].out)));
	}
	for (size_t i = 0; i < 20000; i++) {
		uint8_t ip[16], back[16], room[ADDR_IP_TEXT];
		struct wr w = wr_of(room, sizeof(room));
		uint16_t zeros = (uint16_t)random_u64(r);

		random_fill(r, ip, sizeof(ip));
		for (size_t k = 0; k < 16; k++)
			if (zeros >> k / 2 & 1)
				ip[k] = 0;
		addr_ip_text(&w, ip);
		assert_true(addr_ip_parse(wr_since(&w, room), back));
		assert_memory_equal(ip, back, 16);
	}
	random_close(r);
}

static void
a_port_stands_behind_an_address(void **state)
{
	static const struct {
		const char *in;
		uint16_t port;   /* the default */
		const char *out; /* NULL: refused */
	} cases[] = {
	    {"192.0.2.1:25", 0, "192.0.2.1:25"},
	    {"192.0.2.1", 0, NULL},
	    {"192.0.2.1", 53, "192.0.2.1:53"},
	    {"192.0.2.1:", 53, NULL},
	    {"192.0.2.1:0", 53, NULL},
	    {"192.0.2.1:65535", 0, "192.0.2.1:65535"},
	    {"192.0.2.1:65536", 0, NULL},
	    {"192.0.2.1:000025", 0, NULL},
	    {"192.0.2.1:25 ", 0, NULL},
	    {"192.0.2.1:+25", 0, NULL},
	    {"[2001:db8::1]:25", 0, "[2001:db8::1]:25"},
	    {"[2001:db8::1]", 25, "[2001:db8::1]:25"},
	    {"[2001:db8::1]", 0, NULL},
	    {"2001:db8::1", 25, "[2001:db8::1]:25"},
	    {"::1", 25, "[::1]:25"},
	    {"[::]:25", 0, "[::]:25"},
	    {"*:25", 0, "[::]:25"},
	    {"*", 25, "[::]:25"},
	    {"*", 0, NULL},
	    {"**:25", 0, NULL},
	    {"[*]:25", 0, NULL},
	    {"[192.0.2.1]:25", 0, NULL},
	    {"[::1", 25, NULL},
	    {"[]:25", 0, NULL},
	    {"[::1]25", 25, NULL},
	    {"[::1]:", 25, NULL},
	    {"[fe80::1%2]:25", 0, "[fe80::1%2]:25"},
	    {"[fe80::1%eth0]:25", 0, NULL},
	    {"[fe80::1%]:25", 0, NULL},
	    {"[fe80::1%4294967296]:25", 0, NULL},
	    {":25", 0, NULL},
	    {"", 25, NULL},
	    {"localhost:25", 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr a = {{0}, 0, 0}, back;
		char room[ADDR_TEXT + 1];

		assert_int_equal(addr_parse(bytes_of(cases[i].in), cases[i].port, &a),
		                 cases[i].out != NULL);
		if (!cases[i].out)
			continue;
		assert_string_equal(text_of(&a, room), cases[i].out);
		assert_true(addr_parse(bytes_of(room), 0, &back));
		assert_true(addr_eq(&a, &back));
	}
}

static void
a_network_holds_what_begins_as_it(void **state)
{
	static const struct {
		const char *net, *in, *out; /* in NULL: refused */
	} cases[] = {
	    {"192.0.2.0/24", "192.0.2.255", "192.0.3.0"},
	    {"192.0.2.0/23", "192.0.3.255", "192.0.4.0"},
	    {"192.0.2.1", "192.0.2.1", "192.0.2.0"},
	    {"192.0.2.1/32", "192.0.2.1", "192.0.2.2"},
	    {"0.0.0.0/0", "203.0.113.9", "::1"},
	    {"::/0", "192.0.2.1", NULL},
	    {"::1", "::1", "::2"},
	    {"2001:db8::/32", "2001:db8:ffff::", "2001:db9::"},
	    {"2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"},
	    {"2001:db8::/128", "2001:db8::", "2001:db8::1"},
	    {"192.0.2.1/24", NULL, NULL},
	    {"192.0.2.0/33", NULL, NULL},
	    {"192.0.2.0/", NULL, NULL},
	    {"192.0.2.0/024x", NULL, NULL},
	    {"192.0.2.0/-1", NULL, NULL},
	    {"192.0.2.0/24/24", NULL, NULL},
	    {"2001:db8::/129", NULL, NULL},
	    {"2001:db8::1/64", NULL, NULL},
	    {"/24", NULL, NULL},
	    {"", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t ip[16], room[64];
		struct wr w = wr_of(room, sizeof(room));
		struct net n, back;

		assert_int_equal(net_parse(bytes_of(cases[i].net), &n), cases[i].in != NULL);
		if (!cases[i].in)
			continue;
		assert_true(addr_ip_parse(bytes_of(cases[i].in), ip));
		assert_true(net_contains(&n, ip));
		if (cases[i].out) {
			assert_true(addr_ip_parse(bytes_of(cases[i].out), ip));
			assert_false(net_contains(&n, ip));
		}
		net_text(&w, &n);
		assert_true(net_parse(wr_since(&w, room), &back));
		assert_int_equal(n.bits, back.bits);
		assert_memory_equal(n.ip, back.ip, 16);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_address_is_read_as_the_system_reads_it),
	    cmocka_unit_test(an_address_is_written_in_the_one_form),
	    cmocka_unit_test(a_port_stands_behind_an_address),
	    cmocka_unit_test(a_network_holds_what_begins_as_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
