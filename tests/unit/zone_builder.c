/* zone_builder.c - zones are judged as a person wants it, and images hold what was put in. */
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first, and what they include */
#include "../zone_ask.h"

#include <cmocka.h>

#define HEAD "$TTL 60\n@ SOA ns a 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n" /* lines 1 to 4 */

static const struct {
	const char *text, *problems;
	bool good;
} zones[] = {
    {HEAD, "", true},
    {"", "error: z. has no SOA\nerror: z. has no NS at its apex\n", false},
    {"@ 60 NS ns.example.\n", "error: z. has no SOA\n", false},
    {"@ 60 SOA ns a 1 2 3 4 5\n", "error: z. has no NS at its apex\n", false},
    {HEAD "@ SOA ns a 2 2 3 4 5\n", "f:5: error: z. SOA is there more than once\n", false},
    {HEAD "@ SOA NS A 1 2 3 4 5\n", "", true}, /* the same but for case */
    {HEAD "x SOA ns a 2 2 3 4 5\n", "f:5: error: x.z. SOA is not at the zone's apex\n", false},
    {HEAD "\nwww.example.org. A 192.0.2.1\n",
     "f:6: error: www.example.org. A is outside of the zone\n", false},
    {HEAD "xz. A 192.0.2.1\n", "f:5: error: xz. A is outside of the zone\n", false},
    {HEAD "w CNAME ns\nw A 192.0.2.1\n",
     "f:6: error: w.z. A stands beside a CNAME of the same name\n", false},
    {HEAD "w CNAME ns\nW CNAME x\n",
     "f:6: error: W.z. CNAME is there more than once: a name has one CNAME\n", false},
    {HEAD "w CNAME ns\nw CNAME NS\n", "", true},
    /* attack 17: a newline and an escape in a name */
    {HEAD "w\\010\\027[ CNAME ns\nw\\010\\027[ TXT x\n",
     "f:6: error: w\\010\\027[.z. TXT stands beside a CNAME of the same name\n", false},
    {HEAD "w DNAME ns\nw DNAME x\n",
     "f:6: error: w.z. DNAME is there more than once: a name has one DNAME\n", false},
    {HEAD "* NS ns\n", "f:5: error: *.z. NS is at a wildcard, where it has no meaning\n", false},
    {HEAD "@ MX 1 m\n@ NS n2\n@ NS n2.n1\n@ NS ns.example.\nm CNAME ns\nn2 CNAME ns\n",
     "f:6: warning: z. NS names an alias, which it must not (RFC 2181 10.3): n2.z.\n"
     "f:7: warning: z. NS names a server without an address: n2.n1.z.\n"
     "f:5: warning: z. MX names an alias, which it must not (RFC 2181 10.3): m.z.\n",
     true},
    {HEAD "d NS ns.d\nd NS ns\nd NS no.where.z.\nd NS n.e\ne NS n.e\nn.e AAAA ::1\n",
     "f:5: warning: d.z. NS has no glue: nobody can find the address of ns.d.z.\n", true},
    {HEAD "@ NS x.w\n*.w A 192.0.2.2\n", "", true},
    {HEAD "t 5 A 192.0.2.1\nt 4 A 192.0.2.2\nt 6 A 192.0.2.3\n",
     "f:5: warning: t.z. A has other TTLs in the same set; the lowest is taken\n", true},
    {HEAD
     "d NS ns.d\nns.d A 192.0.2.1\nns.d MX 1 ns\nother.d A 192.0.2.2\nd TXT x\nd DS 1 2 3 00\n",
     "f:9: warning: d.z. TXT is hidden by the delegation or DNAME at d.z.\n"
     "f:7: warning: ns.d.z. MX is hidden by the delegation or DNAME at d.z.\n"
     "f:8: warning: other.d.z. A is hidden by the delegation or DNAME at d.z.\n",
     true},
    {HEAD "d NS d\nd A 192.0.2.1\n", "", true},
    {HEAD "d DNAME ns\nx.d A 192.0.2.1\n",
     "f:6: warning: x.d.z. A is hidden by the delegation or DNAME at d.z.\n", true},
    {HEAD "$GENERATE 1-5000 big TXT \"text-of-$\"\n",
     "f:5: error: big.z. TXT belongs to a set that fits into no message\n", false},
};

