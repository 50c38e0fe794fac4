/*
 * resting.h - what a role does whose work has not come yet: it stands in its cage, answers the
 * master, and refuses all else.
 */
#ifndef ROLE_RESTING_H
#define ROLE_RESTING_H

#include "role/role.h"

struct err resting_open(struct attach *, void **state);

#endif
