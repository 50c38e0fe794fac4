/*
 * content.c - packed: an octet that tells which fields there are (bits as the fields stand below),
 * type (bytes8), subtype (bytes8), then those fields: parameters (bytes16: name bytes8, value
 * bytes16 each), encoding (bytes8), id, description (bytes16), md5 (bytes8), disposition (bytes8)
 * with its parameters (bytes16), languages (bytes8: bytes8 each), location (bytes16).
 */
#include "mail/content.h"

#include "mail/header.h"
#include "mail/token.h"

enum {
	PARAMS = 1,
	ENCODING = 2,
	ID = 4,
	DESCRIPTION = 8,
	MD5 = 16,
	DISPOSITION = 32,
	LANGUAGES = 64,
	LOCATION = 128
};
enum { MD5_MAX = 127, LANGUAGES_MAX = 255 };

enum which { TYPE, ENCODED, CID, DESCRIBED, SUM, DISPOSED, LANGUAGE, PLACE, MIME_VERSION };

static const char *const fields[] = {
    [TYPE] = "Content-Type",
    [ENCODED] = "Content-Transfer-Encoding",
    [CID] = "Content-ID",
    [DESCRIBED] = "Content-Description",
    [SUM] = "Content-MD5",
    [DISPOSED] = "Content-Disposition",
    [LANGUAGE] = "Content-Language",
    [PLACE] = "Content-Location",
    [MIME_VERSION] = "MIME-Version",
};

/* The values of the first field of each name; p NULL: there is none. */
struct found {
	struct bytes value[COUNT(fields)];
	bool twice;
};

static void
find_fields(struct found *f, struct bytes header)
{
	struct header h = header_of(header);
	struct header_field field;

	while (header_next(&h, &field))
		for (size_t i = 0; i < COUNT(fields); i++) {
			if (!bytes_eq_nocase(field.name, bytes_of(fields[i])))
				continue;
			f->twice |= f->value[i].p != NULL;
			if (!f->value[i].p)
				f->value[i] = field.value;
		}
}

bool
content_wants(struct bytes name)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (bytes_eq_nocase(name, bytes_of(fields[i])))
			return true;
	return false;
}

/* ---- strings behind a length that is known only afterwards ---- */

static uint8_t *
begin(struct wr *w, size_t length_octets)
{
	return wr_take(w, length_octets);
}

static void
end8(struct wr *w, uint8_t *start)
{
	if (!w->full)
		start[0] = (uint8_t)(w->p - start - 1);
}

static void
end16(struct wr *w, uint8_t *start)
{
	size_t n;

	if (w->full)
		return;
	n = (size_t)(w->p - start) - 2;
	start[0] = (uint8_t)(n >> 8);
	start[1] = (uint8_t)n;
}

/* ---- parameters ---- */

static bool
has_param(struct bytes params, struct bytes name)
{
	struct bytes other, value;

	while (content_param(&params, &other, &value))
		if (bytes_eq_nocase(name, other))
			return true;
	return false;
}

/* "=" and a value, written as bytes16; false when it is not so. */
static bool
read_value(struct rd *in, struct wr *w)
{
	uint8_t *start;
	bool good = true;
	struct bytes b;

	token_skip(in, NULL);
	if (!token_char(in, '='))
		return false;
	token_skip(in, NULL);
	start = begin(w, 2);
	if (token_peek(in) == '"') {
		good = token_quoted(in, w, CONTENT_PARAM_MAX);
	} else {
		b = token_until(in, ";\"(");
		good = b.n > 0;
		token_unfold(w, b, CONTENT_PARAM_MAX);
	}
	end16(w, start);
	return good;
}

/* Behind a parameter comes ";" or the end; what else there is is skipped. */
static bool
next_semicolon(struct rd *in)
{
	struct wr nothing = wr_of(NULL, 0);
	bool good = true;

	for (token_skip(in, NULL); rd_left(in); token_skip(in, NULL)) {
		if (token_char(in, ';'))
			return good;
		good = false;
		if (token_peek(in) == '"') /* a ";" in it is none */
			token_quoted(in, &nothing, 0);
		else
			rd_u8(in);
	}
	return good;
}