static void
note(void *out, const struct zone_problem *p)
{
	zone_problem_text(p, out);
	wr_text(out, "\n");
}

static void
judges(void **state)
{
	struct zonefile_reader reader = {.record = kit_record};

	(void)state;
	for (size_t i = 0; i < COUNT(zones); i++) {
		struct zone_builder *b = zone_builder_new(kit_key, 0);
		struct zonefile_error wrong;
		char room[4096];
		struct wr w = wr_of(room, sizeof(room));
		unsigned errors;
		struct dname z;

		reader.owner = b;
		assert_true(is_ok(zone_builder_zone(b, kit_name(&z, "z."))));
		assert_true(is_ok(zonefile_parse(&reader, BYTES("f"), bytes_of(zones[i].text),
		                                 dname_bytes(&z), &wrong)));
		assert_true(is_ok(zone_builder_check(b, note, &w, &errors)));
		wr_u8(&w, 0);
		assert_false(w.full);
		if (strcmp(room, zones[i].problems) != 0)
			print_message("%s", zones[i].text);
		assert_string_equal(room, zones[i].problems);
		assert_int_equal(errors, !zones[i].good);
		zone_builder_free(b);
	}
}

/* Not more than ZONE_PROBLEMS_MAX are told, and the last one says so. */
static void
count_told(void *n, const struct zone_problem *p)
{
	if (++*(unsigned *)n == ZONE_PROBLEMS_MAX)
		assert_string_equal(p->text, "there are more problems that are not told");
}

static void
tells_a_bounded_number(void **state)
{
	struct zone_builder *b = zone_builder_new(kit_key, 0);
	unsigned told = 0, errors;

	(void)state;
	kit_add(b, "z.", HEAD "$GENERATE 1-500 $ NS ns.$\n");
	assert_true(is_ok(zone_builder_check(b, count_told, &told, &errors)));
	assert_int_equal(told, ZONE_PROBLEMS_MAX);
	assert_int_equal(errors, 0);
	zone_builder_free(b);
}

static void
refuses_what_is_no_record(void **state)
{
	struct zone_builder *b = zone_builder_new(kit_key, 4096);
	struct dname z;
	struct zonefile_record r = {.owner = kit_name(&z, "z."), .ttl = 1, .class = DNS_CLASS_IN};
	struct err e = OK;

	(void)state;
	assert_int_equal(zone_builder_zone(b, BYTES("\3abc")).code, ERR_SYNTAX);
	assert_true(is_ok(zone_builder_zone(b, r.owner)));
	assert_int_equal(zone_builder_zone(b, BYTES("\1Z\0")).code, ERR_EXISTS);
	assert_true(is_ok(zone_builder_zone(b, BYTES("\1y\0"))));
	zone_builder_drop(b);
	assert_true(is_ok(zone_builder_zone(b, BYTES("\1y\0"))));
	r.type = DNS_TYPE_A;
	r.rdata = BYTES("abc");
	assert_int_equal(zone_builder_add(b, &r).code, ERR_SYNTAX);
	r.type = DNS_TYPE_ANY;
	assert_int_equal(zone_builder_add(b, &r).code, ERR_SYNTAX);
	r.type = DNS_TYPE_TXT;
	r.rdata = BYTES("\3abc");
	r.owner = BYTES("\1y\0");
	for (unsigned i = 0; i < 1000 && is_ok(e); i++)
		e = zone_builder_add(b, &r);
	assert_int_equal(e.code, ERR_FULL); /* the cap */
	zone_builder_free(b);
}

/* A zone with errors is not in the image, the others are. */
static void
leaves_bad_zones_out(void **state)
{
	struct zone_builder *b = zone_builder_new(kit_key, 0);
	struct zone_view zone;
	struct zone_node apex;
	struct kit k;

	(void)state;
	kit_add(b, "a.", "@ 60 TXT x\n");
	kit_add(b, "b.", HEAD);
	k = kit_seal(b, 99);
	assert_int_equal(k.img.zones, 1);
	assert_int_equal(k.img.version, 99);
	assert_int_equal(zone_image_zone(&k.img, 0, &zone), ZONE_FOUND);
	assert_int_equal(zone_image_zone(&k.img, 1, &zone), ZONE_NONE);
	assert_int_equal(zone.serial, 1);
	assert_int_equal(zone.records, 3);
	assert_int_equal(zone.nodes, 2);
	assert_int_equal(zone_image_node(&k.img, zone.apex, &apex), ZONE_FOUND);
	assert_true(bytes_eq(apex.owner, BYTES("\1b\0")));
	kit_free(&k);
}

