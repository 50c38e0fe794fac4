/*
 * message.c - the walk over a header and the scan of a stream agree about any octets; dates that
 * were read are written and read as the same.
 */
#include "mail/date.h"
#include "mail/header.h"
#include "mail/summary.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_date(struct bytes value)
{
	uint8_t room[DATE_MAX];
	struct wr w = wr_of(room, sizeof(room));
	int64_t seconds, again;
	int minutes;

	if (!is_ok(date_parse(value, &seconds, &minutes)))
		return;
	date_write(&w, seconds, 0);
	assert(!w.full && is_ok(date_parse(wr_since(&w, room), &again, NULL)));
	assert(again == seconds || seconds < -2208988800 || seconds > 253402300799);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes text = {data, n};
	struct header h = header_of(text);
	struct summary_scan scan = {0};
	struct header_field f;
	size_t at = 0, cut = n ? data[0] % 16 + 1u : 1, received = 0;

	check_date(text);
	while (header_next(&h, &f)) {
		assert(f.at == at && f.name.n && f.n >= f.name.n + f.value.n + 1);
		at += f.n;
		received += bytes_eq_nocase(f.name, BYTES("received"));
		check_date(f.value);
	}
	for (size_t i = 0; i < n; i += cut)
		summary_feed(&scan, (struct bytes){data + i, n - i < cut ? n - i : cut});
	assert(header_body(text) == at || header_body(text) == at + 1 ||
	       header_body(text) == at + 2);
	assert(summary_done(&scan).body == header_body(text));
	assert(summary_done(&scan).received == received && summary_done(&scan).size == n);
	summary_fini(&scan);
	return 0;
}
