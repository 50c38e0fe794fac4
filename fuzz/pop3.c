/*
 * pop3.c - any input to the POP3 machine: what is said and removed does not depend on how the input
 * is cut, how large the pieces of a body are, and how much room there is.
 */
#include "../tests/play_pop3.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const maildrop[] = {"Subject: a\r\n\r\none\r\n.two\r\n.\r\n",
                                       "a: b\r\n\r\n\r\n...\r\nno line end", "", "\r\n", "."};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct pop3_play whole, cut;
	struct rd in = rd_of((struct bytes){data, n});
	uint8_t how = rd_u8(&in), piece = rd_u8(&in);
	struct bytes client = rd_rest(&in);

	pop3_play_init(&whole, maildrop, COUNT(maildrop));
	pop3_play_init(&cut, maildrop, COUNT(maildrop));
	whole.tls = cut.tls = how & 1;
	whole.plaintext = cut.plaintext = !(how & 2);
	whole.room = 4096;
	cut.room = POP3_REPLY_MAX + piece % 64;
	cut.piece = piece + 1u;
	if (!client.n)
		return 0;
	if (client.n > 4096)
		client.n = 4096;
	pop3_play(&whole, client, client.n + 1);
	pop3_play(&cut, client, (how >> 2 & 15) + 1u);
	assert(bytes_eq(pop3_play_said(&whole), pop3_play_said(&cut)));
	assert(bytes_eq(pop3_play_removed(&whole), pop3_play_removed(&cut)));
	assert(whole.updates <= 1 && whole.updates == cut.updates);
	return 0;
}
