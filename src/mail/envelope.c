/* envelope.c - RFC 3501 7.4.2; addresses as RFC 5322 3.4 and 4.4 have them, and as they come. */
#include "mail/envelope.h"

#include "mail/header.h"
#include "mail/token.h"

enum which { DATE, SUBJECT, FROM, SENDER, REPLY_TO, TO, CC, BCC, IN_REPLY_TO, MESSAGE_ID };

static const char *const fields[] = {
    [DATE] = "Date",
    [SUBJECT] = "Subject",
    [FROM] = "From",
    [SENDER] = "Sender",
    [REPLY_TO] = "Reply-To",
    [TO] = "To",
    [CC] = "Cc",
    [BCC] = "Bcc",
    [IN_REPLY_TO] = "In-Reply-To",
    [MESSAGE_ID] = "Message-ID",
};

/* ---- strings ---- */

static bool
must_be_literal(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] >= 0x80 || b.p[i] == '\r' || b.p[i] == '\n')
			return true;
	return false;
}

void
imap_string(struct wr *w, struct bytes b)
{
	bool literal = must_be_literal(b);
	size_t nuls = 0;

	for (size_t i = 0; i < b.n; i++)
		nuls += !b.p[i];
	if (literal)
		wr_printf(w, "{%zu}\r\n", b.n - nuls);
	else
		wr_u8(w, '"');
	for (size_t i = 0; i < b.n; i++) {
		if (!literal && (b.p[i] == '"' || b.p[i] == '\\'))
			wr_u8(w, '\\');
		if (b.p[i])
			wr_u8(w, b.p[i]);
	}
	if (!literal)
		wr_u8(w, '"');
}

void
imap_nstring(struct wr *w, struct bytes b)
{
	if (b.n)
		imap_string(w, b);
	else
		wr_text(w, "NIL");
}

/* ---- one address ---- */

/* A word that is gathered, as far as it has room. */
struct word {
	uint8_t text[ENVELOPE_NAME_MAX];
	size_t n;
	bool some; /* also an empty quoted string is some */
};

static void
word_add(struct word *d, struct bytes b)
{
	size_t room = sizeof(d->text) - d->n, n = b.n < room ? b.n : room;

	if (n)
		memcpy(d->text + d->n, b.p, n);
	d->n += n;
	d->some = true;
}

static struct bytes
word_bytes(const struct word *d)
{
	return (struct bytes){d->text, d->n};
}

/* A list that is being read and written. */
struct list {
	struct rd in;
	struct wr *w;
	size_t left; /* octets of the list that may be written still */
	bool in_group, any, full;
	struct bytes comment;
	struct word phrase; /* words with blanks between them, */
	struct word local;  /* and without, as a local part has them */
	struct word route, mailbox, host;
};

enum { END_OF_GROUP = 17 }; /* "(NIL NIL NIL NIL)", for which there is always room */

/* Appends one address that was written to `one`, or else nothing more from now on. */
static void
put_one(struct list *l, struct bytes one)
{
	size_t spare = l->in_group ? END_OF_GROUP : 0;

	if (l->full || one.n + spare + 2 > l->left) {
		l->full = true;
		return;
	}
	if (!l->any)
		wr_u8(l->w, '(');
	l->any = true;
	wr_bytes(l->w, one);
	l->left -= one.n;
}

enum { ADDRESS_ROOM = 4 * (2 * ENVELOPE_NAME_MAX + 16) };

static void
put_address(struct list *l, struct bytes name, struct bytes route, struct bytes mailbox,
            struct bytes host)
{
	uint8_t room[ADDRESS_ROOM];
	struct wr one = wr_of(room, sizeof(room));

	wr_u8(&one, '(');
	imap_nstring(&one, name);
	wr_u8(&one, ' ');
	imap_nstring(&one, route);
	wr_u8(&one, ' ');
	imap_string(&one, mailbox);
	wr_u8(&one, ' ');
	imap_string(&one, host);
	wr_u8(&one, ')');
	put_one(l, wr_since(&one, room));
}

