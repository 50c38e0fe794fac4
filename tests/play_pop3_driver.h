/* play_pop3_driver.h - a maildrop in memory, as the driver of the POP3 machine has it. */
#ifndef TESTS_PLAY_POP3_DRIVER_H
#define TESTS_PLAY_POP3_DRIVER_H

#include "proto/pop3.h"

#include <stdlib.h>

struct pop3_play {
	struct pop3_conf conf;
	bool tls, plaintext;
	const char *const *messages; /* the maildrop; each ends as it wants */
	size_t n;
	enum pop3_answer listing, body, update; /* POP3_OK, or the refusal */
	size_t piece, room;                     /* octets of a body at once; room of `out` */
	const char *after_tls;
	/* what came of it */
	struct pop3_message rows[16];
	struct wr said, removed; /* removed: the numbers, a blank behind each */
	uint8_t said_room[1 << 17], removed_room[256];
	size_t logins, updates, handshakes, left;
	bool closed;
	struct pop3 *p;
};

static inline void
pop3_play_init(struct pop3_play *t, const char *const *messages, size_t n)
{
	memset(t, 0, sizeof(*t));
	t->conf = (struct pop3_conf){BYTES("fakeplace.edu"), true};
	t->plaintext = true;
	t->messages = messages;
	t->n = n;
	t->piece = 1000;
	t->room = POP3_REPLY_MAX;
}

static inline void
pop3_play_listing(struct pop3_play *t)
{
	static const char *const uids[] = {"u1", "u2", "u3", "u4"};

	if (t->listing != POP3_OK) {
		pop3_answer(t->p, t->listing);
		return;
	}
	for (size_t i = 0; i < t->n; i++)
		t->rows[i] =
		    (struct pop3_message){strlen(t->messages[i]), bytes_of(uids[i % COUNT(uids)])};
	pop3_listing(t->p, t->rows, t->n);
}

/* Gives pieces until one is not taken whole or all is given. */
static inline void
pop3_play_body(struct pop3_play *t, struct wr *out)
{
	struct bytes all = bytes_of(t->messages[pop3_number(t->p) - 1]);
	uint64_t at = pop3_offset(t->p);
	struct bytes piece = {all.p + at, all.n - at < t->piece ? all.n - at : t->piece};

	if (pop3_missing(t->p) != all.n - at)
		abort();
	pop3_body(t->p, piece, out);
}

static inline void
pop3_play_update(struct pop3_play *t)
{
	uint32_t number;
	size_t at = 0;

	t->updates++;
	while (pop3_deleted(t->p, &at, &number))
		wr_printf(&t->removed, "%u ", (unsigned)number);
	pop3_answer(t->p, t->update);
}

/* Answers the question; false when the want is none. */
static inline bool
pop3_play_answer(struct pop3_play *t, enum pop3_want want, struct wr *out)
{
	switch (want) {
	case POP3_LOGIN:
		t->logins++;
		pop3_answer(t->p, bytes_eq(pop3_user(t->p), BYTES("bob")) &&
		                          bytes_eq(pop3_secret(t->p), BYTES("hungry"))
		                      ? POP3_OK
		                      : POP3_BAD);
		return true;
	case POP3_LISTING:
		pop3_play_listing(t);
		return true;
	case POP3_BODY:
		if (t->body != POP3_OK)
			pop3_answer(t->p, t->body);
		else
			pop3_play_body(t, out);
		return true;
	case POP3_UPDATE:
		pop3_play_update(t);
		return true;
	case POP3_INPUT:
	case POP3_ROOM:
	case POP3_TLS:
	case POP3_CLOSE:
		break;
	}
	return false;
}

#endif
