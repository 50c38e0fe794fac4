/* ftp_session.c - replies that count, owned texts, and command lines without Telnet. */
#include "proto/ftp_session.h"

#include "proto/verb.h"

#include <stdlib.h>

/* RFC 854; what is below TELNET_FIRST is no command. */
enum { IAC = 255, TELNET_FIRST = 240, TELNET_WILL = 251 };

int
ftp_reply(struct wr *out, const char *text)
{
	wr_text(out, text);
	wr_text(out, "\r\n");
	return FTP_GO_ON;
}

int
ftp_leave(struct ftp *f, struct wr *out, const char *text)
{
	ftp_reply(out, text);
	f->state = FTP_AT_END;
	return FTP_CLOSE;
}

int
ftp_refuse(struct ftp *f, struct wr *out, const char *text)
{
	if (++f->errors >= FTP_ERRORS_MAX)
		return ftp_leave(f, out, "421 Too many errors, closing.");
	return ftp_reply(out, text);
}

int
ftp_ask(struct ftp *f, enum ftp_want question)
{
	f->open = question;
	f->answered = false;
	return (int)question;
}

void
ftp_drop(struct ftp_text *t)
{
	if (t->p)
		explicit_bzero(t->p, t->n); /* it may be a password */
	free(t->p);
	*t = (struct ftp_text){NULL, 0};
}

bool
ftp_keep(struct ftp_text *t, struct bytes b)
{
	uint8_t *p = malloc(b.n + 1);

	if (!p)
		return false;
	if (b.n)
		memcpy(p, b.p, b.n);
	ftp_drop(t);
	*t = (struct ftp_text){p, b.n};
	return true;
}

struct bytes
ftp_text(const struct ftp_text *t)
{
	return (struct bytes){t->p, t->n};
}

void
ftp_restart(struct ftp *f)
{
	ftp_drop(&f->user);
	ftp_drop(&f->secret);
	ftp_drop(&f->cwd);
	ftp_drop(&f->from);
	f->state = FTP_START;
	f->rest = 0;
	f->to = (struct addr){.port = 0};
	f->passive = f->epsv_all = f->image = false;
}

/*
 * Takes one octet of a command line from behind `p`; how many it took, 0: they are not all here.
 * *got is -1 for what belongs to Telnet, which is not answered: an option that nobody agrees to is
 * off (RFC 854).
 */
static size_t
telnet(const uint8_t *p, size_t left, int *got)
{
	*got = -1;
	if (left < 2)
		return 0;
	if (p[1] == IAC || p[1] < TELNET_FIRST) {
		*got = IAC;
		return p[1] == IAC ? 2 : 1;
	}
	if (p[1] < TELNET_WILL)
		return 2;
	return left < 3 ? 0 : 3;
}

/* What follows a CR: LF ends the line, NUL says that the CR is meant (RFC 2640 3.1). */
static enum ftp_line
behind_cr(const uint8_t *p, size_t left)
{
	if (left < 2)
		return FTP_LINE_MORE;
	if (p[1] == '\n')
		return FTP_LINE_GOOD;
	return FTP_LINE_BARE;
}

enum ftp_line
ftp_line(struct rd *in, struct wr *line)
{
	const uint8_t *p = in->p;
	size_t left = rd_left(in), n;
	enum ftp_line end;
	int got;

	if (left && verb_is_alien((struct bytes){p, left}))
		return FTP_LINE_ALIEN;
	for (size_t i = 0; i < left; i += n) {
		n = 1;
		got = p[i];
		if (i + 2 > FTP_LINE_MAX)
			return FTP_LINE_LONG;
		if (p[i] == '\0' || p[i] == '\n')
			return FTP_LINE_BARE;
		if (p[i] == '\r') {
			end = behind_cr(p + i, left - i);
			if (end == FTP_LINE_GOOD)
				rd_take(in, i + 2);
			if (end != FTP_LINE_BARE || p[i + 1] != '\0')
				return end;
			n = 2;
		} else if (p[i] == IAC) {
			n = telnet(p + i, left - i, &got);
			if (!n)
				return FTP_LINE_MORE;
		}
		if (got >= 0)
			wr_u8(line, (uint8_t)got);
	}
	return FTP_LINE_MORE;
}
