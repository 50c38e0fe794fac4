/* pop3_session.c - replies that count, and the marks of deletion. */
#include "proto/pop3_session.h"

#include <stdlib.h>

int
pop3_reply(struct wr *out, const char *text)
{
	wr_text(out, text);
	wr_text(out, "\r\n");
	return POP3_GO_ON;
}

int
pop3_leave(struct pop3 *p, struct wr *out, const char *text)
{
	pop3_reply(out, text);
	p->state = POP3_AT_END;
	return POP3_CLOSE;
}

int
pop3_refuse(struct pop3 *p, struct wr *out, const char *text)
{
	if (++p->errors >= POP3_ERRORS_MAX)
		return pop3_leave(p, out, "-ERR too many errors, closing");
	return pop3_reply(out, text);
}

int
pop3_ask(struct pop3 *p, enum pop3_want question)
{
	p->open = question;
	p->answered = false;
	return (int)question;
}

bool
pop3_is_marked(const struct pop3 *p, size_t row)
{
	return p->marks && (p->marks[row / 8] & 1u << row % 8);
}

void
pop3_unmark(struct pop3 *p)
{
	free(p->marks);
	p->marks = NULL;
	p->live = p->n;
	p->octets = 0;
	for (size_t i = 0; i < p->n; i++)
		p->octets += p->rows[i].size;
}

void
pop3_row(const struct pop3 *p, enum pop3_list list, size_t row, struct wr *out)
{
	const struct pop3_message *m = &p->rows[row];

	wr_printf(out, "%zu ", row + 1);
	if (list == POP3_UIDS)
		wr_bytes(out, m->uid);
	else
		wr_printf(out, "%llu", (unsigned long long)m->size);
	wr_text(out, "\r\n");
}
