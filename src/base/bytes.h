/*
 * bytes.h - the door for every byte that comes from outside: rd reads, wr writes, neither leaves
 * its bounds.
 *
 * A parser takes a struct rd, reads all its fields and looks at `bad` once: after the first read
 * past the end, `bad` sticks and reads give zeros.  A writer looks at `full` once: after the first
 * write that does not fit, nothing more is written.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Borrowed from what it was cut from. */
struct bytes {
	const uint8_t *p;
	size_t n;
};

/* A literal as bytes, without its NUL. */
#define BYTES(s) ((struct bytes){(const uint8_t *)("" s), sizeof(s) - 1})
#define NO_BYTES ((struct bytes){NULL, 0})

static inline struct bytes
bytes_of(const char *s)
{
	return (struct bytes){(const uint8_t *)s, strlen(s)};
}

static inline bool
bytes_eq(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* memcmp order; a prefix sorts before what it begins. */
static inline int
bytes_cmp(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* Without regard to the case of ASCII letters. */
bool bytes_eq_nocase(struct bytes, struct bytes);
bool bytes_begins_nocase(struct bytes, struct bytes prefix);
static inline uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* ---- reading ---- */

struct rd {
	const uint8_t *p, *end;
	bool bad; /* sticks; reads then give zeros */
};

static inline struct rd
rd_of(struct bytes b)
{
	return (struct rd){b.p, b.n ? b.p + b.n : b.p, false}; /* NO_BYTES has no p to add to */
}

static inline size_t
rd_left(const struct rd *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

static inline struct bytes
rd_take(struct rd *r, size_t n)
{
	struct bytes b = {r->p, n};

	if (r->bad || n > (size_t)(r->end - r->p)) {
		r->bad = true;
		return NO_BYTES;
	}
	if (n)
		r->p += n;
	return b;
}

static inline struct bytes
rd_rest(struct rd *r)
{
	return rd_take(r, rd_left(r));
}

static inline uint8_t
rd_u8(struct rd *r)
{
	struct bytes b = rd_take(r, 1);

	return b.n ? b.p[0] : 0;
}

/* Network byte order, as everything on a wire or on disk here. */
static inline uint16_t
rd_u16(struct rd *r)
{
	struct bytes b = rd_take(r, 2);

	if (!b.n)
		return 0;
	return (uint16_t)(b.p[0] << 8 | b.p[1]);
}

static inline uint32_t
rd_u32(struct rd *r)
{
	struct bytes b = rd_take(r, 4);

	return b.n ? (uint32_t)b.p[0] << 24 | (uint32_t)b.p[1] << 16 | (uint32_t)b.p[2] << 8 |
	                 b.p[3]
	           : 0;
}

static inline uint64_t
rd_u64(struct rd *r)
{
	uint64_t high = rd_u32(r);

	return high << 32 | rd_u32(r);
}

/* Bytes behind a length of 8 or 16 bits. */
static inline struct bytes
rd_bytes8(struct rd *r)
{
	return rd_take(r, rd_u8(r));
}

static inline struct bytes
rd_bytes16(struct rd *r)
{
	return rd_take(r, rd_u16(r));
}

/*
 * Takes the next line that ends in CRLF, and gives it without the CRLF.  Only CRLF ends a line: a
 * bare CR or LF stays inside the line for the caller to refuse (RFC 5321 2.3.8, attacks 36, 37).
 * False, and nothing taken, when no whole line is there yet.
 */
bool rd_line(struct rd *, struct bytes *line);

/* ---- writing ---- */

struct wr {
	uint8_t *p, *end;
	bool full; /* sticks; nothing more is written */
};

static inline struct wr
wr_of(void *room, size_t n)
{
	uint8_t *p = room;

	return (struct wr){p, n ? p + n : p, false};
}

static inline size_t
wr_room(const struct wr *w)
{
	return w->full ? 0 : (size_t)(w->end - w->p);
}

/* n bytes to be filled by the caller at once; NULL (and full) when they do not fit. */
static inline uint8_t *
wr_take(struct wr *w, size_t n)
{
	uint8_t *p = w->p;

	if (w->full || n > (size_t)(w->end - w->p)) {
		w->full = true;
		return NULL;
	}
	w->p += n;
	return p;
}

static inline void
wr_bytes(struct wr *w, struct bytes b)
{
	uint8_t *p = wr_take(w, b.n);

	if (p && b.n)
		memcpy(p, b.p, b.n);
}

static inline void
wr_text(struct wr *w, const char *s)
{
	wr_bytes(w, bytes_of(s));
}

static inline void
wr_u8(struct wr *w, uint8_t v)
{
	uint8_t *p = wr_take(w, 1);

	if (p)
		*p = v;
}

static inline void
wr_u16(struct wr *w, uint16_t v)
{
	uint8_t *p = wr_take(w, 2);

	if (p) {
		p[0] = (uint8_t)(v >> 8);
		p[1] = (uint8_t)v;
	}
}

static inline void
wr_u32(struct wr *w, uint32_t v)
{
	uint8_t *p = wr_take(w, 4);

	for (int i = 0; p && i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static inline void
wr_u64(struct wr *w, uint64_t v)
{
	uint8_t *p = wr_take(w, 8);

	for (int i = 0; p && i < 8; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
}

/* Bytes behind a length of 8 or 16 bits; full when the length does not fit. */
void wr_bytes8(struct wr *, struct bytes);
void wr_bytes16(struct wr *, struct bytes);

/* As printf; a text that does not fit is not written at all. */
__attribute__((format(printf, 2, 3))) void wr_printf(struct wr *, const char *fmt, ...);

/* What was written since `start`. */
static inline struct bytes
wr_since(const struct wr *w, const uint8_t *start)
{
	return (struct bytes){start, (size_t)(w->p - start)};
}

#endif