static void
end_group(struct list *l)
{
	if (!l->in_group)
		return;
	l->in_group = false; /* its room was kept */
	if (l->any) {
		wr_text(l->w, "(NIL NIL NIL NIL)");
		l->left -= END_OF_GROUP;
	}
}

static void
begin_group(struct list *l)
{
	uint8_t room[ADDRESS_ROOM];
	struct wr one = wr_of(room, sizeof(room));

	end_group(l);
	l->in_group = true;
	wr_text(&one, "(NIL NIL ");
	imap_string(&one, word_bytes(&l->phrase));
	wr_text(&one, " NIL)");
	put_one(l, wr_since(&one, room));
	l->in_group = !l->full;
}

/* ---- reading ---- */

static void
forget(struct list *l)
{
	l->comment = NO_BYTES;
	l->phrase.n = l->local.n = l->route.n = l->mailbox.n = l->host.n = 0;
	l->phrase.some = l->local.some = l->route.some = l->mailbox.some = l->host.some = false;
}

static const char word_ends[] = "()<>@,;:\"[]";

/* A word: an atom with its dots, a quoted string, or one octet that has no meaning here. */
static void
read_word(struct list *l, struct word *into, struct word *spaced)
{
	uint8_t room[ENVELOPE_NAME_MAX];
	struct wr w = wr_of(room, sizeof(room));
	struct bytes b;

	if (token_peek(&l->in) == '"') {
		token_quoted(&l->in, &w, sizeof(room));
		b = wr_since(&w, room);
	} else {
		b = token_until(&l->in, word_ends);
		if (!b.n)
			b = rd_take(&l->in, 1);
	}
	if (into)
		word_add(into, b);
	if (spaced)
		word_add(spaced, b);
}

/* The domain behind an "@": a literal, or words until what ends an address. */
static void
read_host(struct list *l)
{
	const uint8_t *start;
	int c;

	for (token_skip(&l->in, &l->comment); rd_left(&l->in); token_skip(&l->in, &l->comment)) {
		c = token_peek(&l->in);
		if (c == '<' || c == '>' || c == ',' || c == ';' || c == ':' || c == '@')
			return;
		if (c != '[') {
			read_word(l, &l->host, NULL);
			continue;
		}
		start = l->in.p;
		while (rd_left(&l->in) && rd_u8(&l->in) != ']')
			;
		word_add(&l->host, (struct bytes){start, (size_t)(l->in.p - start)});
	}
}

/* "@a,@b:" before the address in angle brackets (RFC 5322 4.4): it is shown as it stands. */
static void
read_route(struct list *l)
{
	struct rd ahead = l->in;
	struct bytes route;

	token_skip(&ahead, NULL);
	if (token_peek(&ahead) != '@')
		return;
	route = token_until(&ahead, "<>;:\"(");
	if (!token_char(&ahead, ':'))
		return;
	word_add(&l->route, route);
	l->in = ahead;
}

/* Behind "<", until behind ">". */
static void
read_angle(struct list *l)
{
	int c;

	read_route(l);
	for (token_skip(&l->in, NULL); rd_left(&l->in); token_skip(&l->in, NULL)) {
		c = token_peek(&l->in);
		if (c == '>' || c == ',' || c == ';' || c == '<')
			break;
		if (l->host.some) { /* what stands behind "a@b" is not shown */
			read_word(l, NULL, NULL);
		} else if (c == '@') {
			rd_u8(&l->in);
			l->host.some = true;
			read_host(l);
		} else {
			read_word(l, &l->mailbox, NULL);
		}
	}
	token_char(&l->in, '>');
	put_address(l, word_bytes(&l->phrase), word_bytes(&l->route), word_bytes(&l->mailbox),
	            word_bytes(&l->host));
	forget(l);
}

