/*
 * lookup_show.h - a reply as people and scripts know it: in dig's layout, as bare data, or in
 * nslookup's.  What is shown was checked by lookup_net.h; every byte of it is escaped.
 */
#ifndef TOOL_LOOKUP_SHOW_H
#define TOOL_LOOKUP_SHOW_H

#include "tool/lookup_net.h"

/* The first lines, before anything is asked, with the words of the command line. */
void lookup_show_begin(const struct lookup_ask *, size_t servers, int argc, char **argv, FILE *);
/* All false: no memory. */
bool lookup_show_dig(const struct lookup_ask *, const struct lookup_reply *, FILE *);
bool lookup_show_brief(const struct lookup_reply *, FILE *);

/* What was known of a name after one reply. */
enum lookup_found { LOOKUP_RECORDS, LOOKUP_NO_RECORDS, LOOKUP_NO_NAME, LOOKUP_NO_MEMORY };
void lookup_show_server(const struct lookup_server *, FILE *);
/* The answers; `again`: after those of another type, of which it repeats no alias. */
enum lookup_found lookup_show_nslookup(const struct lookup_ask *, const struct lookup_reply *,
                                       bool again, FILE *);
/* "** server can't find ..." */
void lookup_show_missing(const struct lookup_ask *, const struct lookup_reply *, FILE *);

#endif
