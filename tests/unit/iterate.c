/* Questions from the root down, against small Internets. */
#include "../resolve_play.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HINTS "ns.root. 3600 A 10.0.0.1\n. 3600 NS ns.root.\n"
#define SOA   "$TTL 300\n@ SOA ns a 1 2 3 4 60\n"

static const struct world_zone zones[] = {
    {"10.0.0.1", ".",
     SOA "@ NS ns.root.\nns.root. A 10.0.0.1\n"
         "com NS ns.com\nns.com A 10.0.0.2\n"
         "net NS ns.net\nns.net A 10.0.0.3\n"
         "org NS ns.net\n"},
    {"10.0.0.2", "com.",
     SOA "@ NS ns\nns A 10.0.0.2\n"
         "example NS ns.example\nns.example A 10.0.0.4\n"
         "glueless NS ns.example.net.\n"
         "lame NS ns1.lame\nlame NS ns2.lame\nns1.lame A 10.0.0.66\nns2.lame A 10.0.0.4\n"
         "dead NS ns.dead\nns.dead A 10.0.0.66\n"
         "circle NS ns.circle.net.\n"
         "none NS ns.none-such.net.\n"
         "own NS ns.own\nns.own A 127.0.0.1\nns.own A 0.0.0.0\nns.own A 224.0.0.1\n"},
    {"10.0.0.3", "net.",
     SOA "@ NS ns\nns A 10.0.0.3\n"
         "example NS ns.example\nns.example A 10.0.0.5\n"
         "circle NS ns.circle.com.\n"},
    {"10.0.0.3", "org.", SOA "@ NS ns.net.\nwww A 192.0.2.77\n"},
    {"10.0.0.4", "example.com.",
     SOA "@ NS ns\n@ MX 10 mail\nns A 10.0.0.4\nwww A 192.0.2.1\nwww A 192.0.2.2\n"
         "mail A 192.0.2.3\nalias CNAME www\naway CNAME www.example.net.\n"
         "short 1 A 192.0.2.9\nzero 0 A 192.0.2.10\nempty TXT x\na.b.c.deep A 192.0.2.11\n"
         "lost CNAME none.example.net.\n"
         "$GENERATE 1-40 big TXT \"forty-texts-make-more-than-one-datagram-of-1232-octets-$\"\n"
         "$GENERATE 1-101 many A 10.1.0.$\n"
         "$GENERATE 1-30 c$ CNAME c${1}\nc31 A 192.0.2.31\n"},
    {"10.0.0.5", "example.net.", SOA "@ NS ns\nns A 10.0.0.5\nwww A 192.0.2.5\n"},
    {"10.0.0.5", "glueless.com.", SOA "@ NS ns.example.net.\nwww A 192.0.2.6\n"},
};

static struct world *
open_world(void)
{
	return world_new(zones, COUNT(zones), HINTS);
}

