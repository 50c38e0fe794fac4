/*
 * lookup_trace.h - finds an answer itself, from the root down, and shows every step: who was asked,
 * what he gave, and what of it was believed.
 */
#ifndef TOOL_LOOKUP_TRACE_H
#define TOOL_LOOKUP_TRACE_H

#include "tool/lookup_ask.h"

struct random;

enum lookup_exit lookup_trace(const struct lookup_ask *, struct random *, FILE *out,
                              FILE *complaints);

#endif
