/*
 * log.h - what happened, as one line: a level, a stable dotted name that the manual lists, and
 * typed fields.
 *
 *	log_event(LOG_INFO, "smtp.reject", kv_ip("peer", a.ip), kv_text("rcpt", rcpt));
 *
 * Foreign bytes go in as kv_text() only, and are escaped when the event becomes a line; no event
 * ever becomes more than one (attack 159).  Never a secret.  Engines do not log, they return what
 * happened.
 *
 * The sink is the process's one global, set once at start, so that no function needs a logger as a
 * parameter; only roles, tools and drivers log.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/bytes.h"
#include "base/err.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum kv_type { KV_TEXT, KV_WORD, KV_U64, KV_I64, KV_IP, KV_ERR };

struct kv {
	const char *name; /* our literal: letters digits _ . - only; NULL ends a list */
	enum kv_type type;
	union {
		struct bytes text; /* foreign: escaped, cut behind LOG_TEXT_MAX */
		const char *word;  /* our literal: as a name, and / : @ + , too */
		uint64_t u64;
		int64_t i64;
		uint8_t ip[16];
		struct err err; /* its why is our literal */
	} v;
};

enum {
	LOG_NAME_MAX = 63,     /* of an event, a field, a word */
	LOG_TEXT_MAX = 512,    /* of one foreign text */
	LOG_FIELDS_MAX = 32,   /* of one event, inherited ones included */
	LOG_PACKED_MAX = 4096, /* of one packed event */
	LOG_LINE_MAX = 32768,  /* of one rendered event with its newline */
	LOG_SCOPES_MAX = 8,    /* of one chain */
};

/* Fields that all events of a role, a connection, a session share. */
struct log_scope {
	const struct log_scope *outer; /* NULL: the outermost */
	const struct kv *fields;
	size_t n;
};

struct log_record {
	enum log_level level;
	const char *name;
	const struct log_scope *scope;
	const struct kv *fields;
	size_t n;
	bool cut; /* not everything fitted */
};

/* All are borrowed for the call. */
typedef void log_sink(void *owner, const struct log_record *);
/* From now on events go to fn; NULL: as text to stderr, as it is before the first call. */
void log_to(log_sink *fn, void *owner);
/* Events beyond this level are dropped; LOG_INFO before the first call. */
void log_up_to(enum log_level);

#define KV_END                (kv_end())
#define LOG_FIRST(name, ...)  name
#define LOG_OTHERS(name, ...) ((const struct kv[]){__VA_ARGS__})
#define log_event_in(scope, level, ...)                                                            \
	log_write((scope), (level), LOG_FIRST(__VA_ARGS__, KV_END), LOG_OTHERS(__VA_ARGS__, KV_END))
#define log_event(level, ...) log_event_in(NULL, level, __VA_ARGS__)

/* What the macros call; fields end with KV_END. */
void log_write(const struct log_scope *, enum log_level, const char *name, const struct kv *fields);

struct kv kv_end(void);
struct kv kv_text(const char *name, struct bytes foreign);
struct kv kv_word(const char *name, const char *literal);
struct kv kv_u64(const char *name, uint64_t);
struct kv kv_i64(const char *name, int64_t);
struct kv kv_ip(const char *name, const uint8_t ip[16]); /* IPv4 as v4-mapped */
struct kv kv_err(struct err);                            /* named "err" */

/* All fields of an event, the inherited ones first; *cut becomes true when there are too many. */
size_t log_fields(const struct log_record *, const struct kv *out[LOG_FIELDS_MAX], bool *cut);

/*
 * One event as a word to the log role, at most LOG_PACKED_MAX bytes: fields that do not fit are
 * left out, and the event is marked as cut.  Nothing is written, and w is full, without that much
 * room.
 */
void log_pack(struct wr *, const struct log_record *);
/*
 * The other way, trusting nothing; false when it is not of the form.  out and fields point into
 * packed.
 */
bool log_unpack(struct bytes packed, struct log_record *out, struct kv fields[LOG_FIELDS_MAX]);

/* What the log role knows itself about the sender of an event. */
struct log_stamp {
	uint64_t wall_ns;
	const char *role; /* "smtp": our literal */
	uint32_t instance, pid;
};

/*
 * One line with its newline, for which LOG_LINE_MAX bytes of room are always enough (fields that
 * do not fit are left out, and the line says cut):
 *	2026-01-02T03:04:05.678Z info smtp.0 smtp.reject peer=192.0.2.1 rcpt="a\x0ab"
 * and the same without time, behind a priority that the systemd journal knows ("<6>smtp.0 ..."),
 * or as one JSON object whose strings hold the escaped form, so that one search finds both.
 */
void log_render_text(struct wr *, const struct log_record *, const struct log_stamp *);
void log_render_journal(struct wr *, const struct log_record *, const struct log_stamp *);
void log_render_json(struct wr *, const struct log_record *, const struct log_stamp *);

#endif
