/*
 * zones_list.h - what the zone role of zones_rig.h says that it serves.
 */
#ifndef TESTS_ZONES_LIST_H
#define TESTS_ZONES_LIST_H

#include "zones_rig.h"

/* The list as "name serial records" lines, all pages of `page` octets. */
static inline const char *
zones_rig_list(struct zones_rig *r, size_t page)
{
	static char text[65536];
	uint8_t rows[65536], after[256];
	struct bytes last = NO_BYTES;
	struct wr out = wr_of(text, sizeof(text) - 1);
	bool more = true;

	while (more) {
		struct wr w = wr_of(rows, page);
		struct err e = zones_list(r->zones, last, &w, &more);
		struct rd rd = rd_of(wr_since(&w, rows));

		assert(is_ok(e) && (!more || rd_left(&rd)));
		while (rd_left(&rd)) {
			struct bytes name = rd_bytes8(&rd);
			uint32_t serial = rd_u32(&rd), records = rd_u32(&rd);

			wr_printf(&out, "%.*s %u %u\n", (int)name.n, (const char *)name.p, serial,
			          records);
			memcpy(after, name.p, name.n);
			last = (struct bytes){after, name.n};
		}
		assert(!rd.bad);
	}
	*out.p = 0;
	return text;
}

#endif
