/*
 * Every word between roles: the first two octets choose the row and whether it is the answer, the
 * others are its fields.  What is taken must be put out as the same octets.
 */
#include "talk/talk.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint8_t again[TALK_MAX];
	struct rd all = {data, data + n, false}, head = all, body;
	const struct talk_part *part;
	struct talk_head h;
	union talk_any any;
	struct wr w = wr_of(again, sizeof(again));
	size_t row;

	if (talk_get_head(&head, &h)) {
		talk_put_head(&w, &h);
		assert(bytes_eq(wr_since(&w, again), (struct bytes){data, TALK_HEAD}));
	}
	row = rd_u8(&all) % talk_row_count;
	part =
	    rd_u8(&all) & 1 && talk_rows[row].ask ? &talk_rows[row].answer : &talk_rows[row].said;
	body = all;
	if (all.bad || !part->get(&body, &any))
		return 0;
	w = wr_of(again, sizeof(again));
	part->put(&w, &any);
	assert(!w.full && wr_since(&w, again).n <= part->max);
	assert(bytes_eq(wr_since(&w, again), rd_rest(&all)));
	return 0;
}
