/* smtp_session.c - replies that count, and the envelope. */
#include "proto/smtp_session.h"

void
smtp_reply(struct wr *out, const char *text)
{
	wr_text(out, text);
	wr_text(out, "\r\n");
}

int
smtp_leave(struct smtp *s, struct wr *out, const char *text)
{
	smtp_reply(out, text);
	s->state = SMTP_GONE;
	return SMTP_CLOSE;
}

int
smtp_refuse(struct smtp *s, struct wr *out, const char *text)
{
	if (++s->errors >= SMTP_ERRORS_MAX)
		return smtp_leave(s, out, "421 4.7.0 too many errors, closing");
	smtp_reply(out, text);
	return SMTP_GO_ON;
}

int
smtp_idle(struct smtp *s, struct wr *out, const char *text)
{
	if (s->junk < SMTP_JUNK_MAX)
		s->junk++;
	else if (++s->errors >= SMTP_ERRORS_MAX)
		return smtp_leave(s, out, "421 4.7.0 too many commands without a message, closing");
	smtp_reply(out, text);
	return SMTP_GO_ON;
}

int
smtp_ask(struct smtp *s, enum smtp_want question)
{
	s->open = question;
	s->answered = false;
	return (int)question;
}

void
smtp_reset(struct smtp *s)
{
	buf_free(&s->envelope);
	s->text = NO_BYTES;
	s->rcpts = 0;
	s->overshoot = 0;
	s->declared = s->size = 0;
	s->dot = (struct dot_in){false, 0};
	if (s->state != SMTP_START)
		s->state = SMTP_READY;
}

bool
smtp_propose(struct smtp *s, const struct address *a)
{
	struct bytes b = address_text(a);
	struct wr w = buf_room(&s->envelope, 1 + b.n);

	wr_bytes8(&w, b);
	if (w.full)
		return false;
	s->text = (struct bytes){w.p - b.n, b.n};
	return true;
}

void
smtp_accept(struct smtp *s)
{
	buf_wrote(&s->envelope, 1 + s->text.n);
	s->text = NO_BYTES;
}

int
smtp_begin(struct smtp *s, struct wr *out)
{
	smtp_accept(s);
	s->message++;
	s->state = SMTP_MAIL;
	smtp_reply(out, "250 2.1.0 sender ok");
	return SMTP_GO_ON;
}
