/*
 * report.h - what `status` tells, packed to cross a channel: one line for the server, one for every
 * process and one for every listener.  The master writes it, the command line reads it.
 */
#ifndef TALK_REPORT_H
#define TALK_REPORT_H

#include "base/bytes.h"

enum report_state { REPORT_STARTING = 1, REPORT_READY, REPORT_DRAINING, REPORT_DEAD };

struct report_server {
	struct bytes version, host_name;
	uint64_t pid, up_s; /* seconds since it started */
};

struct report_process {
	struct bytes role;
	uint8_t instance, state; /* enum report_state */
	uint32_t pid, uid, restarts;
	struct bytes cage;     /* struct cage_report, packed */
	struct bytes counters; /* pairs of a name (bytes8) and a u64 */
};

struct report_listener {
	struct bytes service, address; /* "smtp", "127.0.0.1:10025" */
};

void report_put_server(struct wr *, const struct report_server *);
void report_put_process(struct wr *, const struct report_process *);
void report_put_listener(struct wr *, const struct report_listener *);

/* What comes next in a report; `what` says which of the three was filled in. */
enum report_kind { REPORT_END, REPORT_SERVER, REPORT_PROCESS, REPORT_LISTENER };
struct report_line {
	enum report_kind what;
	struct report_server server;
	struct report_process process;
	struct report_listener listener;
};
/* Borrowed from the report.  REPORT_END at its end, or where it is damaged: then r->bad is set. */
enum report_kind report_get(struct rd *, struct report_line *);

/* One pair of a role's counters; false at their end. */
bool report_counter(struct rd *, struct bytes *name, uint64_t *value);
void report_put_counter(struct wr *, const char *name, uint64_t value);

#endif
