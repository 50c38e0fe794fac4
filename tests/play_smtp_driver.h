/*
 * play_smtp_driver.h - a directory of one domain and a store in memory, as the driver of the SMTP
 * machine has them.
 */
#ifndef TESTS_PLAY_SMTP_DRIVER_H
#define TESTS_PLAY_SMTP_DRIVER_H

#include "mail/summary.h"
#include "proto/smtp.h"

#include "play_sasl.h"

#include <stdlib.h>

struct smtp_play {
	struct smtp_conf conf;
	enum smtp_answer data, body, commit; /* what is answered to these */
	const char *after_tls;               /* what the client says inside TLS */
	bool tls;
	/* what came of it */
	struct wr said, stored; /* replies; "{sender|recipient,...|body}" for each commit */
	struct wr asked;        /* the address of each RCPT question, and a blank */
	uint8_t said_room[1 << 17], stored_room[1 << 17], asked_room[1 << 17], body_room[1 << 17];
	struct wr text; /* the body so far */
	size_t drops, left, handshakes, logins;
	bool closed;
	struct smtp *s;
};

static inline void
smtp_play_init(struct smtp_play *t)
{
	memset(t, 0, sizeof(*t));
	t->conf = (struct smtp_conf){.host = BYTES("fakeplace.edu"),
	                             .size_max = 1000 * 1000,
	                             .rcpt_max = SMTP_RCPT_MAX,
	                             .starttls = true};
}

/* Recipients of fakeplace.edu exist, but for nobody, full and later; all others are elsewhere. */
static inline enum smtp_answer
smtp_play_rcpt(struct bytes address)
{
	const uint8_t *at = memrchr(address.p, '@', address.n);
	size_t n = at ? (size_t)(at - address.p) : address.n;
	struct bytes local = {address.p, n};

	if (at && !bytes_eq((struct bytes){at, address.n - n}, BYTES("@fakeplace.edu")))
		return SMTP_NO_RELAY;
	for (size_t i = 0; i < n; i++) /* as a directory would: such names are nobody's */
		if (strchr("%!@/; \"", local.p[i]))
			return SMTP_UNKNOWN;
	if (bytes_eq(local, BYTES("nobody")))
		return SMTP_UNKNOWN;
	if (bytes_eq(local, BYTES("full")))
		return SMTP_QUOTA;
	return bytes_eq(local, BYTES("later")) ? SMTP_TEMP : SMTP_OK;
}

static inline void
smtp_play_commit(struct smtp_play *t)
{
	struct bytes a;
	size_t at = 0;

	if (t->commit != SMTP_OK)
		return;
	wr_text(&t->stored, "{");
	wr_bytes(&t->stored, smtp_sender(t->s));
	while (smtp_rcpt(t->s, &at, &a)) {
		wr_text(&t->stored, "|");
		wr_bytes(&t->stored, a);
	}
	wr_text(&t->stored, "|");
	wr_bytes(&t->stored, wr_since(&t->text, t->body_room));
	wr_text(&t->stored, "}");
}

/* Answers the question; false when the want is none. */
static inline bool
smtp_play_answer(struct smtp_play *t, enum smtp_want want)
{
	switch (want) {
	case SMTP_AUTH:
		t->logins++;
		sasl_play_answer(smtp_sasl(t->s));
		smtp_answer(t->s, SMTP_OK);
		return true;
	case SMTP_SENDER: /* bob has one address, and who logs in here is bob */
		smtp_answer(t->s, bytes_eq(smtp_text(t->s), BYTES("bob@fakeplace.edu"))
		                      ? SMTP_OK
		                      : SMTP_ALIEN);
		return true;
	case SMTP_RCPT:
		wr_bytes(&t->asked, smtp_text(t->s));
		wr_text(&t->asked, " ");
		smtp_answer(t->s, smtp_play_rcpt(smtp_text(t->s)));
		return true;
	case SMTP_DATA:
		t->text = wr_of(t->body_room, sizeof(t->body_room));
		smtp_answer(t->s, t->data);
		return true;
	case SMTP_BODY:
		wr_bytes(&t->text, smtp_text(t->s));
		smtp_answer(t->s, t->body);
		return true;
	case SMTP_DROP:
		t->drops++;
		smtp_answer(t->s, SMTP_OK);
		return true;
	case SMTP_COMMIT:
		smtp_play_commit(t);
		smtp_answer(t->s, t->commit);
		return true;
	case SMTP_INPUT:
	case SMTP_ROOM:
	case SMTP_TLS:
	case SMTP_CLOSE:
		break;
	}
	return false;
}

#endif
