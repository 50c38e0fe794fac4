/* address.c - what is read as an address is safe to keep, and is the same when written and read. */
#include "mail/address.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	enum { ALL = ADDRESS_NULL | ADDRESS_POSTMASTER | ADDRESS_LOOSE };
	struct rd in = rd_of((struct bytes){data, n});
	struct address a, again;
	uint8_t room[2 * ADDRESS_MAX + 4];
	struct wr w = wr_of(room, sizeof(room));

	if (!is_ok(address_parse(&a, &in, ALL))) {
		assert(!a.n);
		return 0;
	}
	assert(a.local_n <= ADDRESS_LOCAL_MAX && a.n <= ADDRESS_MAX);
	assert(a.n == a.local_n + a.domain_n + (a.domain_n ? 1 : 0));
	assert(!rd_left(&in) || *in.p == ' ' || *in.p == '\t');
	for (size_t i = 0; i < a.n; i++)
		assert(a.text[i] >= ' ' && a.text[i] < 0x7f);
	wr_u8(&w, '<');
	address_write(&w, address_text(&a));
	wr_u8(&w, '>');
	assert(!w.full);
	in = rd_of(wr_since(&w, room));
	assert(is_ok(address_parse(&again, &in, ALL)) && !rd_left(&in));
	assert(bytes_eq(address_text(&a), address_text(&again)) && a.local_n == again.local_n);
	return 0;
}
