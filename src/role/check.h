/*
 * check.h - `stead check`: what is wrong in DIR, each with its place and what to do about it.
 */
#ifndef ROLE_CHECK_H
#define ROLE_CHECK_H

#include "tool/client.h"

/* Says it on stderr; 0 when there is nothing, else an exit code.  serve: as client_open() has it. */
int check_folder(const char *dir, client_serve *serve);

#endif
