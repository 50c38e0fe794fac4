/*
 * play_route.h - a few lines of DNS, and the targets that policy/route makes of them, as one line of
 * text: "mx.test=192.0.2.1:25 ... | 4.4.3" with the status for when nothing is left ("-": it was not
 * looked at), "later" where that may change.
 */
#ifndef TESTS_PLAY_ROUTE_H
#define TESTS_PLAY_ROUTE_H

#include "dns/msg.h"
#include "policy/route.h"

#include <assert.h>
#include <stdio.h>

/* What a question is answered with: "10 a.test;20 b.test", addresses, "" for none, NXDOMAIN,
 * SERVFAIL, "?" for no answer, or "!" and hex octets of one record. */
struct play_name {
	const char *question; /* "x.test MX" */
	const char *answer;
};

struct play_dns {
	const struct play_name *names;
	size_t asked;
	uint8_t room[65536], hex[64];
};

static inline void
play_record(struct wr *w, struct bytes text)
{
	uint8_t room[512];
	struct wr one = wr_of(room, sizeof(room));
	uint8_t ip[16];

	if (text.n && text.p[0] == '!') {
		for (size_t i = 1; i + 1 < text.n; i += 2) {
			unsigned v;
			char two[3] = {(char)text.p[i], (char)text.p[i + 1], 0};

			assert(sscanf(two, "%2x", &v) == 1);
			wr_u8(&one, (uint8_t)v);
		}
	} else if (addr_ip_parse(text, ip)) {
		bool v4 = !memchr(text.p, ':', text.n); /* ::ffff:1.2.3.4 is a AAAA */

		wr_bytes(&one, (struct bytes){ip + (v4 ? 12 : 0), v4 ? 4 : 16});
	} else {
		const uint8_t *blank = memchr(text.p, ' ', text.n);
		struct dname name;
		unsigned preference = 0;

		assert(blank);
		for (const uint8_t *p = text.p; p < blank; p++)
			preference = preference * 10 + (unsigned)(*p - '0');
		assert(!dname_parse_text(
		    &name, (struct bytes){blank + 1, text.n - (size_t)(blank + 1 - text.p)},
		    DNAME_ROOT));
		wr_u16(&one, (uint16_t)preference);
		wr_bytes(&one, dname_bytes(&name));
	}
	wr_bytes16(w, wr_since(&one, room));
}

static inline struct route_answer
play_answer(struct play_dns *d, struct bytes name, uint16_t type)
{
	uint8_t text[512];
	struct wr w = wr_of(text, sizeof(text)), records = wr_of(d->room, sizeof(d->room));
	struct bytes question, rest, record;
	const char *answer = "";

	d->asked++;
	dname_to_text(&w, name);
	w.p--; /* the final dot */
	wr_text(&w, " ");
	dns_type_text(&w, type);
	question = wr_since(&w, text);
	for (const struct play_name *n = d->names; n->question; n++)
		if (bytes_eq_nocase(question, bytes_of(n->question)))
			answer = n->answer;
	if (!strcmp(answer, "?"))
		return (struct route_answer){.unknown = true, .text = BYTES("no answer")};
	if (!strcmp(answer, "NXDOMAIN"))
		return (struct route_answer){.rcode = DNS_RCODE_NXDOMAIN};
	if (!strcmp(answer, "SERVFAIL"))
		return (struct route_answer){.rcode = DNS_RCODE_SERVFAIL};
	for (rest = bytes_of(answer); rest.n;) {
		const uint8_t *semi = memchr(rest.p, ';', rest.n);

		record = (struct bytes){rest.p, semi ? (size_t)(semi - rest.p) : rest.n};
		play_record(&records, record);
		rest = semi ? (struct bytes){semi + 1, rest.n - record.n - 1} : NO_BYTES;
	}
	assert(!records.full);
	return (struct route_answer){.records = wr_since(&records, d->room)};
}

/* All targets, up to `most`. */
static inline const char *
play_route(struct play_dns *d, const struct route_conf *conf, const char *domain, uint64_t random,
           size_t most)
{
	static char shown[8192];
	struct wr w = wr_of(shown, sizeof(shown) - 1);
	struct route *r = route_new(conf, bytes_of(domain), random);
	struct bytes name;
	uint16_t type;

	assert(r);
	d->asked = 0;
	for (;;) {
		enum route_want want = route_step(r);

		if (want == ROUTE_ASK) {
			struct route_answer a;

			route_question(r, &name, &type);
			a = play_answer(d, name, type);
			route_answer(r, &a);
		} else if (want == ROUTE_TARGET && most) {
			struct route_target t = route_target(r);

			most--;
			wr_bytes(&w, t.name);
			wr_text(&w, "=");
			addr_text(&w, &t.addr);
			wr_text(&w, " ");
			route_next(r);
		} else if (want == ROUTE_TARGET) {
			wr_text(&w, "| -");
			break;
		} else {
			struct route_why why = route_why(r);

			assert(why.text.n && why.status[0] == (why.later ? 4 : 5));
			wr_printf(&w, "| %u.%u.%u", why.status[0], why.status[1], why.status[2]);
			break;
		}
	}
	assert(!w.full);
	*w.p = 0;
	route_free(r);
	return shown;
}

#endif
