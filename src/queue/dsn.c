/* dsn.c - written from the front to the back, a piece at a time. */
#include "queue/dsn.h"

#include "mail/address.h"
#include "mail/date.h"

enum {
	PIECE_MAX = 4096,
	TEXT_REPLY_MAX = 200, /* of a reply, where people read it */
	BOUNDARY_MAX = 48,
	HOUR_S = 3600,
};

struct writing {
	struct buf *out;
	const struct dsn *dsn;
	struct bytes header; /* as much as is shown */
	char boundary[BOUNDARY_MAX];
	bool full;
};

/* Room for a piece, and the end of it. */
static struct wr
begin(struct writing *w)
{
	return buf_room(w->out, PIECE_MAX);
}

static void
end(struct writing *w, struct wr piece, const uint8_t *start)
{
	if (piece.full || !start)
		w->full = true;
	else
		buf_wrote(w->out, wr_since(&piece, start).n);
}

/* Printable ASCII on one line. */
static void
clean(struct wr *w, struct bytes text, size_t max)
{
	bool blank = false;

	for (size_t i = 0; i < text.n && i < max; i++) {
		uint8_t c = text.p[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			blank = true;
			continue;
		}
		if (blank)
			wr_u8(w, ' ');
		blank = false;
		wr_u8(w, c > 0x20 && c < 0x7f ? c : '?');
	}
}

static bool
is_8bit(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] & 0x80)
			return true;
	return false;
}

static void
date(struct wr *w, const char *name, uint64_t seconds)
{
	wr_printf(w, "%s: ", name);
	date_write(w, (int64_t)seconds, 0);
	wr_text(w, "\r\n");
}

/* The field that says so where octets beyond ASCII follow. */
static const char *
encoding(const struct writing *w)
{
	return is_8bit(w->header) ? "Content-Transfer-Encoding: 8bit\r\n" : "";
}

static void
head(struct writing *w, uint32_t *skip)
{
	static const char path[] = "Return-Path: <>\r\n";
	const struct dsn *d = w->dsn;
	struct wr p = begin(w);
	uint8_t *start = p.p;

	*skip = sizeof(path) - 1;
	wr_text(&p, path);
	wr_text(&p, "From: \"Mail delivery\" <mailer-daemon@");
	clean(&p, d->host, 255);
	wr_text(&p, ">\r\nTo: <");
	address_write(&p, d->sender);
	wr_printf(&p, ">\r\nSubject: %s\r\n",
	          d->delay ? "Your message is delayed" : "Your message could not be delivered");
	date(&p, "Date", d->now_s);
	wr_printf(&p, "Message-ID: <%llx.%llx@", (unsigned long long)d->id,
	          (unsigned long long)d->chance);
	clean(&p, d->host, 255);
	wr_text(&p, ">\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n");
	/* RFC 2045 6.4: what is in it may be no more than that */
	wr_printf(&p,
	          "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	          "\tboundary=\"%s\"\r\n%s\r\n",
	          w->boundary, encoding(w));
	end(w, p, start);
}

/* ---- for people ---- */

static void
text_rcpt(struct writing *w, const struct spool_rcpt *r)
{
	struct wr p = begin(w);
	uint8_t *start = p.p;

	wr_text(&p, "  ");
	address_write(&p, r->address);
	wr_text(&p, "\r\n");
	if (r->reply.n) {
		wr_text(&p, "      ");
		if (r->server.n) {
			clean(&p, r->server, 64);
			wr_text(&p, r->is_reply ? " said: " : ": ");
		}
		clean(&p, r->reply, TEXT_REPLY_MAX);
		wr_text(&p, "\r\n");
	}
	end(w, p, start);
}

static void
text(struct writing *w)
{
	const struct dsn *d = w->dsn;
	struct wr p = begin(w);
	uint8_t *start = p.p;

	wr_printf(&p, "--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n", w->boundary);
	wr_text(&p, "This is the mail server ");
	clean(&p, d->host, 255);
	wr_text(&p, ".\r\n\r\n");
	if (d->delay) {
		wr_text(&p, "Your message has not reached these recipients yet:\r\n\r\n");
	} else {
		wr_text(&p, "Your message could not be delivered to these recipients,\r\n"
		            "and nothing more is tried:\r\n\r\n");
	}
	end(w, p, start);
	for (size_t i = 0; i < d->n && !w->full; i++)
		text_rcpt(w, &d->rcpts[i]);
	p = begin(w);
	start = p.p;
	if (d->delay) {
		uint64_t left = d->until_s > d->now_s ? d->until_s - d->now_s : 0;

		wr_printf(&p,
		          "\r\nThere is nothing for you to do. It is tried for %llu hours more;\r\n"
		          "should it fail in the end, you will be told.\r\n",
		          (unsigned long long)((left + HOUR_S - 1) / HOUR_S));
	} else {
		wr_text(&p, "\r\nThe header of your message is attached.\r\n");
	}
	wr_text(&p, "\r\n");
	end(w, p, start);
}