/* An address without brackets ends: "a@b (name)", or what is none. */
static void
end_address(struct list *l)
{
	struct bytes name;
	struct word *d = &l->route; /* it has none, so this is free */

	if (l->host.some && l->mailbox.some) {
		if (l->comment.n) {
			struct wr w = wr_of(d->text, sizeof(d->text));

			token_unfold(&w, l->comment, sizeof(d->text));
			d->n = wr_since(&w, d->text).n;
		}
		name = word_bytes(d);
		put_address(l, name, NO_BYTES, word_bytes(&l->mailbox), word_bytes(&l->host));
	} else if (l->phrase.some) {
		put_address(l, NO_BYTES, NO_BYTES, word_bytes(&l->phrase), NO_BYTES);
	}
	forget(l);
}

/* One step at what comes next, outside of brackets. */
static void
read_next(struct list *l, bool blank)
{
	switch (token_peek(&l->in)) {
	case ',':
		rd_u8(&l->in);
		end_address(l);
		return;
	case ';':
		rd_u8(&l->in);
		end_address(l);
		end_group(l);
		return;
	case ':':
		rd_u8(&l->in);
		begin_group(l);
		forget(l);
		return;
	case '<':
		rd_u8(&l->in);
		l->host.n = l->mailbox.n = 0; /* "a@b <c@d>": the first is the name of the second */
		l->host.some = l->mailbox.some = false;
		read_angle(l);
		return;
	case '@':
		rd_u8(&l->in);
		if (l->host.some)
			return;
		l->mailbox = l->local;
		l->mailbox.some = true;
		l->host.some = true;
		read_host(l);
		word_add(&l->phrase, BYTES("@"));
		word_add(&l->phrase, word_bytes(&l->host));
		return;
	default:
		break;
	}
	if (blank && l->phrase.n)
		word_add(&l->phrase, BYTES(" "));
	read_word(l, &l->local, &l->phrase);
}

/* All addresses of one field's value. */
static void
read_list(struct list *l, struct bytes value)
{
	const uint8_t *before;

	l->in = rd_of(value);
	forget(l);
	while (rd_left(&l->in) && !l->full) {
		before = l->in.p;
		token_skip(&l->in, &l->comment);
		if (rd_left(&l->in))
			read_next(l, l->in.p != before);
	}
	if (!l->full)
		end_address(l);
	end_group(l);
}

/* ---- the envelope ---- */

bool
envelope_wants(struct bytes name)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (bytes_eq_nocase(name, bytes_of(fields[i])))
			return true;
	return false;
}

static void
write_string(struct wr *w, struct bytes header, enum which which)
{
	uint8_t room[ENVELOPE_STRING_MAX];
	struct wr text = wr_of(room, sizeof(room));
	struct header_field f;

	if (!header_find(header, bytes_of(fields[which]), &f)) {
		wr_text(w, "NIL");
		return;
	}
	token_unfold(&text, f.value, sizeof(room));
	imap_string(w, wr_since(&text, room));
}

/* The list as written; empty when no address was in it. */
static struct bytes
write_list(struct wr *w, struct bytes header, enum which which)
{
	struct header h = header_of(header);
	const uint8_t *start = w->p;
	struct header_field f;
	struct list l = {.w = w, .left = ENVELOPE_LIST_MAX};

	while (!l.full && header_next(&h, &f))
		if (bytes_eq_nocase(f.name, bytes_of(fields[which])))
			read_list(&l, f.value);
	if (l.any)
		wr_u8(w, ')');
	return wr_since(w, start);
}

void
envelope_write(struct wr *w, struct bytes message)
{
	struct bytes header = {message.p, header_body(message)}, from, list;

	wr_u8(w, '(');
	write_string(w, header, DATE);
	wr_u8(w, ' ');
	write_string(w, header, SUBJECT);
	for (int which = FROM; which <= BCC; which++) {
		wr_u8(w, ' ');
		list = write_list(w, header, (enum which)which);
		if (which == FROM)
			from = list;
		if (!list.n && (which == SENDER || which == REPLY_TO)) {
			wr_bytes(w, from); /* RFC 3501 7.4.2 */
			list = from;
		}
		if (!list.n)
			wr_text(w, "NIL");
	}
	wr_u8(w, ' ');
	write_string(w, header, IN_REPLY_TO);
	wr_u8(w, ' ');
	write_string(w, header, MESSAGE_ID);
	wr_u8(w, ')');
}
