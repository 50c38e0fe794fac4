/*
 * log.c - events on their way: to the sink, and packed for the log role.
 *
 * Packed: level u8, flags u8, name, then fields up to the end; a field is type u8, name, value.
 * Names and words are a length of 8 bits, the characters and a NUL, so that unpacking needs no
 * copies; texts have a length of 16 bits.
 */
#include "base/log.h"

#include "base/clock.h"

#include <assert.h>
#include <poll.h>
#include <unistd.h>

enum { CUT = 1, WHY_MAX = 255 };

/* The one permitted global: see log.h. */
static struct {
	log_sink *fn;
	void *owner;
	enum log_level most;
} sink = {NULL, NULL, LOG_INFO};

static bool
is_one_of(const char *s, size_t n, const char *others)
{
	for (size_t i = 0; i < n; i++)
		if (!(s[i] >= '0' && s[i] <= '9') && !(s[i] >= 'a' && s[i] <= 'z') &&
		    !(s[i] >= 'A' && s[i] <= 'Z') && (!s[i] || !strchr(others, s[i])))
			return false;
	return n > 0;
}

static bool
is_name(const char *s, size_t n)
{
	return n <= LOG_NAME_MAX && is_one_of(s, n, "_.-");
}

static bool
is_word(const char *s, size_t n)
{
	return n <= LOG_NAME_MAX && is_one_of(s, n, "_.-/:@+,");
}

static bool
is_why(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return n <= WHY_MAX;
}

static void
pack_string(struct wr *w, const char *s, size_t most)
{
	size_t n = strlen(s);

	if (n > most)
		n = most;
	wr_bytes8(w, (struct bytes){(const uint8_t *)s, n});
	wr_u8(w, 0);
}

/* A string with its NUL; NULL, and r bad, when it is not of that form. */
static const char *
unpack_string(struct rd *r, bool (*is_good)(const char *, size_t))
{
	struct bytes b = rd_bytes8(r);
	const char *s = (const char *)b.p;

	if (rd_u8(r) != 0 || r->bad || !is_good(s, b.n))
		r->bad = true;
	return r->bad ? NULL : s;
}

/* True when the whole field fitted; else w is as it was. */
static bool
pack_field(struct wr *w, const struct kv *f)
{
	struct wr was = *w;
	struct bytes text = f->v.text;

	wr_u8(w, (uint8_t)f->type);
	pack_string(w, f->name, LOG_NAME_MAX);
	switch (f->type) {
	case KV_TEXT:
		if (text.n > LOG_TEXT_MAX)
			text.n = LOG_TEXT_MAX;
		wr_bytes16(w, text);
		break;
	case KV_WORD:
		pack_string(w, f->v.word, LOG_NAME_MAX);
		break;
	case KV_U64:
	case KV_I64:
		wr_u64(w, f->v.u64);
		break;
	case KV_IP:
		wr_bytes(w, (struct bytes){f->v.ip, sizeof(f->v.ip)});
		break;
	case KV_ERR:
		wr_u32(w, (uint32_t)f->v.err.code);
		wr_u32(w, (uint32_t)f->v.err.sys);
		pack_string(w, f->v.err.why ? f->v.err.why : "", WHY_MAX);
		break;
	}
	if (!w->full)
		return !(f->type == KV_TEXT && f->v.text.n > LOG_TEXT_MAX);
	*w = was;
	return false;
}

static void
unpack_field(struct rd *r, struct kv *f)
{
	uint8_t type = rd_u8(r);

	f->name = unpack_string(r, is_name);
	f->type = (enum kv_type)type;
	switch (type) {
	case KV_TEXT:
		f->v.text = rd_bytes16(r);
		r->bad |= f->v.text.n > LOG_TEXT_MAX;
		break;
	case KV_WORD:
		f->v.word = unpack_string(r, is_word);
		break;
	case KV_U64:
	case KV_I64:
		f->v.u64 = rd_u64(r);
		break;
	case KV_IP: {
		struct bytes ip = rd_take(r, sizeof(f->v.ip));

		if (ip.n)
			memcpy(f->v.ip, ip.p, ip.n);
		break;
	}
	case KV_ERR:
		f->v.err.code = (int32_t)rd_u32(r);
		f->v.err.sys = (int32_t)rd_u32(r);
		f->v.err.why = unpack_string(r, is_why);
		r->bad |= f->v.err.code < ERR_LIBRARY || f->v.err.code > ERR_LATER;
		break;
	default:
		r->bad = true;
	}
}

