/*
 * Replies of a mail server against the sending machine: the first octet tells how the input is cut,
 * whether STARTTLS is wanted and how many recipients there are; all else is what the server says.
 */
#include "proto/smtpc.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct bytes rcpts[] = {{(const uint8_t *)"a@x.test", 8},
                                     {(const uint8_t *)"b c@x.test", 10},
                                     {(const uint8_t *)"c@x.test", 8},
                                     {(const uint8_t *)"\xc3\xa4@x.test", 9}};

static void
look_at_results(struct smtpc *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct smtpc_result r = smtpc_result(s, i);

		assert(r.outcome >= SMTPC_DELIVERED && r.outcome <= SMTPC_FAILED);
		assert(r.outcome == SMTPC_FAILED     ? r.status[0] == 5
		       : r.outcome == SMTPC_DEFERRED ? r.status[0] == 4
		                                     : r.status[0] == 2);
		assert(r.text.n <= SMTPC_TEXT_MAX &&
		       !(r.outcome == SMTPC_DELIVERED && !r.is_reply));
		for (size_t k = 0; k < r.text.n; k++)
			assert(r.text.p[k] >= ' ' && r.text.p[k] <= '~');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t how = n ? data[0] : 0, room[SMTPC_ROOM_MAX];
	const struct smtpc_conf conf = {.host = BYTES("us.test"), .tls = how & 1};
	const struct smtpc_message m = {.sender = BYTES("me@us.test"),
	                                .rcpts = rcpts,
	                                .n = 1u + (how >> 1 & 3),
	                                .size = 9,
	                                .is_8bit = true};
	size_t cut = 1u + (how >> 3), messages = 0;
	struct smtpc *s = smtpc_new(&conf);
	struct bytes body = BYTES(".\r\nx\r\n.\r");
	struct rd in = {data, data, false};
	const uint8_t *end = data + n;
	enum smtpc_want want;

	if (!s || !smtpc_message(s, &m))
		return 0;
	if (n)
		in.p = in.end = data + 1;
	do {
		struct wr out = wr_of(room, sizeof(room));
		const uint8_t *before = in.p;

		want = smtpc_step(s, &in, &out);
		assert(!out.full && !in.bad);
		if (want == SMTPC_PIECE) {
			size_t took = smtpc_body(s, body, &out);

			body = (struct bytes){body.p + took, body.n - took};
			if (!body.n)
				smtpc_body_end(s);
		} else if (want == SMTPC_RESULT) {
			look_at_results(s, m.n);
			smtpc_taken(s);
		} else if (want == SMTPC_IDLE && messages++ < 3) {
			body = BYTES("again\r\n");
			if (!smtpc_message(s, &m))
				break;
		} else if (want == SMTPC_IDLE) {
			smtpc_quit(s);
		} else if (want == SMTPC_TLS) {
			smtpc_tls_done(s);
		} else if (want == SMTPC_INPUT && in.end < end) {
			in.end += (size_t)(end - in.end) < cut ? (size_t)(end - in.end) : cut;
		} else if (want == SMTPC_INPUT) {
			assert(in.p == before || in.p == end || rd_left(&in));
			smtpc_lost(s, "end");
		}
	} while (want != SMTPC_CLOSE);
	smtpc_free(s);
	return 0;
}
