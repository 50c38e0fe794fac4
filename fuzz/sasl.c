/*
 * sasl.c - any lines in a SASL exchange: it ends, stays within its bounds, challenges fit their room,
 * and nobody is logged in whose password or proof was not right.
 */
#include "../tests/play_sasl.h"

#include "base/base64.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Messages as they are, for a fuzzer that knows no base64; each line in memory of its own size. */
static enum sasl_want
say(struct sasl *x, struct bytes text, bool encoded)
{
	size_t size = base64_size(text.n) + 1;
	uint8_t *room = malloc(size), *line;
	struct wr w = wr_of(room, size);
	enum sasl_want want;
	size_t n;

	assert(room);
	if (encoded)
		wr_bytes(&w, text);
	else
		base64_encode(&w, text);
	n = (size_t)(w.p - room);
	line = realloc(room, n ? n : 1);
	assert(line);
	want = sasl_line(x, (struct bytes){line, n});
	free(line);
	return want;
}

static bool
is_right(const struct sasl *x, enum sasl_want want)
{
	if (!bytes_eq(sasl_name(x), BYTES("bob")))
		return false;
	return want == SASL_PASSWORD ? bytes_eq(sasl_password(x), BYTES("secret"))
	                             : bytes_eq(sasl_proof(x), BYTES(PLAY_PROOF));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t nonce[SASL_NONCE];
	static uint8_t room[SASL_CHALLENGE_MAX];
	struct rd in = rd_of((struct bytes){data, n});
	uint8_t how = rd_u8(&in);
	struct sasl *x = sasl_new((enum sasl_mechanism)(how % 3 + 1), nonce);
	enum sasl_want want;
	bool right = false;

	assert(x);
	want = sasl_begin(x, NULL);
	while (want != SASL_DONE && want != SASL_FAILED) {
		if (want == SASL_CHALLENGE) {
			struct wr w = wr_of(room, sizeof(room));

			sasl_challenge(x, &w);
			assert(!w.full);
			if (!rd_left(&in))
				break;
			want = say(x, rd_bytes16(&in), how & 4);
			continue;
		}
		assert(sasl_name(x).n <= SASL_NAME_MAX);
		assert(want != SASL_PROOF || sasl_message(x).n <= SASL_MEMORY_MAX);
		right |= want != SASL_SALT && is_right(x, want);
		sasl_play_answer(x);
		want = sasl_want(x);
	}
	assert(want != SASL_DONE || right);
	sasl_free(x);
	return 0;
}
