/* clock.c - clock_gettime(2), which cannot fail for these two. */
#include "base/clock.h"

#include <assert.h>
#include <time.h>

static uint64_t
now_ns(clockid_t id)
{
	struct timespec t;
	int r = clock_gettime(id, &t);

	assert(r == 0 && t.tv_sec >= 0);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t
clock_mono_ns(void)
{
	return now_ns(CLOCK_MONOTONIC);
}

uint64_t
clock_wall_ns(void)
{
	return now_ns(CLOCK_REALTIME);
}

uint64_t
clock_wall_s(void)
{
	return clock_wall_ns() / 1000000000;
}
