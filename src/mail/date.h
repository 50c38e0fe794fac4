/*
 * date.h - the date-time of messages (RFC 5322 3.3): written in one form, read in all, the obsolete
 * ones too (RFC 5322 4.3).
 */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include "base/bytes.h"
#include "base/err.h"

enum { DATE_MAX = 32 }; /* octets that date_write() writes at most */

/*
 * "Sun, 22 Nov 2026 14:05:16 +0000": `seconds` since 1970 UTC shown in a zone of `minutes` east of
 * it (-1439 to 1439).  Seconds outside the years 1900 to 9999 are taken as the nearest in them.
 */
void date_write(struct wr *, int64_t seconds, int minutes);
/*
 * Reads a date-time, comments and folding included; a leap second counts as the one before it.
 * Answers ERR_SYNTAX.  `minutes` may be NULL.
 */
MUST_CHECK struct err date_parse(struct bytes, int64_t *seconds, int *minutes);

#endif
