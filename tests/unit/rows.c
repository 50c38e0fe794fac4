/* rows.c - message rows arrive as they were written; damage ends the reading. */
#include "talk/rows.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { ROOM = 61440, ROWS = 400 };

static uint8_t summaries[UINT16_MAX + 1];

static struct message_row
random_row(struct random *random)
{
	return (struct message_row){
	    .uid = (uint32_t)random_u64(random),
	    .flags = (uint32_t)random_below(random, 32),
	    .size = random_u64(random),
	    .received_s = random_u64(random),
	    .modseq = random_u64(random),
	    .summary = {summaries + random_below(random, 16), (size_t)random_below(random, 200)},
	};
}

static void
assert_row(const struct message_row *a, const struct message_row *b)
{
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->flags, b->flags);
	assert_true(a->size == b->size);
	assert_true(a->received_s == b->received_s);
	assert_true(a->modseq == b->modseq);
	assert_true(bytes_eq(a->summary, b->summary));
}

static void
rows_arrive_as_they_were_written(void **state)
{
	struct random *random = random_seeded(1);
	struct message_row *rows = calloc(ROWS, sizeof(*rows)), row;
	uint8_t *room = malloc(ROOM);
	struct wr w = wr_of(room, ROOM);
	size_t n = 0;
	struct rd r;

	(void)state;
	random_fill(random, summaries, sizeof(summaries));
	for (; n < ROWS; n++) {
		uint8_t *before = w.p;

		rows[n] = random_row(random);
		message_row_put(&w, &rows[n]);
		if (w.full)
			break;
		assert_int_equal(wr_since(&w, before).n, MESSAGE_ROW_FIXED + rows[n].summary.n);
	}
	assert_in_range(n, 200, ROWS);
	r = rd_of(wr_since(&w, room));
	for (size_t i = 0; i < n; i++) {
		assert_true(message_row_get(&r, &row));
		assert_row(&row, &rows[i]);
	}
	assert_false(message_row_get(&r, &row));
	assert_false(r.bad);
	free(room);
	free(rows);
	random_close(random);
}

static void
a_row_is_written_whole_or_not_at_all(void **state)
{
	const struct message_row row = {.uid = 1, .summary = BYTES("summary")};
	uint8_t room[MESSAGE_ROW_FIXED + 7];

	(void)state;
	for (size_t n = 0; n <= sizeof(room); n++) {
		struct wr w = wr_of(room, n);

		message_row_put(&w, &row);
		assert_int_equal(w.full, n < sizeof(room));
		assert_ptr_equal(w.p, n < sizeof(room) ? room : room + n);
	}
}

static void
a_summary_has_a_length_of_sixteen_bits(void **state)
{
	uint8_t *room = malloc(2 * UINT16_MAX);
	struct message_row row = {.uid = 1, .summary = {summaries, UINT16_MAX}}, got;
	struct wr w = wr_of(room, (size_t)2 * UINT16_MAX);
	struct rd r;

	(void)state;
	message_row_put(&w, &row);
	r = rd_of(wr_since(&w, room));
	assert_true(message_row_get(&r, &got));
	assert_row(&got, &row);
	row.summary.n++;
	message_row_put(&w, &row);
	assert_true(w.full);
	free(room);
}

static void
rows_that_are_cut_are_damage(void **state)
{
	const struct message_row row = {.uid = 1, .summary = BYTES("summary")};
	uint8_t room[2 * (MESSAGE_ROW_FIXED + 7)];
	struct wr w = wr_of(room, sizeof(room));
	struct message_row got;

	(void)state;
	message_row_put(&w, &row);
	message_row_put(&w, &row);
	for (size_t n = 0; n <= sizeof(room); n++) {
		struct rd r = rd_of((struct bytes){room, n});
		size_t rows = 0;

		while (message_row_get(&r, &got))
			rows++;
		assert_int_equal(rows, n / (sizeof(room) / 2));
		assert_int_equal(r.bad, n % (sizeof(room) / 2) != 0);
	}
}

static void
garbage_ends(void **state)
{
	struct random *random = random_seeded(2);
	struct message_row row;
	uint8_t room[512];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t n = (size_t)random_below(random, sizeof(room)), rows = 0;
		struct rd r = rd_of((struct bytes){room, n});

		random_fill(random, room, sizeof(room));
		for (; message_row_get(&r, &row); rows++)
			assert_true(row.summary.p + row.summary.n <= room + n);
		assert_true(rows <= n / MESSAGE_ROW_FIXED);
	}
	random_close(random);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_arrive_as_they_were_written),
	    cmocka_unit_test(a_row_is_written_whole_or_not_at_all),
	    cmocka_unit_test(a_summary_has_a_length_of_sixteen_bits),
	    cmocka_unit_test(rows_that_are_cut_are_damage),
	    cmocka_unit_test(garbage_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
