/*
 * zone_image.c - a reader does not trust an image: whatever is damaged in it gives an answer or
 * SERVFAIL, in bounded time, and nothing outside of it is read.
 */
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first, and what they include */
#include "../zone_ask.h"

#include <cmocka.h>

static const char zone[] = "$TTL 60\n"
			   "@ SOA ns a 1 2 3 4 5\n"
			   "  NS ns\n"
			   "  MX 1 ns\n"
			   "ns A 192.0.2.1\n"
			   "   A 192.0.2.2\n"
			   "c CNAME ns\n"
			   "d NS x.d\n"
			   "x.d A 192.0.2.3\n"
			   "*.w TXT x\n"
			   "o DNAME w\n"
			   "a.b.c.d.e A 192.0.2.1\n";

static const struct kit_query asks[] = {
    ASK("z.", "SOA"),     ASK("z.", "MX"),          ASK("ns.z.", "A"),    ASK("c.z.", "A"),
    ASK("y.x.d.z.", "A"), ASK("q.w.z.", "TXT"),     ASK("q.o.z.", "TXT"), ASK("no.z.", "A"),
    ASK("z.", "ANY"),     ASK("b.c.d.e.z.", "ANY"), ASK("d.z.", "DS"),
};

static struct kit
make(void)
{
	struct zone_builder *b = zone_builder_new(kit_key, 0);

	kit_add(b, "z.", zone);
	return kit_seal(b, 1);
}

/* Asks all questions of an image, if it can be opened; how many answers were SERVFAIL. */
static unsigned
ask_all(struct bytes region)
{
	struct zone_image img;
	unsigned failed = 0;

	if (!is_ok(zone_image_open(&img, region)))
		return 0;
	for (size_t i = 0; i < COUNT(asks); i++) {
		uint8_t packet[DNS_UDP_PLAIN], room[DNS_UDP_MAX];
		struct wr out = wr_of(room, sizeof(room));
		struct zone_done done =
		    kit_answer(&img, kit_packet(&asks[i], packet), false, 1, &out);

		assert_true(wr_since(&out, room).n >= DNS_HEADER);
		assert_int_equal(done.rcode, room[3] & 15);
		failed += done.rcode == DNS_RCODE_SERVFAIL;
	}
	return failed;
}

/* The carrying over of a damaged image ends, too. */
static void
carry(struct bytes region)
{
	struct zone_builder *b = zone_builder_new(kit_key, 1 << 20);
	struct zone_image img;
	struct err e = OK;

	if (is_ok(zone_image_open(&img, region)))
		e = zone_builder_carry(b, &img, BYTES("\1z\0"));
	(void)e;
	zone_builder_free(b);
}

static void
opens_only_images(void **state)
{
	struct kit k = make();
	struct zone_image img;

	(void)state;
	for (size_t n = 0; n < k.n; n++)
		assert_int_equal(zone_image_open(&img, (struct bytes){k.region, n}).code,
		                 ERR_SYNTAX);
	assert_true(is_ok(zone_image_open(&img, (struct bytes){k.region, k.n})));
	for (size_t i = 0; i < 12; i++) { /* magic and format */
		k.region[i] ^= 1;
		assert_int_equal(zone_image_open(&img, (struct bytes){k.region, k.n}).code,
		                 ERR_SYNTAX);
		k.region[i] ^= 1;
	}
	assert_int_equal(ask_all((struct bytes){k.region, k.n}), 0);
	kit_free(&k);
}

/* Each octet in turn becomes each of some values. */
static void
survives_each_octet(void **state)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
	struct kit k = make();
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < k.n; i++)
		for (size_t v = 0; v < COUNT(values); v++) {
			uint8_t old = k.region[i];

			k.region[i] = values[v];
			failed += ask_all((struct bytes){k.region, k.n});
			carry((struct bytes){k.region, k.n});
			k.region[i] = old;
		}
	assert_true(failed > 0);
	kit_free(&k);
}

/* Many octets at once, and places swapped for other good ones. */
static void
survives_wild_damage(void **state)
{
	struct kit k = make();
	uint8_t *copy = malloc(k.n);
	uint64_t seed = 1;

	(void)state;
	assert_non_null(copy);
	for (unsigned round = 0; round < 20000; round++) {
		memcpy(copy, k.region, k.n);
		for (unsigned i = 0; i < 1 + round % 20; i++) {
			size_t at;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			at = (size_t)(seed >> 33) % k.n;
			if (seed >> 20 & 1)
				copy[at] = (uint8_t)(seed >> 24);
			else if (at + 4 <= k.n) /* a place inside */
				copy[at] = copy[at + 1] = 0,
				copy[at + 2] = (uint8_t)((seed >> 8) % (k.n / 1024 + 1)),
				copy[at + 3] = (uint8_t)seed;
		}
		(void)ask_all((struct bytes){copy, k.n});
		carry((struct bytes){copy, k.n});
	}
	free(copy);
	kit_free(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(opens_only_images),
	    cmocka_unit_test(survives_each_octet),
	    cmocka_unit_test(survives_wild_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
