/* resting.c - nothing to open. */
#include "role/resting.h"

struct err
resting_open(struct attach *a, void **state)
{
	*state = a;
	return OK;
}