static void
to_stderr(const struct log_record *record)
{
	struct log_stamp stamp = {clock_wall_ns(), "stead", 0, (uint32_t)getpid()};
	uint8_t line[LOG_LINE_MAX];
	struct wr w = wr_of(line, sizeof(line));
	struct pollfd there = {.fd = STDERR_FILENO, .events = POLLOUT};
	struct bytes b;

	/* A reader that has stopped must not stop us: the line is lost instead (attack 162). */
	if (poll(&there, 1, 0) != 1 || !(there.revents & POLLOUT))
		return;
	log_render_text(&w, record, &stamp);
	b = wr_since(&w, line);
	/* One write, so that processes do not mix their lines. */
	if (write(STDERR_FILENO, b.p, b.n) < 0)
		return; /* nobody is left to tell */
}

void
log_to(log_sink *fn, void *owner)
{
	sink.fn = fn;
	sink.owner = owner;
}

void
log_up_to(enum log_level most)
{
	sink.most = most;
}

void
log_write(const struct log_scope *scope, enum log_level level, const char *name,
          const struct kv *fields)
{
	struct log_record r = {level, name, scope, fields, 0, false};

	assert(is_name(name, strlen(name)));
	if (level > sink.most)
		return;
	for (; fields[r.n].name; r.n++)
		assert(is_name(fields[r.n].name, strlen(fields[r.n].name)));
	if (sink.fn)
		sink.fn(sink.owner, &r);
	else
		to_stderr(&r);
}

struct kv
kv_end(void)
{
	return (struct kv){.name = NULL};
}

struct kv
kv_text(const char *name, struct bytes foreign)
{
	return (struct kv){.name = name, .type = KV_TEXT, .v.text = foreign};
}

struct kv
kv_word(const char *name, const char *literal)
{
	if (!is_word(literal, strlen(literal))) /* then it is safe as a text only */
		return kv_text(name, bytes_of(literal));
	return (struct kv){.name = name, .type = KV_WORD, .v.word = literal};
}

struct kv
kv_u64(const char *name, uint64_t v)
{
	return (struct kv){.name = name, .type = KV_U64, .v.u64 = v};
}

struct kv
kv_i64(const char *name, int64_t v)
{
	return (struct kv){.name = name, .type = KV_I64, .v.i64 = v};
}

struct kv
kv_ip(const char *name, const uint8_t ip[16])
{
	struct kv f = {.name = name, .type = KV_IP};

	memcpy(f.v.ip, ip, sizeof(f.v.ip));
	return f;
}

struct kv
kv_err(struct err e)
{
	return (struct kv){.name = "err", .type = KV_ERR, .v.err = e};
}

size_t
log_fields(const struct log_record *r, const struct kv *out[LOG_FIELDS_MAX], bool *cut)
{
	const struct log_scope own = {r->scope, r->fields, r->n}, *chain[LOG_SCOPES_MAX + 1];
	size_t depth = 0, n = 0;

	for (const struct log_scope *s = &own; s; s = s->outer) {
		if (depth == COUNT(chain)) {
			*cut = true;
			break;
		}
		chain[depth++] = s;
	}
	while (depth--)
		for (size_t i = 0; i < chain[depth]->n; i++) {
			if (n == LOG_FIELDS_MAX) {
				*cut = true;
				return n;
			}
			out[n++] = &chain[depth]->fields[i];
		}
	return n;
}

void
log_pack(struct wr *out, const struct log_record *r)
{
	uint8_t room[LOG_PACKED_MAX];
	struct wr w = wr_of(room, sizeof(room));
	const struct kv *fields[LOG_FIELDS_MAX];
	bool cut = r->cut;
	size_t n = log_fields(r, fields, &cut);

	wr_u8(&w, (uint8_t)r->level);
	wr_u8(&w, 0);
	pack_string(&w, r->name, LOG_NAME_MAX);
	for (size_t i = 0; i < n; i++)
		if (!pack_field(&w, fields[i]))
			cut = true;
	room[1] = cut ? CUT : 0;
	wr_bytes(out, wr_since(&w, room));
}

bool
log_unpack(struct bytes packed, struct log_record *out, struct kv fields[LOG_FIELDS_MAX])
{
	struct rd r = rd_of(packed);
	uint8_t level = rd_u8(&r), flags = rd_u8(&r);

	*out = (struct log_record){(enum log_level)level, NULL, NULL, fields, 0, flags & CUT};
	if (packed.n > LOG_PACKED_MAX || level > LOG_DEBUG || flags & ~CUT)
		return false;
	out->name = unpack_string(&r, is_name);
	while (rd_left(&r)) {
		if (out->n == LOG_FIELDS_MAX)
			return false;
		unpack_field(&r, &fields[out->n++]);
	}
	return !r.bad;
}