static const struct {
	const char *name, *type, *result, *log;
} asks[] = {
    {"www.example.com.", "A",
     "NOERROR\nwww.example.com. 300 A 192.0.2.1\nwww.example.com. 300 A 192.0.2.2\n",
     "10.0.0.1 www.example.com. A\n10.0.0.2 www.example.com. A\n10.0.0.4 www.example.com. A\n"},
    {"WWW.Example.COM.", "A",
     "NOERROR\nWWW.Example.COM. 300 A 192.0.2.1\nWWW.Example.COM. 300 A 192.0.2.2\n", NULL},
    {"example.com.", "MX", "NOERROR\nexample.com. 300 MX 10 mail.example.com.\n", NULL},
    {"alias.example.com.", "A",
     "NOERROR\nalias.example.com. 300 CNAME www.example.com.\n"
     "www.example.com. 300 A 192.0.2.1\nwww.example.com. 300 A 192.0.2.2\n",
     NULL},
    {"alias.example.com.", "CNAME", "NOERROR\nalias.example.com. 300 CNAME www.example.com.\n",
     NULL},
    {"away.example.com.", "A",
     "NOERROR\naway.example.com. 300 CNAME www.example.net.\nwww.example.net. 300 A 192.0.2.5\n",
     "10.0.0.1 away.example.com. A\n10.0.0.2 away.example.com. A\n10.0.0.4 away.example.com. A\n"
     "10.0.0.1 www.example.net. A\n10.0.0.3 www.example.net. A\n10.0.0.5 www.example.net. A\n"},
    {"none.example.com.", "A",
     "NXDOMAIN\nexample.com. 60 SOA ns.example.com. a.example.com. 1 2 3 4 60\n", NULL},
    {"empty.example.com.", "A",
     "NOERROR\nexample.com. 60 SOA ns.example.com. a.example.com. 1 2 3 4 60\n", NULL},
    {"lost.example.com.", "A",
     "NXDOMAIN\nlost.example.com. 300 CNAME none.example.net.\n"
     "example.net. 60 SOA ns.example.net. a.example.net. 1 2 3 4 60\n",
     NULL},
    {"www.glueless.com.", "A", "NOERROR\nwww.glueless.com. 300 A 192.0.2.6\n",
     "10.0.0.1 www.glueless.com. A\n10.0.0.2 www.glueless.com. A\n"
     "10.0.0.1 ns.example.net. A\n10.0.0.3 ns.example.net. A\n10.0.0.5 ns.example.net. A\n"
     "10.0.0.5 www.glueless.com. A\n"},
    {"www.org.", "A", "NOERROR\nwww.org. 300 A 192.0.2.77\n", NULL},
    {"zero.example.com.", "A", "NOERROR\nzero.example.com. 0 A 192.0.2.10\n", NULL},
    {"a.b.c.deep.example.com.", "A", "NOERROR\na.b.c.deep.example.com. 300 A 192.0.2.11\n", NULL},
    {"www.lame.com.", "A", "SERVFAIL: no server of the zone gave an answer\n", NULL},
    {"www.dead.com.", "A", "SERVFAIL: no server of the zone gave an answer\n",
     "10.0.0.1 www.dead.com. A\n10.0.0.2 www.dead.com. A\n10.0.0.66 www.dead.com. A\n"
     "10.0.0.66 www.dead.com. A\n10.0.0.66 www.dead.com. A\n10.0.0.66 www.dead.com. A\n"},
    {"www.circle.com.", "A", "SERVFAIL: no server of the zone gave an answer\n", NULL},
    {"www.none.com.", "A", "SERVFAIL: no server of the zone gave an answer\n", NULL},
    {"www.own.com.", "A", "SERVFAIL: no server of the zone gave an answer\n",
     "10.0.0.1 www.own.com. A\n10.0.0.2 www.own.com. A\n"},
    {"many.example.com.", "A", "SERVFAIL: no server of the zone gave an answer\n", NULL},
    {"c1.example.com.", "A", "SERVFAIL: too many aliases follow each other\n", NULL},
    {".", "NS", "NOERROR\n. 300 NS ns.root.\n", "10.0.0.1 . NS\n"},
};

static void
test_asks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(asks); i++) {
		struct world *w = open_world();

		assert_string_equal(world_ask(w, asks[i].name, asks[i].type), asks[i].result);
		if (asks[i].log)
			assert_string_equal(w->log, asks[i].log);
		world_free(w);
	}
}

/* The same answers where servers see no more than they need. */
static void
test_asks_minimised(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(asks); i++) {
		struct world *w = open_world();

		w->conf.minimise = true;
		assert_string_equal(world_ask(w, asks[i].name, asks[i].type), asks[i].result);
		world_free(w);
	}
}