/* ---- for programs (RFC 3464 2) ---- */

/* What was deferred to the end keeps its 4: it might have worked later (RFC 3464 2.3.4). */
static void
status(struct wr *p, const struct spool_rcpt *r)
{
	const uint8_t *s = r->status;

	if (s[0] >= 2 && s[0] <= 5)
		wr_printf(p, "Status: %u.%u.%u\r\n", s[0], s[1], s[2]);
	else
		wr_text(p, "Status: 4.4.7\r\n");
}

static void
status_rcpt(struct writing *w, const struct spool_rcpt *r)
{
	const struct dsn *d = w->dsn;
	struct wr p = begin(w);
	uint8_t *start = p.p;

	wr_text(&p, "\r\nFinal-Recipient: rfc822; ");
	address_write(&p, r->address);
	wr_printf(&p, "\r\nAction: %s\r\n", d->delay ? "delayed" : "failed");
	status(&p, r);
	if (r->server.n) {
		wr_text(&p, "Remote-MTA: dns; ");
		clean(&p, r->server, SPOOL_SERVER_MAX);
		wr_text(&p, "\r\n");
	}
	if (r->reply.n) {
		wr_text(&p, r->is_reply ? "Diagnostic-Code: smtp; " : "Diagnostic-Code: x-stead; ");
		clean(&p, r->reply, SPOOL_REPLY_MAX);
		wr_text(&p, "\r\n");
	}
	if (d->delay)
		date(&p, "Will-Retry-Until", d->until_s);
	end(w, p, start);
}

static void
statuses(struct writing *w)
{
	const struct dsn *d = w->dsn;
	struct wr p = begin(w);
	uint8_t *start = p.p;

	wr_printf(&p, "--%s\r\nContent-Type: message/delivery-status\r\n\r\n", w->boundary);
	wr_text(&p, "Reporting-MTA: dns; ");
	clean(&p, d->host, 255);
	wr_printf(&p, "\r\nX-Stead-Queue-ID: %llx\r\n", (unsigned long long)d->id);
	date(&p, "Arrival-Date", d->created_s);
	end(w, p, start);
	for (size_t i = 0; i < d->n && !w->full; i++)
		status_rcpt(w, &d->rcpts[i]);
}

/* ---- the header ---- */

/* One line of it, without its end; what is no text of a mail is shown as "?". */
static void
header_line(struct writing *w, struct bytes line)
{
	struct wr p = begin(w);
	uint8_t *start = p.p;

	for (size_t i = 0; i < line.n && i < DSN_LINE_MAX; i++)
		wr_u8(&p, line.p[i] && line.p[i] != '\r' && line.p[i] != '\n' ? line.p[i] : '?');
	wr_text(&p, "\r\n");
	end(w, p, start);
}

/* Cuts the next line off; false at the empty line, or where no whole line is left. */
static bool
next_line(struct bytes *rest, struct bytes *line)
{
	for (size_t i = 0; i + 1 < rest->n; i++)
		if (rest->p[i] == '\r' && rest->p[i + 1] == '\n') {
			*line = (struct bytes){rest->p, i};
			*rest = (struct bytes){rest->p + i + 2, rest->n - i - 2};
			return i != 0;
		}
	return false;
}

static void
header(struct writing *w)
{
	struct bytes rest = w->header, line;
	struct wr p = begin(w);
	uint8_t *start = p.p;

	wr_printf(&p, "\r\n--%s\r\nContent-Type: text/rfc822-headers\r\n%s\r\n", w->boundary,
	          encoding(w));
	end(w, p, start);
	while (!w->full && next_line(&rest, &line))
		header_line(w, line);
	p = begin(w);
	start = p.p;
	wr_printf(&p, "\r\n--%s--\r\n", w->boundary);
	end(w, p, start);
}

struct err
dsn_write(struct buf *out, const struct dsn *d, uint32_t *skip)
{
	struct writing w = {.out = out, .dsn = d, .header = d->header};
	struct wr b = wr_of((uint8_t *)w.boundary, sizeof(w.boundary) - 1);

	if (w.header.n > DSN_HEADER_MAX)
		w.header.n = DSN_HEADER_MAX;
	/* nobody can have put it into a header beforehand */
	wr_printf(&b, "=_stead_%016llx_%016llx", (unsigned long long)d->chance,
	          (unsigned long long)d->id);
	head(&w, skip);
	text(&w);
	statuses(&w);
	header(&w);
	return w.full ? ERR(ERR_RANGE, 0, "a report larger than any is") : OK;
}
