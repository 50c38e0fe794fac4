/*
 * play_smtp.h - drives the SMTP machine with a text, cut into reads of any size, and keeps what it
 * said and what it stored.  Each read is its own allocation, so that a sanitizer sees every step
 * outside of it; `out` has exactly the room that a step may ask for.
 */
#ifndef TESTS_PLAY_SMTP_H
#define TESTS_PLAY_SMTP_H

#include "play_smtp_driver.h"

/* Steps until more input is wanted, on a copy of in; returns how much of it was eaten. */
static inline size_t
smtp_play_turn(struct smtp_play *t, struct bytes in, enum smtp_want *want)
{
	uint8_t *copy = malloc(in.n ? in.n : 1), room[SMTP_REPLY_MAX];
	struct rd r = {copy, copy + in.n, false};
	size_t eaten;

	memcpy(copy, in.p, in.n);
	do {
		struct wr out = wr_of(room, sizeof(room));

		*want = smtp_step(t->s, &r, &out);
		if (out.full)
			abort();
		wr_bytes(&t->said, wr_since(&out, room));
	} while (*want == SMTP_ROOM || smtp_play_answer(t, *want));
	eaten = (size_t)(r.p - copy);
	free(copy);
	return eaten;
}

static inline void
smtp_play_feed(struct smtp_play *t, struct bytes client, size_t cut)
{
	enum smtp_want want = SMTP_INPUT;
	size_t done = 0, read = 0;

	do {
		done += smtp_play_turn(t, (struct bytes){client.p + done, read - done}, &want);
		if (want == SMTP_TLS && t->after_tls) {
			t->handshakes++;
			smtp_tls_done(t->s);
			client = bytes_of(t->after_tls);
			done = read = 0;
		} else if (want != SMTP_INPUT || read == client.n)
			break;
		read = client.n - read < cut ? client.n : read + cut;
	} while (want != SMTP_CLOSE);
	t->closed = want == SMTP_CLOSE;
	t->left = client.n - done;
}

static inline void
smtp_play(struct smtp_play *t, struct bytes client, size_t cut)
{
	t->said = wr_of(t->said_room, sizeof(t->said_room));
	t->stored = wr_of(t->stored_room, sizeof(t->stored_room));
	t->asked = wr_of(t->asked_room, sizeof(t->asked_room));
	t->drops = t->handshakes = t->logins = 0;
	t->s = smtp_new(&t->conf, BYTES("192.0.2.7"), BYTES("s1"), t->tls);
	smtp_play_feed(t, client, cut);
	smtp_free(t->s);
	t->s = NULL;
}

static inline struct bytes
smtp_play_said(const struct smtp_play *t)
{
	return wr_since(&t->said, t->said_room);
}

static inline struct bytes
smtp_play_stored(const struct smtp_play *t)
{
	return wr_since(&t->stored, t->stored_room);
}

/* How often a text stands in what was kept. */
static inline size_t
count_in(struct bytes b, const char *text)
{
	size_t n = 0, len = strlen(text);

	for (size_t i = 0; i + len <= b.n; i++)
		n += memcmp(b.p + i, text, len) == 0;
	return n;
}

#endif
