/*
 * Attack 22: referrals that make a resolver work for others (NXNS, NRDelegation, CAMP): what one
 * question of a client may cost is one budget.
 */
#include "../resolve_play.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HINTS "ns.root. 3600 A 10.0.0.1\n. 3600 NS ns.root.\n"
#define SOA   "$TTL 300\n@ SOA ns a 1 2 3 4 60\n"

static const struct world_zone zones[] = {
    {"10.0.0.1", ".",
     SOA "@ NS ns.root.\nns.root. A 10.0.0.1\nevil NS ns.evil\nns.evil A 10.0.0.2\n"
         "victim NS ns.victim\nns.victim A 10.0.0.3\nsilent NS ns.silent\n"
         "ns.silent A 10.0.0.66\n"},
    {"10.0.0.2", "evil.",
     SOA "@ NS ns\nns A 10.0.0.2\n$GENERATE 1-1500 many NS x$.victim.\n"
         "$GENERATE 1-1500 mute NS x$.silent.\n"
         /* each an alias into a zone whose servers are to be looked for */
         "$GENERATE 1-200 c$.chain CNAME www.z$.chain\n$GENERATE 1-200 z$.chain NS y$.victim.\n"},
    {"10.0.0.3", "victim.", SOA "@ NS ns\nns A 10.0.0.3\n"},
};

static struct world *
open_world(void)
{
	return world_new(zones, COUNT(zones), HINTS);
}

static unsigned
count(const char *log, const char *what)
{
	unsigned n = 0;

	for (const char *p = log; (p = strstr(p, what)); p++)
		n++;
	return n;
}

/* 1,500 servers without an address: five that do not exist, then it is enough. */
static void
attack_022_many_servers(void **state)
{
	struct world *w = open_world();

	(void)state;
	assert_non_null(strstr(world_ask(w, "www.many.evil.", "A"), "SERVFAIL"));
	assert_true(count(w->log, "10.0.0.3 ") <= DELEGATION_FAILED);
	assert_true(w->sent <= 16);
	world_free(w);
}

/* The same with servers that never answer. */
static void
attack_022_silent_servers(void **state)
{
	struct world *w = open_world();
	uint64_t begun = w->now;

	(void)state;
	assert_non_null(strstr(world_ask(w, "www.mute.evil.", "A"), "SERVFAIL"));
	assert_true(w->sent <= ITERATE_QUERIES);
	assert_true(w->now - begun <= ITERATE_MS);
	world_free(w);
}

/* A world without end: each answer is another referral or alias, to names never seen before. */
static bool
endless(struct world *w, const struct iterate_send *s, struct wr *reply)
{
	unsigned *n = w->owner;
	struct dns_writer d;
	struct dns_query q;
	struct dname owner, target;
	char text[64];

	assert_int_equal(dns_query_read(s->packet, &q), DNS_OK);
	dns_writer_reply(&d, &q, reply->p, DNS_UDP_MAX);
	++*n;
	snprintf(text, sizeof(text), "a%u.b%u.c%u.", *n, *n, *n);
	kit_name(&target, text);
	if (*n % 3 == 0) {
		d.flags |= DNS_FLAG_AA;
		dns_writer_record(&d, DNS_ANSWER, s->name, DNS_TYPE_CNAME, 300,
		                  dname_bytes(&target));
	} else {
		dname_copy(&owner, s->name);
		if (owner.labels > 1 && *n % 2)
			dname_copy(&owner, dname_strip(s->name, owner.labels - 1u));
		for (int i = 0; i < 15; i++) {
			snprintf(text, sizeof(text), "n%d.d%u.e%u.", i, *n, *n);
			dns_writer_record(&d, DNS_AUTHORITY, dname_bytes(&owner), DNS_TYPE_NS, 300,
			                  kit_name(&target, text));
		}
	}
	(void)wr_take(reply, dns_writer_finish(&d).n);
	return true;
}

static void
attack_022_one_budget(void **state)
{
	(void)state;
	for (unsigned begin = 0; begin < 12; begin++) {
		for (int minimise = 0; minimise < 2; minimise++) {
			struct world *w = open_world();
			unsigned n = begin;

			w->conf.minimise = minimise;
			w->twist = endless;
			w->owner = &n;
			assert_non_null(strstr(world_ask(w, "www.example.", "A"), "SERVFAIL"));
			assert_true(w->sent <= ITERATE_QUERIES);
			assert_true(n - begin == w->sent);
			world_free(w);
		}
	}
}

static void
attack_022_aliases_and_referrals(void **state)
{
	struct world *w = open_world();

	(void)state;
	for (int i = 1; i <= 20; i++) {
		char name[64];

		snprintf(name, sizeof(name), "c%d.chain.evil.", i);
		assert_non_null(strstr(world_ask(w, name, "A"), "SERVFAIL"));
		assert_true(w->sent <= 8);
	}
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_022_many_servers),
	    cmocka_unit_test(attack_022_silent_servers),
	    cmocka_unit_test(attack_022_one_budget),
	    cmocka_unit_test(attack_022_aliases_and_referrals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
