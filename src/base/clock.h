/*
 * clock.h - the door for time.  Only the loop, the roles, the engines and the tools look; all
 * others are given the time as a parameter, so that a simulation's time is theirs too.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds that only go forward; for timers and durations. */
uint64_t clock_mono_ns(void);
/* Since 1970-01-01 00:00 UTC, as people set it; for stamps. */
uint64_t clock_wall_ns(void);
uint64_t clock_wall_s(void);

#endif
