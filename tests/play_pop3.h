/*
 * play_pop3.h - drives the POP3 machine with a text, cut into reads of any size, over a maildrop in
 * memory, and keeps what it said and what it removed.
 */
#ifndef TESTS_PLAY_POP3_H
#define TESTS_PLAY_POP3_H

#include "play_pop3_driver.h"

static inline size_t
pop3_play_turn(struct pop3_play *t, struct bytes in, enum pop3_want *want)
{
	uint8_t *copy = malloc(in.n ? in.n : 1), *room = malloc(t->room);
	struct rd r = {copy, copy + in.n, false};
	bool more;
	size_t eaten;

	memcpy(copy, in.p, in.n);
	do {
		struct wr out = wr_of(room, t->room);

		*want = pop3_step(t->p, &r, &out);
		more = pop3_play_answer(t, *want, &out) || *want == POP3_ROOM;
		if (out.full)
			abort();
		wr_bytes(&t->said, wr_since(&out, room));
	} while (more);
	eaten = (size_t)(r.p - copy);
	free(copy);
	free(room);
	return eaten;
}

static inline void
pop3_play(struct pop3_play *t, struct bytes client, size_t cut)
{
	enum pop3_want want = POP3_INPUT;
	size_t done = 0, read = 0;

	t->said = wr_of(t->said_room, sizeof(t->said_room));
	t->removed = wr_of(t->removed_room, sizeof(t->removed_room));
	t->logins = t->updates = t->handshakes = 0;
	t->p = pop3_new(&t->conf, t->tls, t->plaintext);
	do {
		done += pop3_play_turn(t, (struct bytes){client.p + done, read - done}, &want);
		if (want == POP3_TLS && t->after_tls) {
			t->handshakes++;
			pop3_tls_done(t->p);
			client = bytes_of(t->after_tls);
			done = read = 0;
		} else if (want != POP3_INPUT || read == client.n)
			break;
		read = client.n - read < cut ? client.n : read + cut;
	} while (want != POP3_CLOSE);
	t->closed = want == POP3_CLOSE;
	t->left = client.n - done;
	pop3_free(t->p);
	t->p = NULL;
}

static inline struct bytes
pop3_play_said(const struct pop3_play *t)
{
	return wr_since(&t->said, t->said_room);
}

static inline struct bytes
pop3_play_removed(const struct pop3_play *t)
{
	return wr_since(&t->removed, t->removed_room);
}

#endif
