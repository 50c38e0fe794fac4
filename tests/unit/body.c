/* body.c - a message on its way in: in memory, then in a file; what it was charged comes back. */
#include "serve/body.h"

#include "base/random.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { MIB = 1024 * 1024 };

struct two {
	struct purse network, all;
	struct body body;
};

static struct two *
two(struct two *t, size_t network, size_t all)
{
	*t = (struct two){{0, network}, {0, all}, {.fd = -1}};
	t->body = body_init(&t->network, &t->all);
	return t;
}

static uint8_t text[3 * MIB];

static void
fill(void)
{
	struct random *random = random_seeded(4);

	random_fill(random, text, sizeof(text));
	random_close(random);
}

/* Is the first n octets of the text held, where it is to be? */
static void
assert_holds(struct body *b, size_t n, bool in_file)
{
	struct bytes held = buf_bytes(&b->memory);

	assert_int_equal(b->size, n);
	assert_int_equal(b->fd >= 0, in_file);
	if (!in_file) {
		assert_true(bytes_eq(held, (struct bytes){text, n}));
		return;
	}
	held.p = mmap(NULL, n, PROT_READ, MAP_SHARED, b->fd, 0);
	assert_true(held.p != MAP_FAILED);
	assert_memory_equal(held.p, text, n);
	munmap((void *)(uintptr_t)held.p, n);
	assert_int_equal(lseek(b->fd, 0, SEEK_END), (off_t)n);
}

static void
add_in_pieces(struct body *b, size_t n, size_t piece)
{
	for (size_t at = 0; at < n; at += piece) {
		struct bytes next = {text + at, n - at < piece ? n - at : piece};

		assert_true(is_ok(body_add(b, next)));
	}
}

static void
small_in_memory_large_in_a_file(void **state)
{
	static const struct {
		size_t n;
		bool in_file;
	} rows[] = {
	    {0, false},
	    {1, false},
	    {BODY_MEMORY - 1, false},
	    {BODY_MEMORY, false},
	    {BODY_MEMORY + 1, true},
	    {4 * BODY_MEMORY - 1, true},
	    {4 * BODY_MEMORY, true},
	    {4 * BODY_MEMORY + 1, true},
	    {3 * MIB, true},
	};
	static const size_t pieces[] = {1, 1000, BODY_MEMORY - 1, BODY_MEMORY, 65536, 3 * MIB};
	struct two t;

	(void)state;
	fill();
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t k = 0; k < COUNT(pieces); k++) {
			if (rows[i].n / pieces[k] > 200000)
				continue;
			two(&t, SIZE_MAX, SIZE_MAX);
			add_in_pieces(&t.body, rows[i].n, pieces[k]);
			assert_int_equal(t.network.used, rows[i].n);
			assert_int_equal(t.all.used, rows[i].n);
			assert_true(is_ok(body_seal(&t.body)));
			assert_holds(&t.body, rows[i].n, rows[i].in_file);
			body_drop(&t.body);
			assert_int_equal(t.network.used, 0);
			assert_int_equal(t.all.used, 0);
			assert_int_equal(t.body.fd, -1);
			assert_null(t.body.memory.p);
		}
}

static void
what_is_sealed_cannot_be_changed(void **state)
{
	size_t n;
	struct two t;

	(void)state;
	two(&t, SIZE_MAX, SIZE_MAX);
	add_in_pieces(&t.body, 100000, 4096);
	assert_true(is_ok(body_seal(&t.body)));
	assert_true(is_ok(snap_check(t.body.fd, SIZE_MAX, &n)));
	assert_int_equal(n, 100000);
	assert_true(pwrite(t.body.fd, "x", 1, 0) < 0);
	assert_true(ftruncate(t.body.fd, 5) < 0);
	body_drop(&t.body);
}

