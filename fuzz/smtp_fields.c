/*
 * smtp_fields.c - any header: what is found does not depend on the cut, every address that is told is
 * one, and the walk ends.
 */
#include "proto/smtp_fields.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t
feed(struct smtp_fields *f, struct bytes text, size_t cut)
{
	size_t header = 0;

	for (size_t i = 0; i < text.n; i += cut) {
		size_t n = text.n - i < cut ? text.n - i : cut;
		uint8_t *copy = malloc(n);

		assert(copy);
		memcpy(copy, text.p + i, n);
		header += smtp_fields_feed(f, (struct bytes){copy, n});
		free(copy);
	}
	if (!f->ended)
		smtp_fields_end(f);
	return header;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes text = {data, n};
	struct smtp_fields whole = smtp_fields_init(), cut = smtp_fields_init();
	struct smtp_from a, b;
	struct address x, y;
	enum smtp_from_kind kind;

	assert(feed(&whole, text, n + 1) == feed(&cut, text, n ? data[0] % 7 + 1u : 1));
	assert(whole.has_date == cut.has_date && whole.has_message_id == cut.has_message_id);
	assert(whole.broken == cut.broken && whole.from.cap <= SMTP_FROM_MAX);
	a = smtp_from_begin(&whole);
	b = smtp_from_begin(&cut);
	do {
		kind = smtp_from_next(&a, &x);
		assert(kind == smtp_from_next(&b, &y));
		if (kind == SMTP_FROM_ADDRESS)
			assert(x.domain_n && bytes_eq(address_text(&x), address_text(&y)));
	} while (kind == SMTP_FROM_ADDRESS);
	smtp_fields_fini(&whole);
	smtp_fields_fini(&cut);
	return 0;
}
