/* err.c - error codes in words. */
#include "base/err.h"

static const char *const answers[] = {
    [0] = "done",
    [ERR_NOTFOUND] = "no such thing",
    [ERR_EXISTS] = "exists already",
    [ERR_SYNTAX] = "not of the right form",
    [ERR_RANGE] = "outside the allowed range",
    [ERR_FULL] = "no room",
    [ERR_DENIED] = "not allowed",
    [ERR_STALE] = "changed meanwhile",
    [ERR_SEEN] = "done before",
    [ERR_LATER] = "not now, try again",
};

static const char *const faults[] = {
    [-ERR_IO] = "input or output failed", [-ERR_MEMORY] = "out of memory",
    [-ERR_CORRUPT] = "damaged data",      [-ERR_GONE] = "the other side went away",
    [-ERR_LIBRARY] = "a library refused",
};

const char *
err_text(struct err e)
{
	if (e.code >= 0)
		return answers[e.code];
	return faults[-e.code];
}
