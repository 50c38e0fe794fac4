/* report.c - a line is its kind and its fields in the order of the header. */
#include "talk/report.h"

void
report_put_server(struct wr *w, const struct report_server *s)
{
	wr_u8(w, REPORT_SERVER);
	wr_bytes8(w, s->version);
	wr_bytes8(w, s->host_name);
	wr_u64(w, s->pid);
	wr_u64(w, s->up_s);
}

void
report_put_process(struct wr *w, const struct report_process *p)
{
	wr_u8(w, REPORT_PROCESS);
	wr_bytes8(w, p->role);
	wr_u8(w, p->instance);
	wr_u8(w, p->state);
	wr_u32(w, p->pid);
	wr_u32(w, p->uid);
	wr_u32(w, p->restarts);
	wr_bytes16(w, p->cage);
	wr_bytes16(w, p->counters);
}

void
report_put_listener(struct wr *w, const struct report_listener *l)
{
	wr_u8(w, REPORT_LISTENER);
	wr_bytes8(w, l->service);
	wr_bytes8(w, l->address);
}

static void
get_server(struct rd *r, struct report_server *s)
{
	s->version = rd_bytes8(r);
	s->host_name = rd_bytes8(r);
	s->pid = rd_u64(r);
	s->up_s = rd_u64(r);
}

static void
get_process(struct rd *r, struct report_process *p)
{
	p->role = rd_bytes8(r);
	p->instance = rd_u8(r);
	p->state = rd_u8(r);
	p->pid = rd_u32(r);
	p->uid = rd_u32(r);
	p->restarts = rd_u32(r);
	p->cage = rd_bytes16(r);
	p->counters = rd_bytes16(r);
}

static void
get_listener(struct rd *r, struct report_listener *l)
{
	l->service = rd_bytes8(r);
	l->address = rd_bytes8(r);
}

enum report_kind
report_get(struct rd *r, struct report_line *line)
{
	uint8_t kind;

	if (!rd_left(r))
		return line->what = REPORT_END;
	kind = rd_u8(r);
	if (kind == REPORT_SERVER)
		get_server(r, &line->server);
	else if (kind == REPORT_PROCESS)
		get_process(r, &line->process);
	else if (kind == REPORT_LISTENER)
		get_listener(r, &line->listener);
	else
		r->bad = true;
	return line->what = r->bad ? REPORT_END : (enum report_kind)kind;
}

bool
report_counter(struct rd *r, struct bytes *name, uint64_t *value)
{
	if (!rd_left(r))
		return false;
	*name = rd_bytes8(r);
	*value = rd_u64(r);
	return !r->bad;
}

void
report_put_counter(struct wr *w, const char *name, uint64_t value)
{
	wr_bytes8(w, bytes_of(name));
	wr_u64(w, value);
}