/* One "name=value" behind a ";": appended to what was packed since `all`, if it is new. */
static bool
read_param(struct rd *in, struct wr *w, const uint8_t *all)
{
	uint8_t room[CONTENT_WORD_MAX + CONTENT_PARAM_MAX + 4];
	struct wr one = wr_of(room, sizeof(room));
	struct bytes name, value;
	struct rd again;
	bool good;

	token_skip(in, NULL);
	if (!rd_left(in))
		return true; /* a ";" at the end is common */
	name = token_until(in, "()<>@,;:\\\"/[]?=");
	if (!name.n || name.n > CONTENT_WORD_MAX)
		return false;
	good = read_value(in, &one);
	if (one.p == room)
		return false;
	again = rd_of(wr_since(&one, room));
	value = rd_bytes16(&again);
	if (has_param(wr_since(w, all), name))
		return false;
	if ((size_t)(w->p - all) + 3 + name.n + value.n > CONTENT_FIELD_MAX)
		return false;
	wr_bytes8(w, name);
	wr_bytes16(w, value);
	return good;
}

/* All parameters, as bytes16; false when some were not of the form. */
static bool
read_params(struct rd *in, struct wr *w)
{
	uint8_t *start = begin(w, 2);
	const uint8_t *all = w->p, *before;
	bool good = next_semicolon(in);
	size_t n = 0;

	while (rd_left(in) && n < CONTENT_PARAMS_MAX) {
		before = w->p;
		good &= read_param(in, w, all);
		n += w->p != before;
		good &= next_semicolon(in);
	}
	good &= !rd_left(in);
	end16(w, start);
	return good;
}

/* ---- the fields ---- */

static const char type_ends[] = "()<>@,;:\\\"/[]?=";

/* "type/subtype" and no more; false, and nothing taken, when it is not so. */
static bool
read_type(struct rd *in, struct bytes *type, struct bytes *subtype)
{
	token_skip(in, NULL);
	*type = token_until(in, type_ends);
	token_skip(in, NULL);
	if (!token_char(in, '/'))
		return false;
	token_skip(in, NULL);
	*subtype = token_until(in, type_ends);
	return type->n && subtype->n && type->n <= CONTENT_WORD_MAX &&
	       subtype->n <= CONTENT_WORD_MAX;
}

/* The mask's octet is at `mask`; true when it has one reading. */
static bool
write_type(struct wr *w, uint8_t *mask, struct bytes value, bool in_digest)
{
	struct bytes type = BYTES("text"), subtype = BYTES("plain");
	struct rd in = rd_of(value);
	uint8_t *params;
	bool good = true;

	if (in_digest) {
		type = BYTES("message");
		subtype = BYTES("rfc822");
	}
	if (value.p && !read_type(&in, &type, &subtype)) {
		good = false;
		type = BYTES("text");
		subtype = BYTES("plain");
		rd_rest(&in);
	}
	wr_bytes8(w, type);
	wr_bytes8(w, subtype);
	params = w->p;
	good &= read_params(&in, w);
	if (w->p == params + 2)
		w->p = params;
	else
		*mask |= PARAMS;
	return good;
}

/* One word, and nothing behind it. */
static bool
write_word(struct wr *w, struct bytes value)
{
	struct rd in = rd_of(value);
	struct bytes word;

	token_skip(&in, NULL);
	word = token_until(&in, type_ends);
	if (word.n > CONTENT_WORD_MAX)
		word.n = CONTENT_WORD_MAX;
	wr_bytes8(w, word);
	token_skip(&in, NULL);
	return word.n && !rd_left(&in);
}

static bool
write_disposition(struct wr *w, struct bytes value)
{
	struct rd in = rd_of(value);
	struct bytes word;

	token_skip(&in, NULL);
	word = token_until(&in, type_ends);
	if (!word.n || word.n > CONTENT_WORD_MAX) /* RFC 2183 2.8: unknown is attachment */
		word = BYTES("attachment");
	wr_bytes8(w, word);
	return read_params(&in, w);
}

