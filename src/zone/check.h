/*
 * check.h - judges a zone as a person wants it judged: what is wrong, where, and how badly.
 */
#ifndef ZONE_CHECK_H
#define ZONE_CHECK_H

#include "zone/builder.h"
#include "zone/tree.h"

/* Tells the problems of an arranged zone; tell may be NULL.  Has it no errors? */
bool zone_check(struct zone_tree *, void (*tell)(void *owner, const struct zone_problem *),
                void *owner);

#endif
