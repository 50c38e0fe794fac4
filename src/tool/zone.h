/*
 * zone.h - zones for the commands: checked, given to the server, or made from nothing.
 */
#ifndef TOOL_ZONE_H
#define TOOL_ZONE_H

#include "tool/command.h"

/*
 * Tells what is wrong in a zone file, by file, line and column on stderr; zone: its name, or NULL:
 * the file's without ".zone".  An exit code.
 */
int zone_check_file(const char *file, const char *zone);
/* Has the server check and serve a zone's text; what it says goes to stderr.  An exit code. */
int zone_give(struct client *, const char *zone, struct bytes text);

enum { ZONE_FIRST_MAX = 16384, ZONE_ADDRESS_TEXT = 46 };
/*
 * The first zone of a domain whose server is `host`, with n addresses in text, which are the domain's
 * and, where it lies in the domain, the host's.
 */
void zone_first(struct wr *, const char *domain, const char *host,
                char addresses[][ZONE_ADDRESS_TEXT], size_t n);

#endif
