/*
 * play_imap.h - drives the IMAP machine with a text, cut into reads of any size, over a mailbox in
 * memory, and keeps what it said and what was done.
 */
#ifndef TESTS_PLAY_IMAP_H
#define TESTS_PLAY_IMAP_H

#include "play_imap_driver.h"

static inline size_t
imap_play_turn(struct imap_play *t, struct bytes in, enum imap_want *want)
{
	uint8_t *copy = malloc(in.n ? in.n : 1), *room = malloc(t->room);
	struct rd r = {copy, copy + in.n, false};
	size_t eaten;
	bool more;

	if (in.n)
		memcpy(copy, in.p, in.n);
	do {
		struct wr out = wr_of(room, t->room);

		*want = imap_step(t->p, &r, &out);
		more = imap_play_answer(t, *want, &out) || *want == IMAP_ROOM;
		if (out.full)
			abort();
		if (imap_memory(t->p) > t->peak)
			t->peak = imap_memory(t->p);
		wr_bytes(&t->said, wr_since(&out, room));
	} while (more);
	eaten = (size_t)(r.p - copy);
	free(copy);
	free(room);
	return eaten;
}

static inline void
imap_play(struct imap_play *t, struct bytes client, size_t cut)
{
	enum imap_want want = IMAP_INPUT;
	size_t done = 0, read = 0;

	t->said = wr_of(t->said_room, sizeof(t->said_room));
	t->did = wr_of(t->did_room, sizeof(t->did_room));
	t->handshakes = t->peak = t->at = 0;
	t->p = imap_new(&t->conf, t->tls, t->plaintext);
	for (;;) {
		done += imap_play_turn(t, (struct bytes){client.p + done, read - done}, &want);
		if (want == IMAP_TLS && t->after_tls) {
			t->handshakes++;
			imap_tls_done(t->p);
			client = bytes_of(t->after_tls);
			done = read = 0;
		} else if ((want != IMAP_INPUT && want != IMAP_WAIT) || read == client.n) {
			break;
		}
		read = client.n - read < cut ? client.n : read + cut;
	}
	t->closed = want == IMAP_CLOSE;
	t->left = client.n - done;
	imap_free(t->p);
	t->p = NULL;
}

static inline struct bytes
imap_play_said(const struct imap_play *t)
{
	return wr_since(&t->said, t->said_room);
}

static inline struct bytes
imap_play_did_all(const struct imap_play *t)
{
	return wr_since(&t->did, t->did_room);
}

#endif
