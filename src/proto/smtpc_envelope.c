/*
 * smtpc_envelope.c - sender, recipients and DATA: one after the other, or all at once where the
 * server offers PIPELINING (RFC 2920); each reply belongs to the oldest command that has none.
 */
#include "proto/smtpc_session.h"

#include "mail/address.h"

#include <assert.h>

static bool
is_utf8(const struct smtpc *s)
{
	bool wants = s->m.is_8bit_head;

	for (size_t i = 0; i < s->m.sender.n; i++)
		wants |= s->m.sender.p[i] >= 0x80;
	for (size_t i = 0; i < s->m.n && !wants; i++)
		for (size_t k = 0; k < s->m.rcpts[i].n; k++)
			wants |= s->m.rcpts[i].p[k] >= 0x80;
	return wants && (s->extensions & SMTPC_SMTPUTF8);
}

static void
write_mail(const struct smtpc *s, struct wr *out)
{
	wr_text(out, "MAIL FROM:<");
	address_write(out, s->m.sender);
	wr_text(out, ">");
	if (s->extensions & SMTPC_SIZE)
		wr_printf(out, " SIZE=%llu", (unsigned long long)s->m.size);
	if (s->m.is_8bit && (s->extensions & SMTPC_8BITMIME))
		wr_text(out, " BODY=8BITMIME");
	if (is_utf8(s))
		wr_text(out, " SMTPUTF8");
	wr_text(out, "\r\n");
}

static void
write_command(struct smtpc *s, size_t n, struct wr *out)
{
	if (n == 0) {
		write_mail(s, out);
	} else if (n <= s->m.n) {
		s->rcpts[n - 1].sent = true;
		wr_text(out, "RCPT TO:<");
		address_write(out, s->m.rcpts[n - 1]);
		wr_text(out, ">\r\n");
	} else {
		wr_text(out, "DATA\r\n");
	}
	assert(!out->full); /* SMTPC_ROOM_MAX: addresses are bounded */
}

/* A recipient that was decided before it was said has no command. */
static bool
is_silent(const struct smtpc *s, size_t n)
{
	return n >= 1 && n <= s->m.n && s->rcpts[n - 1].decided && !s->rcpts[n - 1].sent;
}

static void
skip(const struct smtpc *s, size_t *n, size_t end)
{
	while (*n < end && is_silent(s, *n))
		++*n;
}

/* Is it the time of the next command?  DATA is for accepted recipients, or for those that may be. */
static bool
may_say(const struct smtpc *s)
{
	if (s->next >= s->end)
		return false;
	if (s->next > s->m.n && s->next == s->answered)
		return s->accepted > 0;
	return s->next == s->answered || (s->extensions & SMTPC_PIPELINING);
}

static void
end_of_mail(struct smtpc *s)
{
	unsigned class = s->reply.code / 100;
	struct smtpc_result v;

	if (class == 2)
		return;
	v = smtpc_replied(s, SMTPC_SENDER);
	v.elsewhere = class == 4;
	s->end = s->next; /* what is under way is heard, and nothing more is said */
	for (size_t i = 0; i < s->m.n; i++)
		smtpc_decide(s, i, v);
}

static void
end_of_rcpt(struct smtpc *s, size_t i)
{
	struct smtpc_result v;

	if (s->reply.code / 100 == 2) {
		s->rcpts[i].accepted = !s->rcpts[i].decided;
		s->accepted += s->rcpts[i].accepted;
	} else if (!s->rcpts[i].decided) {
		v = smtpc_replied(s, SMTPC_RCPT);
		v.elsewhere = v.outcome == SMTPC_DEFERRED && s->reply.code != 452;
		smtpc_decide(s, i, v);
	}
}

static void
end_of_data(struct smtpc *s)
{
	struct smtpc_result v;

	s->data = s->reply.code == 354;
	if (s->data)
		return;
	v = smtpc_replied(s, SMTPC_DATA);
	v.elsewhere = v.outcome == SMTPC_DEFERRED;
	for (size_t i = 0; i < s->m.n; i++)
		smtpc_decide(s, i, v);
}

/* The reply to the oldest command. */
static int
settle(struct smtpc *s)
{
	size_t n = s->answered++;
	unsigned class = s->reply.code / 100;

	/* a "yes" that is none of this command's belongs to something else */
	if (n <= s->m.n ? class == 3 : class == 2 || (class == 3 && s->reply.code != 354))
		return smtpc_give_up(s, "the server's replies are out of order");
	if (n == 0)
		end_of_mail(s);
	else if (n <= s->m.n)
		end_of_rcpt(s, n - 1);
	else
		end_of_data(s);
	skip(s, &s->answered, s->next);
	return smtpc_closing(s);
}

/* Every command has its reply. */
static int
finish(struct smtpc *s)
{
	if (s->data) {
		smtpc_enter(s, s->accepted ? SMTPC_BODY : SMTPC_NO_BODY);
		return SMTPC_GO_ON;
	}
	s->dirty = true;
	s->over = true; /* all are decided: by MAIL, by RCPT, or by DATA */
	smtpc_enter(s, SMTPC_READY);
	return SMTPC_GO_ON;
}

int
smtpc_envelope(struct smtpc *s, struct rd *in, struct wr *out)
{
	bool blocked = false;
	int want;

	if (s->next == s->answered && rd_left(in))
		return smtpc_give_up(s, "the server spoke out of turn");
	for (;;) {
		bool all = s->next == s->answered;

		skip(s, &s->next, s->end);
		if (all)
			s->answered = s->next;
		if (!may_say(s))
			break;
		blocked = wr_room(out) < SMTPC_ROOM_MAX;
		if (blocked)
			break;
		write_command(s, s->next++, out);
	}
	if (s->answered == s->next)
		return blocked ? SMTPC_ROOM : finish(s);
	want = smtpc_hear(s, in);
	if (want == SMTPC_HEARD)
		return settle(s);
	return want == SMTPC_INPUT && blocked ? SMTPC_ROOM : want;
}
