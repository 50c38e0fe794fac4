/*
 * Records that are unpacked and hashes that are imported: what is taken comes back the same, and
 * what is refused leaves nothing.
 */
#include "crypt/password.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rd r = rd_of((struct bytes){data, n});
	struct password_record record;
	uint8_t room[PASSWORD_PACKED_MAX];
	struct wr w = wr_of(room, sizeof(room));

	if (is_ok(password_unpack(&r, &record))) {
		password_pack(&w, &record);
		assert(!w.full);
		assert(bytes_eq(wr_since(&w, room), (struct bytes){data, (size_t)(r.p - data)}));
	} else {
		assert(record.hash[0] == 0);
	}
	if (is_ok(password_import((struct bytes){data, n}, &record)))
		assert(bytes_eq(bytes_of(record.hash), (struct bytes){data, n}));
	else
		assert(record.hash[0] == 0);
	return 0;
}
