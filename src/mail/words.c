/* words.c - RFC 2047 and RFC 2231. */
#include "mail/words.h"

#include "base/text.h"
#include "mail/charset.h"
#include "mail/content.h"
#include "mail/encode.h"
#include "mail/token.h"

/* One octet of text in the converter's charset; what would end a line or a string is not text. */
static void
octet(struct wr *w, struct charset *c, uint8_t o)
{
	struct rd in = rd_of((struct bytes){&o, 1});

	if (o && o != '\r' && o != '\n')
		charset_feed(c, &in, w);
}

/* ---- encoded words ---- */

struct encoded {
	struct bytes charset, text;
	bool base64;
};

/* "=?charset*language?Q?text?=" at the start of `in`, which is left behind it. */
static bool
take_encoded(struct rd *in, struct encoded *e)
{
	struct rd at = *in;
	const uint8_t *start;
	uint8_t how;

	if (rd_left(&at) < 2 || rd_u8(&at) != '=' || rd_u8(&at) != '?')
		return false;
	e->charset = token_until(&at, "?()<>@,;:\"/[]=");
	if (!e->charset.n || rd_u8(&at) != '?')
		return false;
	e->charset = text_cut(&e->charset, '*'); /* RFC 2231 5 */
	how = lower(rd_u8(&at));
	if ((how != 'q' && how != 'b') || rd_u8(&at) != '?')
		return false;
	e->base64 = how == 'b';
	start = at.p;
	while (rd_left(&at) && *at.p != '?')
		rd_u8(&at);
	e->text = (struct bytes){start, (size_t)(at.p - start)};
	if (rd_left(&at) < 2 || rd_u8(&at) != '?' || rd_u8(&at) != '=')
		return false;
	*in = at;
	return true;
}

static void
put_b(struct wr *w, struct charset *c, struct bytes text)
{
	struct decode d = {.encoding = ENCODING_BASE64};
	uint8_t room[2 * DECODE_ROOM];
	struct rd in = rd_of(text);
	struct wr piece;

	while (rd_left(&in) && wr_room(w) >= CHARSET_ROOM) {
		piece = wr_of(room, sizeof(room));
		decode_feed(&d, &in, &piece);
		if (!rd_left(&in))
			decode_finish(&d, &piece);
		for (const uint8_t *p = room; p < piece.p; p++)
			octet(w, c, *p);
	}
}

static void
put_q(struct wr *w, struct charset *c, struct bytes text)
{
	int high, low;

	for (size_t i = 0; i < text.n; i++) {
		high = text.p[i] == '=' && text.n - i > 2 ? text_hex_digit(text.p[i + 1]) : -1;
		low = high >= 0 ? text_hex_digit(text.p[i + 2]) : -1;
		if (low >= 0) {
			octet(w, c, (uint8_t)(high << 4 | low));
			i += 2;
		} else {
			octet(w, c, text.p[i] == '_' ? ' ' : text.p[i]);
		}
	}
}

/* Goes on in another charset; what was begun in the one before ends. */
static void
change(struct wr *w, struct charset *c, enum charset_which which)
{
	if (c->which == which)
		return;
	if (wr_room(w) >= CHARSET_ROOM)
		charset_finish(c, w);
	*c = (struct charset){.which = (uint8_t)which};
}

void
words_decode(struct wr *w, struct bytes value)
{
	struct charset c = {.which = CHARSET_UTF8};
	struct rd in = rd_of(value), ahead;
	struct encoded e, next;
	bool after = false; /* an encoded word */

	token_blanks(&in);
	while (rd_left(&in) && wr_room(w) >= CHARSET_ROOM) {
		if (take_encoded(&in, &e)) {
			change(w, &c, charset_find(e.charset));
			if (e.base64)
				put_b(w, &c, e.text);
			else
				put_q(w, &c, e.text);
			after = true;
			continue;
		}
		ahead = in;
		if (after && token_blanks(&ahead)) {
			struct rd behind = ahead;

			if (take_encoded(&behind, &next)) {
				in = ahead;
				continue;
			}
			while (in.p != ahead.p) {
				change(w, &c, CHARSET_UTF8);
				octet(w, &c, rd_u8(&in));
			}
			after = false;
			continue;
		}
		after = false;
		change(w, &c, CHARSET_UTF8);
		octet(w, &c, rd_u8(&in));
	}
	if (wr_room(w) >= CHARSET_ROOM)
		charset_finish(&c, w);
}

/* ---- parameters ---- */

/* The value of "name*", "name*0" and so on, whichever `form` and `number` say; p NULL: none. */
static struct bytes
find(struct bytes params, const char *name, const char *form, unsigned number)
{
	char room[64 + 16];
	struct wr w = wr_of(room, sizeof(room) - 1);

	wr_text(&w, name);
	if (form[0] == '0')
		wr_printf(&w, "*%u%s", number, form + 1);
	else
		wr_text(&w, form);
	if (w.full)
		return NO_BYTES;
	*w.p = '\0';
	return content_param_find(params, room);
}

/* RFC 2231 4: the charset and a language stand before the first extended piece. */
static void
take_charset(struct bytes *value, struct charset *c)
{
	struct bytes rest = *value, name;

	if (!memchr(value->p, '\'', value->n))
		return;
	name = text_cut(&rest, '\'');
	if (!rest.n || !memchr(rest.p, '\'', rest.n))
		return;
	text_cut(&rest, '\'');
	*value = rest;
	c->which = (uint8_t)charset_find(name);
}

static void
put_percent(struct wr *w, struct charset *c, struct bytes text)
{
	int high, low;

	for (size_t i = 0; i < text.n; i++) {
		high = text.p[i] == '%' && text.n - i > 2 ? text_hex_digit(text.p[i + 1]) : -1;
		low = high >= 0 ? text_hex_digit(text.p[i + 2]) : -1;
		if (low >= 0) {
			octet(w, c, (uint8_t)(high << 4 | low));
			i += 2;
		} else {
			octet(w, c, text.p[i]);
		}
	}
}

static void
put_raw(struct wr *w, struct charset *c, struct bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		octet(w, c, text.p[i]);
}

/* name*0, name*1* ...: false when there is no first one. */
static bool
put_pieces(struct wr *w, struct bytes params, const char *name)
{
	struct charset c = {.which = CHARSET_UTF8};
	struct bytes coded, plain;
	unsigned i;

	for (i = 0; i < WORDS_PIECES_MAX; i++) {
		coded = find(params, name, "0*", i);
		plain = coded.p ? NO_BYTES : find(params, name, "0", i);
		if (!coded.p && !plain.p)
			break;
		if (coded.p && !i)
			take_charset(&coded, &c);
		if (coded.p)
			put_percent(w, &c, coded);
		else
			put_raw(w, &c, plain);
	}
	if (wr_room(w) >= CHARSET_ROOM)
		charset_finish(&c, w);
	return i > 0;
}

bool
words_param(struct wr *out, struct bytes params, const char *name)
{
	uint8_t room[WORDS_PARAM_MAX];
	struct wr w = wr_of(room, sizeof(room));
	struct charset c = {.which = CHARSET_UTF8};
	bool some = put_pieces(&w, params, name);
	struct bytes value = some ? NO_BYTES : find(params, name, "*", 0);

	if (value.p) {
		take_charset(&value, &c);
		put_percent(&w, &c, value);
		if (wr_room(&w) >= CHARSET_ROOM)
			charset_finish(&c, &w);
	} else if (!some) {
		value = find(params, name, "", 0);
		words_decode(&w, value);
	}
	wr_bytes(out, wr_since(&w, room));
	return some || value.p;
}