static void
test_minimises(void **state)
{
	struct world *w = open_world();

	(void)state;
	w->conf.minimise = true;
	world_ask(w, "a.b.c.deep.example.com.", "TXT");
	assert_string_equal(w->log, "10.0.0.1 com. A\n"
	                            "10.0.0.2 example.com. A\n"
	                            "10.0.0.4 deep.example.com. A\n"
	                            "10.0.0.4 c.deep.example.com. A\n"
	                            "10.0.0.4 a.b.c.deep.example.com. TXT\n");
	/* What was learned on the way is not asked again. */
	world_ask(w, "x.b.c.deep.example.com.", "TXT");
	assert_string_equal(w->log, "10.0.0.4 b.c.deep.example.com. A\n"
	                            "10.0.0.4 x.b.c.deep.example.com. TXT\n");
	world_free(w);
}

/* Nobody is asked for what the cache knows, until its time is over. */
static void
test_caches(void **state)
{
	struct world *w = open_world();

	(void)state;
	for (size_t i = 0; i < COUNT(asks); i++) {
		world_ask(w, asks[i].name, asks[i].type);
		if (!strstr(w->text, "SERVFAIL") && !strstr(w->text, " 0 A")) {
			world_ask(w, asks[i].name, asks[i].type);
			assert_string_equal(w->log, "");
		}
	}
	assert_int_equal(w->sent_tcp, 0);
	world_free(w);
}

static void
test_ttl_goes_down(void **state)
{
	struct world *w = open_world();

	(void)state;
	world_ask(w, "www.example.net.", "A");
	w->now += 100 * 1000;
	assert_string_equal(world_ask(w, "www.example.net.", "A"),
	                    "NOERROR\nwww.example.net. 200 A 192.0.2.5\n");
	assert_string_equal(w->log, "");
	world_change(w, "10.0.0.5", "example.net.",
	             SOA "@ NS ns\nns A 10.0.0.5\nwww A 192.0.2.55\n");
	w->now += 199 * 1000;
	assert_string_equal(world_ask(w, "www.example.net.", "A"),
	                    "NOERROR\nwww.example.net. 1 A 192.0.2.5\n");
	w->now += 1000;
	assert_string_equal(world_ask(w, "www.example.net.", "A"),
	                    "NOERROR\nwww.example.net. 300 A 192.0.2.55\n");
	world_free(w);
}

/* RFC 2308: that there is nothing is known for as long as the SOA says. */
static void
test_negative_is_over(void **state)
{
	struct world *w = open_world();

	(void)state;
	world_ask(w, "new.example.net.", "A");
	world_change(w, "10.0.0.5", "example.net.",
	             SOA "@ NS ns\nns A 10.0.0.5\nnew A 192.0.2.4\n");
	w->now += 59 * 1000;
	assert_non_null(strstr(world_ask(w, "new.example.net.", "A"), "NXDOMAIN"));
	assert_non_null(strstr(world_ask(w, "new.example.net.", "MX"), "NXDOMAIN"));
	assert_string_equal(w->log, "");
	w->now += 2000;
	assert_string_equal(world_ask(w, "new.example.net.", "A"),
	                    "NOERROR\nnew.example.net. 300 A 192.0.2.4\n");
	world_free(w);
}

/* Failures are remembered for a moment (RFC 9520). */
static void
test_failure_is_kept(void **state)
{
	struct world *w = open_world();

	(void)state;
	world_ask(w, "www.dead.com.", "A");
	assert_string_equal(world_ask(w, "www.dead.com.", "A"),
	                    "SERVFAIL: it could not be found out a moment ago\n");
	assert_int_equal(w->sent, 0);
	w->now += CACHE_FAILURE_S * 1000;
	world_ask(w, "www.dead.com.", "A");
	assert_true(w->sent > 0);
	world_free(w);
}

/* Truncated: over TCP. */
static void
test_tcp(void **state)
{
	struct world *w = open_world();

	(void)state;
	assert_non_null(strstr(world_ask(w, "big.example.com.", "TXT"), "NOERROR\n"));
	assert_non_null(strstr(w->log, "10.0.0.4 big.example.com. TXT\n"
	                               "10.0.0.4 big.example.com. TXT tcp\n"));
	world_free(w);
}

