/* log_render.c - events as lines, for people, the journal and programs. */
#include "base/addr.h"
#include "base/log.h"
#include "base/text.h"

#include <inttypes.h>

enum { TAIL = 16 }; /* room kept for what ends a line, also a cut one */

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const int priorities[] = {3, 4, 6, 7}; /* RFC 5424 6.2.1 */

/* The escaped form as a JSON string, to which only its backslashes are special (RFC 8259 7). */
static void
json_text(struct wr *w, struct bytes b)
{
	uint8_t four[TEXT_ESCAPED];

	for (size_t i = 0; i < b.n && !w->full; i++) {
		struct wr one = wr_of(four, sizeof(four));

		text_escape(&one, (struct bytes){b.p + i, 1});
		if (four[0] == '\\')
			wr_u8(w, '\\');
		wr_bytes(w, wr_since(&one, four));
	}
}

static void
quoted(struct wr *w, struct bytes b, bool json)
{
	if (b.n > LOG_TEXT_MAX)
		b.n = LOG_TEXT_MAX;
	wr_u8(w, '"');
	if (json)
		json_text(w, b);
	else
		text_escape(w, b);
	wr_u8(w, '"');
}

static void
name_of(struct wr *w, const char *name, bool json)
{
	wr_printf(w, json ? ",\"%s\":" : " %s=", name);
}

static void
err_of(struct wr *w, struct err e, bool json)
{
	const char *number = e.code == ERR_IO && e.sys ? strerrorname_np(e.sys) : NULL;

	quoted(w, bytes_of(err_text(e)), json);
	if (number) {
		name_of(w, "errno", json);
		wr_printf(w, json ? "\"%s\"" : "%s", number);
	} else if (e.sys) {
		name_of(w, "sys", json);
		wr_printf(w, "%" PRId32, e.sys);
	}
	if (e.why && *e.why) {
		name_of(w, "why", json);
		quoted(w, bytes_of(e.why), json);
	}
}

static void
field(struct wr *w, const struct kv *f, bool json)
{
	const char *quote = json ? "\"" : "";

	name_of(w, f->name, json);
	switch (f->type) {
	case KV_TEXT:
		quoted(w, f->v.text, json);
		break;
	case KV_WORD:
		wr_printf(w, "%s%s%s", quote, f->v.word, quote);
		break;
	case KV_U64:
		wr_printf(w, "%" PRIu64, f->v.u64);
		break;
	case KV_I64:
		wr_printf(w, "%" PRId64, f->v.i64);
		break;
	case KV_IP:
		wr_text(w, quote);
		addr_ip_text(w, f->v.ip);
		wr_text(w, quote);
		break;
	case KV_ERR:
		err_of(w, f->v.err, json);
		break;
	}
}

/* All fields that leave room for the tail, and a mark when that was not all of them. */
static void
fields_of(struct wr *w, const struct log_record *r, bool json)
{
	const struct kv *list[LOG_FIELDS_MAX];
	bool cut = r->cut;
	size_t n = log_fields(r, list, &cut);

	for (size_t i = 0; i < n; i++) {
		struct wr was = *w;

		field(w, list[i], json);
		if (wr_room(w) < TAIL) {
			*w = was;
			cut = true;
		}
	}
	if (cut)
		wr_text(w, json ? ",\"cut\":true" : " cut=on");
}

/* Through a copy, so that what is cut does not depend on the caller's room. */
static void
line_of(struct wr *out, const struct log_record *r, const struct log_stamp *stamp, bool journal)
{
	uint8_t line[LOG_LINE_MAX];
	struct wr w = wr_of(line, sizeof(line));

	if (journal) {
		wr_printf(&w, "<%d>", priorities[r->level]);
	} else {
		text_stamp(&w, stamp->wall_ns);
		wr_printf(&w, " %s ", level_names[r->level]);
	}
	wr_printf(&w, "%s.%" PRIu32 " %s", stamp->role, stamp->instance, r->name);
	fields_of(&w, r, false);
	wr_u8(&w, '\n');
	wr_bytes(out, wr_since(&w, line));
}

void
log_render_text(struct wr *w, const struct log_record *r, const struct log_stamp *stamp)
{
	line_of(w, r, stamp, false);
}

void
log_render_journal(struct wr *w, const struct log_record *r, const struct log_stamp *stamp)
{
	line_of(w, r, stamp, true);
}

void
log_render_json(struct wr *out, const struct log_record *r, const struct log_stamp *stamp)
{
	uint8_t line[LOG_LINE_MAX];
	struct wr w = wr_of(line, sizeof(line));

	wr_text(&w, "{\"time\":\"");
	text_stamp(&w, stamp->wall_ns);
	wr_printf(&w,
	          "\",\"level\":\"%s\",\"role\":\"%s\",\"instance\":%" PRIu32 ",\"pid\":%" PRIu32
	          ",\"event\":\"%s\"",
	          level_names[r->level], stamp->role, stamp->instance, stamp->pid, r->name);
	fields_of(&w, r, true);
	wr_text(&w, "}\n");
	wr_bytes(out, wr_since(&w, line));
}
