/*
 * smtp.c - any input to the SMTP machine: replies fit the room that was asked for, and what is said
 * and stored does not depend on how the input is cut.
 */
#include "../tests/play_smtp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct smtp_play whole, cut;
	static const enum smtp_answer answers[] = {SMTP_OK, SMTP_TEMP, SMTP_FULL, SMTP_LOOP};
	struct rd in = rd_of((struct bytes){data, n});
	uint8_t how = rd_u8(&in), size = rd_u8(&in);
	struct bytes client = rd_rest(&in);

	smtp_play_init(&whole);
	whole.conf.size_max = size;
	whole.conf.starttls = how & 1;
	if (how & 0x80)
		whole.conf.login = SMTP_PLAIN_LOGIN;
	whole.commit = answers[how >> 1 & 3];
	if ((how & 0xf0) == 0xf0)
		whole.data = SMTP_FULL;
	cut.conf = whole.conf;
	cut.commit = whole.commit;
	cut.data = whole.data;
	if (!client.n)
		return 0;
	if (client.n > 8192)
		client.n = 8192;
	smtp_play(&whole, client, client.n + 1);
	smtp_play(&cut, client, (how >> 3 & 15) + 1u);
	assert(bytes_eq(smtp_play_said(&whole), smtp_play_said(&cut)));
	assert(bytes_eq(smtp_play_stored(&whole), smtp_play_stored(&cut)));
	assert(count_in(smtp_play_stored(&whole), "{") >=
	           count_in(smtp_play_said(&whole), "accepted for delivery") ||
	       size == 0);
	return 0;
}