/* A server from before EDNS. */
static bool
no_edns(struct world *w, const struct iterate_send *s, struct wr *reply)
{
	struct dns_query q;

	if (dns_query_read(s->packet, &q) != DNS_OK || !q.edns.present)
		return false;
	*(unsigned *)w->owner += 1;
	(void)wr_take(reply, dns_writer_refuse(&q, DNS_FORMERR, reply->p, DNS_UDP_PLAIN).n);
	return true;
}

static void
test_no_edns(void **state)
{
	struct world *w = open_world();
	unsigned n = 0;

	(void)state;
	w->twist = no_edns;
	w->owner = &n;
	assert_non_null(strstr(world_ask(w, "www.example.com.", "A"), "192.0.2.1"));
	assert_int_equal(n, 3);
	world_ask(w, "mail.example.com.", "A");
	assert_int_equal(n, 3); /* it is known by now */
	world_free(w);
}

/* Two in three datagrams are lost. */
static bool
lossy(struct world *w, const struct iterate_send *s, struct wr *reply)
{
	(void)s;
	(void)reply;
	return ++*(unsigned *)w->owner % 3 != 0;
}

static void
test_loss(void **state)
{
	struct world *w = open_world();
	unsigned n = 0;

	(void)state;
	w->twist = lossy;
	w->owner = &n;
	assert_non_null(strstr(world_ask(w, "www.example.com.", "A"), "192.0.2.1"));
	world_free(w);
}

static bool
silent(struct world *w, const struct iterate_send *s, struct wr *reply)
{
	(void)w;
	(void)s;
	(void)reply;
	return true;
}

static void
test_time_is_over(void **state)
{
	struct world *w = open_world();
	uint64_t begun = w->now;

	(void)state;
	w->twist = silent;
	assert_non_null(strstr(world_ask(w, "www.example.com.", "A"), "SERVFAIL"));
	assert_true(w->now <= begun + ITERATE_MS);
	world_free(w);
}

/* One that is lame, one that is silent, one that answers: all but the last are left alone. */
static const struct world_zone three[] = {
    {"10.0.0.1", ".",
     SOA "@ NS ns.root.\nns.root. A 10.0.0.1\nx NS a.x\nx NS b.x\nx NS c.x\na.x A 10.0.0.66\n"
         "b.x A 10.0.0.2\nc.x A 10.0.0.3\n"},
    {"10.0.0.2", "other.", SOA "@ NS ns\nns A 10.0.0.2\n"},
    {"10.0.0.3", "x.",
     SOA "@ NS a\n@ NS b\n@ NS c\na A 10.0.0.66\nb A 10.0.0.2\nc A 10.0.0.3\n"
         "$GENERATE 1-90 w$ A 192.0.2.$\n"},
};

static void
test_chooses(void **state)
{
	struct world *w = world_new(three, COUNT(three), HINTS);
	unsigned sent = 0;

	(void)state;
	for (int i = 1; i <= 90; i++) {
		char name[16];

		snprintf(name, sizeof(name), "w%d.x.", i);
		assert_non_null(strstr(world_ask(w, name, "A"), "NOERROR"));
		if (i > 10)
			sent += w->sent;
	}
	assert_true(sent <= 80 + 12); /* nearly always the one that answers */
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_asks),
	    cmocka_unit_test(test_asks_minimised),
	    cmocka_unit_test(test_minimises),
	    cmocka_unit_test(test_caches),
	    cmocka_unit_test(test_ttl_goes_down),
	    cmocka_unit_test(test_negative_is_over),
	    cmocka_unit_test(test_failure_is_kept),
	    cmocka_unit_test(test_tcp),
	    cmocka_unit_test(test_no_edns),
	    cmocka_unit_test(test_loss),
	    cmocka_unit_test(test_time_is_over),
	    cmocka_unit_test(test_chooses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
