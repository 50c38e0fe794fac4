/*
 * resolve_play.h - plays a question against the Internet of resolve_world.h.
 */
#ifndef TESTS_RESOLVE_PLAY_H
#define TESTS_RESOLVE_PLAY_H

#include "resolve_world.h"

static inline void
world_note(struct world *w, const struct iterate_send *s)
{
	size_t used = strlen(w->log);
	struct wr log = wr_of(w->log + used, sizeof(w->log) - used - 1);

	addr_ip_text(&log, s->to.ip);
	wr_text(&log, " ");
	dname_to_text(&log, s->name);
	wr_text(&log, " ");
	dns_type_text(&log, s->type);
	wr_text(&log, s->tcp ? " tcp\n" : "\n");
	*log.p = 0;
}

/* What the servers' zones say. */
static inline void
world_answer(struct world *w, const struct iterate_send *s, struct wr *reply)
{
	for (size_t i = 0; i < w->n; i++)
		if (!memcmp(w->servers[i].ip, s->to.ip, 16))
			kit_answer(&w->servers[i].kit.img, s->packet, s->tcp, 0, reply);
}

static inline const char *
world_show(struct world *w, const struct iterate_result *r)
{
	struct wr out = wr_of(w->text, sizeof(w->text) - 1);

	wr_printf(&out, "%s%s%s\n",
	          r->rcode == DNS_RCODE_NOERROR    ? "NOERROR"
	          : r->rcode == DNS_RCODE_NXDOMAIN ? "NXDOMAIN"
	                                           : "SERVFAIL",
	          r->why[0] ? ": " : "", r->why);
	for (size_t i = 0; i <= r->n; i++) {
		const struct reply_set *s = i < r->n ? &r->sets[i] : &r->soa;
		struct rd rd = rd_of(s->records);

		while (s->n && rd_left(&rd)) {
			dname_to_text(&out, s->owner);
			wr_printf(&out, " %u ", s->ttl);
			dns_type_text(&out, s->type);
			wr_text(&out, " ");
			rdata_to_text(s->type, rd_bytes16(&rd), &out);
			wr_text(&out, "\n");
		}
	}
	assert(!out.full);
	*out.p = 0;
	return w->text;
}

/* Plays it to its end; w->log tells whom it asked. */
static inline const char *
world_ask(struct world *w, const char *name, const char *type)
{
	static uint8_t room[DNS_TCP_MAX];
	struct iterate_send s;
	struct dname d;
	uint16_t t = 0;
	bool good = dns_type_parse(&t, bytes_of(type));
	struct iterate *it = iterate_new(&w->conf, kit_name(&d, name), t, w->now);
	enum iterate_want want;
	const char *text;

	assert(good && it);
	w->log[0] = 0;
	w->sent = w->sent_tcp = 0;
	while ((want = iterate_step(it, w->now, &s)) != ITERATE_DONE) {
		struct wr reply = wr_of(room, s.tcp ? sizeof(room) : (size_t)DNS_UDP_MAX);

		assert(want == ITERATE_SEND); /* each was answered, or is late */
		w->sent++;
		w->sent_tcp += s.tcp;
		world_note(w, &s);
		if (!w->twist || !w->twist(w, &s, &reply))
			world_answer(w, &s, &reply);
		if (reply.p == room) {
			w->now += s.wait_ms;
			iterate_late(it, w->now);
			continue;
		}
		w->now += 20;
		if (!iterate_reply(it, w->now, wr_since(&reply, room)) &&
		    iterate_step(it, w->now, &s) == ITERATE_WAIT) {
			w->now += s.wait_ms;
			iterate_late(it, w->now);
		}
	}
	text = world_show(w, iterate_result(it));
	assert(iterate_result(it)->queries == w->sent);
	iterate_free(it);
	return text;
}

#endif
