/*
 * Attack 16: connections that say nothing, that drip their bytes, that ask without reading, and
 * more of them than there is room for.  Each costs its bounded share, and others are answered.
 */
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first, and what they include */
#include "../names_stream.h"

#include <cmocka.h>

static void
serves_others(struct rig *r)
{
	uint8_t frame[512];
	struct wr w = wr_of(frame, sizeof(frame));
	int fd = rig_connect(r, rig_addr(99, 1, 0));
	bool ended;

	rig_frame(r, &w, "ns.z.", "A", 1);
	assert_true(rig_write(r, fd, wr_since(&w, frame), 1000));
	assert_true(rig_read(r, fd, r->room, sizeof(r->room), 200, &ended) > 30);
	loop_close_fd(r->loop, fd);
}

static void
attack_016_idle(void **state)
{
	struct rig r = rig_open(0);
	int fd = rig_connect(&r, r.me);

	(void)state;
	rig_load(&r, RIG_ZONE, 1);
	assert_false(rig_ends(&r, fd, NAMES_IDLE_MS - 1000));
	assert_true(rig_ends(&r, fd, 2000));
	loop_close_fd(r.loop, fd);
	rig_close(&r);
}

/* An octet a second is life, but it brings no query. */
static void
attack_016_dripping(void **state)
{
	struct rig r = rig_open(0);
	uint8_t frame[512];
	struct wr w = wr_of(frame, sizeof(frame));
	int fd = rig_connect(&r, r.me);
	size_t i = 0;

	(void)state;
	rig_load(&r, RIG_ZONE, 1);
	rig_frame(&r, &w, "ns.z.", "A", 1);
	while (i < 30 && rig_write(&r, fd, (struct bytes){frame + i, 1}, 1) &&
	       !rig_ends(&r, fd, 1000))
		i++;
	assert_in_range(i, 3, NAMES_QUERY_MS / 1000 + 1);
	loop_close_fd(r.loop, fd);
	rig_close(&r);
}

/* Asks for much and reads nothing: two bounded buffers, then the deadline. */
static void
attack_016_asks_without_reading(void **state)
{
	struct rig r = rig_open(0);
	uint8_t frames[32 * 64];
	struct wr w = wr_of(frames, sizeof(frames));
	int fd = rig_connect(&r, r.me);
	size_t asked = 0;

	(void)state;
	rig_load(&r, RIG_ZONE, 1);
	for (uint16_t i = 0; i < 32; i++)
		rig_frame(&r, &w, "big.z.", "TXT", i);
	while (asked < 1 << 24 && rig_write(&r, fd, wr_since(&w, frames), 1 << 16))
		asked += wr_since(&w, frames).n;
	assert_true(asked < 1 << 24);
	serves_others(&r);
	sim_run(r.loop, NAMES_QUERY_MS + 1000);
	assert_int_equal(rig_count(&r, "sessions"), 0);
	loop_close_fd(r.loop, fd);
	rig_close(&r);
}

/* More connections than there is room for: those that were silent the longest go. */
static void
attack_016_crowd(void **state)
{
	enum { NETS = 5, EACH = NAMES_TCP / NETS, MORE = 10 };
	struct rig r = rig_open(0);
	int *fds = calloc(NAMES_TCP + MORE, sizeof(*fds));
	size_t ended = 0;

	(void)state;
	assert_non_null(fds);
	rig_load(&r, RIG_ZONE, 1);
	for (uint8_t net = 0; net < NETS; net++)
		for (size_t i = 0; i < EACH; i++)
			fds[net * EACH + i] =
			    rig_connect(&r, rig_addr((uint8_t)(10 + net), (uint8_t)(i % 250), 0));
	sim_run(r.loop, 1000);
	assert_int_equal(rig_count(&r, "sessions"), NAMES_TCP);
	for (size_t i = 0; i < MORE; i++)
		fds[NAMES_TCP + i] = rig_connect(&r, rig_addr(50, (uint8_t)i, 0));
	sim_run(r.loop, 1000);
	assert_int_equal(rig_count(&r, "sessions"), NAMES_TCP);
	assert_int_equal(rig_count(&r, "evicted"), MORE);
	serves_others(&r);
	for (size_t i = 0; i < EACH; i++)
		ended += rig_ends(&r, fds[i], 5);
	assert_int_equal(ended, MORE + 1); /* and the one for serves_others() */
	for (size_t i = 0; i < NAMES_TCP + MORE; i++)
		loop_close_fd(r.loop, fds[i]);
	free(fds);
	rig_close(&r);
}

/* One network cannot take all the room. */
static void
attack_016_one_network(void **state)
{
	enum { MANY = FRONT_CONNECTIONS + 50 };
	struct rig r = rig_open(0);
	int fds[MANY];

	(void)state;
	rig_load(&r, RIG_ZONE, 1);
	for (size_t i = 0; i < MANY; i++)
		fds[i] = rig_connect(&r, r.me);
	sim_run(r.loop, 1000);
	assert_int_equal(rig_count(&r, "sessions"), FRONT_CONNECTIONS);
	serves_others(&r);
	for (size_t i = 0; i < MANY; i++)
		loop_close_fd(r.loop, fds[i]);
	rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_016_idle),
	    cmocka_unit_test(attack_016_dripping),
	    cmocka_unit_test(attack_016_asks_without_reading),
	    cmocka_unit_test(attack_016_crowd),
	    cmocka_unit_test(attack_016_one_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