static void
write_languages(struct wr *w, struct bytes value)
{
	struct rd in = rd_of(value);
	uint8_t *start = begin(w, 1);
	struct bytes tag;

	while (rd_left(&in)) {
		token_skip(&in, NULL);
		tag = token_until(&in, ",;()\"");
		if (tag.n && tag.n <= CONTENT_WORD_MAX &&
		    (size_t)(w->p - start) + tag.n < LANGUAGES_MAX)
			wr_bytes8(w, tag);
		if (!tag.n && rd_left(&in))
			rd_u8(&in);
	}
	end8(w, start);
}

static void
write_string(struct wr *w, struct bytes value)
{
	uint8_t *start = begin(w, 2);

	token_unfold(w, value, CONTENT_STRING_MAX);
	end16(w, start);
}

struct content_seen
content_read(struct wr *w, struct bytes header, bool in_digest)
{
	struct found f = {0};
	struct content_seen seen;
	uint8_t *mask = wr_take(w, 1), *start;
	bool good;

	find_fields(&f, header);
	if (!mask)
		return (struct content_seen){0};
	*mask = 0;
	good = write_type(w, mask, f.value[TYPE], in_digest);
	if (f.value[ENCODED].p) {
		good &= write_word(w, f.value[ENCODED]);
		*mask |= ENCODING;
	}
	if (f.value[CID].p) {
		write_string(w, f.value[CID]);
		*mask |= ID;
	}
	if (f.value[DESCRIBED].p) {
		write_string(w, f.value[DESCRIBED]);
		*mask |= DESCRIPTION;
	}
	if (f.value[SUM].p) {
		start = begin(w, 1);
		token_unfold(w, f.value[SUM], MD5_MAX);
		end8(w, start);
		*mask |= MD5;
	}
	if (f.value[DISPOSED].p) {
		good &= write_disposition(w, f.value[DISPOSED]);
		*mask |= DISPOSITION;
	}
	if (f.value[LANGUAGE].p) {
		write_languages(w, f.value[LANGUAGE]);
		*mask |= LANGUAGES;
	}
	if (f.value[PLACE].p) {
		write_string(w, f.value[PLACE]);
		*mask |= LOCATION;
	}
	seen.ambiguous = !good || f.twice;
	seen.type = f.value[TYPE].p != NULL;
	seen.mime_version = f.value[MIME_VERSION].p != NULL;
	return seen;
}

bool
content_unpack(struct bytes packed, struct content *c)
{
	struct rd in = rd_of(packed);
	uint8_t mask = rd_u8(&in);

	memset(c, 0, sizeof(*c));
	c->type = rd_bytes8(&in);
	c->subtype = rd_bytes8(&in);
	if (mask & PARAMS)
		c->params = rd_bytes16(&in);
	if (mask & ENCODING)
		c->encoding = rd_bytes8(&in);
	if (mask & ID)
		c->id = rd_bytes16(&in);
	if (mask & DESCRIPTION)
		c->description = rd_bytes16(&in);
	if (mask & MD5)
		c->md5 = rd_bytes8(&in);
	if (mask & DISPOSITION) {
		c->disposition = rd_bytes8(&in);
		c->disposition_params = rd_bytes16(&in);
	}
	if (mask & LANGUAGES)
		c->languages = rd_bytes8(&in);
	if (mask & LOCATION)
		c->location = rd_bytes16(&in);
	if (in.bad || rd_left(&in) || !c->type.n || !c->subtype.n) {
		memset(c, 0, sizeof(*c));
		return false;
	}
	return true;
}

bool
content_param(struct bytes *params, struct bytes *name, struct bytes *value)
{
	struct rd in = rd_of(*params);

	if (!rd_left(&in))
		return false;
	*name = rd_bytes8(&in);
	*value = rd_bytes16(&in);
	if (in.bad) /* a damaged string ends here, too */
		return false;
	*params = rd_rest(&in);
	return true;
}

struct bytes
content_param_find(struct bytes params, const char *name)
{
	struct bytes other, value;

	while (content_param(&params, &other, &value))
		if (bytes_eq_nocase(other, bytes_of(name)))
			return value;
	return NO_BYTES;
}

bool
content_language(struct bytes *languages, struct bytes *tag)
{
	struct rd in = rd_of(*languages);

	if (!rd_left(&in))
		return false;
	*tag = rd_bytes8(&in);
	if (in.bad)
		return false;
	*languages = rd_rest(&in);
	return true;
}