static void
a_small_one_can_be_spilled(void **state)
{
	static const size_t sizes[] = {1, 100, BODY_MEMORY};
	struct two t;

	(void)state;
	fill();
	for (size_t i = 0; i < COUNT(sizes); i++) {
		two(&t, SIZE_MAX, SIZE_MAX);
		add_in_pieces(&t.body, sizes[i], 77);
		assert_true(is_ok(body_spill(&t.body)));
		assert_true(is_ok(body_spill(&t.body))); /* it is one already */
		assert_true(is_ok(body_seal(&t.body)));
		assert_holds(&t.body, sizes[i], true);
		assert_int_equal(t.all.used, sizes[i]);
		body_drop(&t.body);
		assert_int_equal(t.all.used, 0);
	}
	two(&t, SIZE_MAX, SIZE_MAX); /* what comes behind goes on in the file */
	add_in_pieces(&t.body, 1000, 1000);
	assert_true(is_ok(body_spill(&t.body)));
	assert_true(is_ok(body_add(&t.body, (struct bytes){text + 1000, 500000})));
	assert_true(is_ok(body_seal(&t.body)));
	assert_holds(&t.body, 501000, true);
	body_drop(&t.body);
}

static void
purses_say_when_it_is_enough(void **state)
{
	static const struct {
		size_t network, all;
	} caps[] = {{0, SIZE_MAX},     {SIZE_MAX, 0},     {100, SIZE_MAX}, {SIZE_MAX, 100},
	            {50000, SIZE_MAX}, {SIZE_MAX, 50000}, {50000, 50000}};
	struct two t;

	(void)state;
	for (size_t i = 0; i < COUNT(caps); i++) {
		size_t cap = caps[i].network < caps[i].all ? caps[i].network : caps[i].all;
		struct err e = OK;

		two(&t, caps[i].network, caps[i].all);
		while (is_ok(e))
			e = body_add(&t.body, (struct bytes){text, 70});
		assert_int_equal(e.code, ERR_FULL);
		assert_int_equal(t.body.size, cap / 70 * 70);
		assert_int_equal(t.network.used, t.body.size); /* what was refused is not charged */
		assert_int_equal(t.all.used, t.body.size);
		assert_int_equal(body_add(&t.body, (struct bytes){text, 70}).code, ERR_FULL);
		body_drop(&t.body);
		assert_int_equal(t.network.used, 0);
		assert_int_equal(t.all.used, 0);
	}
}

static void
bodies_share_a_purse(void **state)
{
	struct purse network[2] = {{0, 1000}, {0, 1000}}, all = {0, 1500};
	struct body a = body_init(&network[0], &all), b = body_init(&network[1], &all);

	(void)state;
	assert_true(is_ok(body_add(&a, (struct bytes){text, 1000})));
	assert_int_equal(body_add(&b, (struct bytes){text, 501}).code, ERR_FULL);
	assert_int_equal(network[1].used, 0);
	assert_true(is_ok(body_add(&b, (struct bytes){text, 500})));
	body_drop(&a);
	assert_true(is_ok(body_add(&b, (struct bytes){text, 500})));
	assert_int_equal(all.used, 1000);
	body_drop(&b);
	assert_int_equal(all.used, 0);
}

static void
a_dropped_one_can_be_used_again(void **state)
{
	int first = dup(0), last;
	struct two t;

	(void)state;
	fill();
	two(&t, MIB, MIB);
	body_drop(&t.body); /* an empty one */
	for (int i = 0; i < 50; i++) {
		size_t n = (size_t)i * 4000;

		add_in_pieces(&t.body, n, 999);
		if (i % 2)
			assert_true(is_ok(body_seal(&t.body)));
		if (i % 2)
			assert_holds(&t.body, n, n > BODY_MEMORY);
		body_drop(&t.body);
		assert_int_equal(t.network.used + t.all.used, 0);
	}
	last = dup(0);
	assert_int_equal(last, first + 1); /* no descriptor was left open */
	close(first);
	close(last);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(small_in_memory_large_in_a_file),
	    cmocka_unit_test(what_is_sealed_cannot_be_changed),
	    cmocka_unit_test(a_small_one_can_be_spilled),
	    cmocka_unit_test(purses_say_when_it_is_enough),
	    cmocka_unit_test(bodies_share_a_purse),
	    cmocka_unit_test(a_dropped_one_can_be_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
