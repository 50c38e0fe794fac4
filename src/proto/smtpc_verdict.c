/* smtpc_verdict.c - outcome and status of each recipient, said by the server or by us. */
#include "proto/smtpc_session.h"

#include "mail/address.h"

/* Of what is kept of replies in one message. */
static size_t
text_room(const struct smtpc *s, enum smtpc_about about)
{
	return about == SMTPC_RCPT && s->m.n > 64 ? SMTPC_TEXT_MANY : SMTPC_TEXT_MAX;
}

/* May it stand in a command?  What came in by SMTP always may. */
static bool
is_sayable(struct bytes address)
{
	if (address.n > ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < address.n; i++)
		if (address.p[i] < ' ' || address.p[i] == 0x7f)
			return false;
	return true;
}

static bool
is_ascii(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] >= 0x80)
			return false;
	return true;
}

struct smtpc_result
smtpc_own(enum smtpc_outcome outcome, const char *status, const char *text)
{
	return (struct smtpc_result){
	    .outcome = outcome,
	    .status = {(uint8_t)(status[0] - '0'), (uint8_t)(status[2] - '0'),
	               (uint8_t)(status[4] - '0')},
	    .text = bytes_of(text),
	};
}

struct smtpc_result
smtpc_replied(struct smtpc *s, enum smtpc_about about)
{
	struct bytes text = smtpc_reply_text(&s->reply);
	struct smtpc_result v = {.is_reply = true};
	size_t max = text_room(s, about);
	unsigned class = s->reply.code / 100;

	v.outcome = class == 2 ? SMTPC_DELIVERED : class == 4 ? SMTPC_DEFERRED : SMTPC_FAILED;
	smtpc_reply_status(&s->reply, about, v.status);
	if (text.n > max)
		text.n = max;
	v.text = arena_copy(&s->texts, text);
	if (!v.text.p) { /* out of memory: the outcome counts, its words do not */
		v.text = NO_BYTES;
		v.is_reply = false;
	}
	/* RFC 5321 4.5.3.1.10: some servers say 552 where 452 is meant */
	if (about == SMTPC_RCPT && s->reply.code == 552 && s->accepted &&
	    (!s->reply.has_status || (v.status[1] == 5 && v.status[2] == 3))) {
		v.outcome = SMTPC_DEFERRED;
		memcpy(v.status, (const uint8_t[]){4, 5, 3}, 3);
	}
	return v;
}

void
smtpc_decide(struct smtpc *s, size_t i, struct smtpc_result v)
{
	if (s->rcpts[i].decided)
		return;
	s->rcpts[i].decided = true;
	s->rcpts[i].result = v;
}

void
smtpc_decide_all(struct smtpc *s, struct smtpc_result v)
{
	if (!s->busy || s->over)
		return;
	for (size_t i = 0; i < s->m.n; i++)
		smtpc_decide(s, i, v);
	s->over = true;
}

void
smtpc_look_at(struct smtpc *s)
{
	static const char utf8[] = "the server does not take addresses beyond ASCII";
	bool takes_utf8 = s->extensions & SMTPC_SMTPUTF8;

	if (s->size_max && s->m.size > s->size_max)
		smtpc_decide_all(s, smtpc_own(SMTPC_FAILED, "5.3.4",
		                              "the message is larger than the server's limit"));
	if (!is_sayable(s->m.sender))
		smtpc_decide_all(s, smtpc_own(SMTPC_FAILED, "5.1.7",
		                              "the sender's address cannot be said in SMTP"));
	if (!is_ascii(s->m.sender) && !takes_utf8)
		smtpc_decide_all(s, smtpc_own(SMTPC_FAILED, "5.6.7", utf8));
	for (size_t i = 0; i < s->m.n; i++) {
		if (!s->m.rcpts[i].n || !is_sayable(s->m.rcpts[i]))
			smtpc_decide(
			    s, i,
			    smtpc_own(SMTPC_FAILED, "5.1.3", "the address cannot be said in SMTP"));
		else if (!is_ascii(s->m.rcpts[i]) && !takes_utf8)
			smtpc_decide(s, i, smtpc_own(SMTPC_FAILED, "5.6.7", utf8));
	}
}