static void
without_zones(void **state)
{
	struct kit k = kit_seal(zone_builder_new(kit_key, 0), 1);
	char room[256];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	kit_talk(&k.img, &(struct kit_query)ASK("a.", "A"), &w, NULL);
	wr_u8(&w, 0);
	assert_string_equal(room, "REFUSED\n");
	kit_free(&k);
}

/* Every node in canonical order, and what is carried over is the same, octet by octet. */
static void
carries_zones_over(void **state)
{
	struct zone_builder *b = zone_builder_new(kit_key, 0);
	struct kit k, k2;
	struct zone_view zone;
	struct zone_node n, last;
	struct dname name;

	(void)state;
	kit_add(b, "z.",
	        HEAD "$GENERATE 1-300 a$.b.${0,3} A 192.0.2.1\n"
	             "d NS x.d\nx.d A 192.0.2.3\n*.w TXT \"\\000\" x\n\\000.w A 192.0.2.1\n"
	             "\\001.w A 192.0.2.1\n\\000\\001.w A 192.0.2.1\nA.w A 192.0.2.1\n");
	k = kit_seal(b, 5);
	assert_int_equal(zone_image_zone(&k.img, 0, &zone), ZONE_FOUND);
	assert_int_equal(zone_image_node(&k.img, zone.apex, &n), ZONE_FOUND);
	for (uint32_t i = 1; i < zone.nodes; i++) {
		last = n;
		assert_true(dname_ok(n.owner));
		assert_int_equal(zone_image_node(&k.img, n.next, &n), ZONE_FOUND);
		assert_true(dname_cmp(last.owner, n.owner) < 0);
	}
	assert_int_equal(n.next, 0);
	b = zone_builder_new(kit_key, 0);
	assert_int_equal(zone_builder_carry(b, &k.img, kit_name(&name, "w.z.")).code, ERR_NOTFOUND);
	assert_int_equal(zone_builder_carry(b, &k.img, kit_name(&name, "y.")).code, ERR_NOTFOUND);
	assert_true(is_ok(zone_builder_carry(b, &k.img, kit_name(&name, "Z."))));
	assert_int_equal(zone_builder_carry(b, &k.img, kit_name(&name, "z.")).code, ERR_EXISTS);
	k2 = kit_seal(b, 5);
	assert_int_equal(k.n, k2.n);
	assert_memory_equal(k.region, k2.region, k.n);
	kit_free(&k);
	kit_free(&k2);
}

/* All names are found again, and nothing else is; zones in zones in zones. */
static void
finds_all_names(void **state)
{
	enum { NAMES = 3000 };
	struct zone_builder *b = zone_builder_new(kit_key, 0);
	struct kit k;
	char room[512], name[64];

	(void)state;
	kit_add(b, "z.", HEAD "$GENERATE 0-2999 n$ A 192.0.2.1\n");
	for (unsigned i = 0; i < NAMES; i += 3) {
		snprintf(name, sizeof(name), "n%u.z.", i);
		kit_add(b, name, HEAD);
	}
	k = kit_seal(b, 5);
	assert_int_equal(k.img.zones, 1 + NAMES / 3);
	for (unsigned i = 0; i < NAMES + 10; i++) {
		struct wr w = wr_of(room, sizeof(room));
		struct zone_done done;

		snprintf(name, sizeof(name), "N%u.Z.", i);
		kit_talk(&k.img, &(struct kit_query)ASK(name, "A"), &w, &done);
		assert_int_equal(done.outcome, i >= NAMES ? ZONE_NXDOMAIN
		                               : i % 3    ? ZONE_ANSWERED
		                                          : ZONE_NODATA);
	}
	kit_free(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(judges),
	    cmocka_unit_test(tells_a_bounded_number),
	    cmocka_unit_test(refuses_what_is_no_record),
	    cmocka_unit_test(leaves_bad_zones_out),
	    cmocka_unit_test(without_zones),
	    cmocka_unit_test(carries_zones_over),
	    cmocka_unit_test(finds_all_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
