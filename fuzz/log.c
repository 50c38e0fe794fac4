/* log.c - whatever a role sends to the log is refused or becomes a line of printable ASCII. */
#include "base/log.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

typedef void render_fn(struct wr *, const struct log_record *, const struct log_stamp *);

static void
check_line(render_fn *render, const struct log_record *r)
{
	static const struct log_stamp stamp = {1767323045678000000, "smtp", 0, 1};
	static uint8_t line[LOG_LINE_MAX];
	struct wr w = wr_of(line, sizeof(line));
	struct bytes b;

	render(&w, r, &stamp);
	assert(!w.full);
	b = wr_since(&w, line);
	assert(b.n && b.p[b.n - 1] == '\n');
	for (size_t i = 0; i + 1 < b.n; i++)
		assert(b.p[i] >= ' ' && b.p[i] <= '~');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct kv fields[LOG_FIELDS_MAX];
	uint8_t packed[LOG_PACKED_MAX];
	struct wr w = wr_of(packed, sizeof(packed));
	struct log_record r;

	if (!log_unpack((struct bytes){data, n}, &r, fields))
		return 0;
	check_line(log_render_text, &r);
	check_line(log_render_json, &r);
	check_line(log_render_journal, &r);
	log_pack(&w, &r);
	assert(bytes_eq(wr_since(&w, packed), (struct bytes){data, n}));
	return 0;
}
