/* heap.c - nodes come out in the order of their keys, whatever was removed or moved meanwhile. */
#include "base/heap.h"

#include "base/bytes.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { N = 500 };

static void
nodes_come_out_in_order(void **state)
{
	static const uint64_t keys[] = {5, 3, 9, 3, 0, UINT64_MAX, 7, 1};
	struct heap_node nodes[COUNT(keys)] = {{0}};
	struct heap h = {0};
	uint64_t last = 0;
	size_t n = 0;

	(void)state;
	assert_null(heap_first(&h));
	assert_null(heap_pop(&h));
	for (size_t i = 0; i < COUNT(keys); i++)
		assert_true(heap_push(&h, &nodes[i], keys[i]));
	for (struct heap_node *first; (first = heap_first(&h)); n++) {
		assert_ptr_equal(heap_pop(&h), first);
		assert_false(heap_holds(first));
		assert_true(first->key >= last);
		last = first->key;
	}
	assert_int_equal(n, COUNT(keys));
	assert_null(heap_pop(&h));
	heap_fini(&h);
}

static void
any_node_can_be_removed_or_moved(void **state)
{
	static struct heap_node nodes[N];
	struct random *r = random_seeded(1);
	struct heap h = {0};
	uint64_t last = 0;
	size_t in = 0, out = 0;

	(void)state;
	for (size_t i = 0; i < 20 * N; i++) {
		struct heap_node *node = &nodes[random_below(r, N)];

		if (!heap_holds(node)) {
			assert_true(heap_push(&h, node, random_below(r, 1000)));
			in++;
		} else if (random_below(r, 2)) {
			heap_move(&h, node, random_below(r, 1000));
		} else {
			heap_remove(&h, node);
			in--;
		}
		for (size_t k = 1; k < h.n; k++)
			assert_true(h.nodes[(k - 1) / 2]->key <= h.nodes[k]->key);
	}
	assert_int_equal(h.n, in);
	for (struct heap_node *node; (node = heap_pop(&h)); out++) {
		assert_true(node->key >= last);
		last = node->key;
	}
	assert_int_equal(out, in);
	random_close(r);
	heap_fini(&h);
}

static void
a_node_in_no_heap_is_left_alone(void **state)
{
	struct heap_node a = {0}, b = {0};
	struct heap h = {0};

	(void)state;
	assert_true(heap_push(&h, &a, 1));
	heap_remove(&h, &b);
	assert_ptr_equal(heap_first(&h), &a);
	heap_fini(&h);
	assert_false(heap_holds(&a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nodes_come_out_in_order),
	    cmocka_unit_test(any_node_can_be_removed_or_moved),
	    cmocka_unit_test(a_node_in_no_heap_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
