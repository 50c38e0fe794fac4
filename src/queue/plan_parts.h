/* plan_parts.h - what plan.c and plan_report.c share; for these two alone. */
#ifndef QUEUE_PLAN_PARTS_H
#define QUEUE_PLAN_PARTS_H

#include "queue/plan.h"
#include "queue/site.h"

/* What comes here as old, or was held for long, is tried so long before it is given up. */
enum { PLAN_LATE_S = 4 * 3600 };

struct plan {
	struct random *random;
	struct map messages;          /* by id */
	struct message *first, *last; /* by id */
	struct message *look;         /* whose age is looked at next; NULL: from the first on */
	struct heap due;
	struct sites sites;
	struct message *settle, **settle_end, *report, **report_end; /* lines */
	size_t running, to_settle, to_report;
	uint64_t octets, minute_ms; /* when the minute began in which so many reports were made */
	uint32_t reports;
	bool relay;
};

struct message *plan_find(const struct plan *, uint64_t id);
/* Puts it into these lines where it belongs there and is not yet. */
void plan_line_up(struct plan *, struct message *);
/* Takes it out of everything and frees it; with a try under way, when that is over. */
void plan_drop(struct plan *, struct message *);
/* A group is to be tried in after_ms; one that has nobody waiting stands still. */
MUST_CHECK struct err plan_wait(struct plan *, struct plan_time, struct message_group *,
                                uint64_t after_ms);
struct bytes plan_site(const struct plan *, const struct message_group *);
uint64_t plan_age_s(const struct message *, struct plan_time);

#endif
