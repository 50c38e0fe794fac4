/*
 * ftp_glob.c - a pattern as a set of places in it, all of which are tried at once.
 *
 * Invariant: bit i of the state says that the first i octets of the pattern have taken all of the
 * name so far.
 */
#include "proto/ftp_glob.h"

bool
ftp_glob_is(struct bytes name)
{
	return name.n && (memchr(name.p, '*', name.n) || memchr(name.p, '?', name.n));
}

static bool
continues(uint8_t c)
{
	return (c & 0xc0) == 0x80; /* within a character of UTF-8 */
}

bool
ftp_glob_make(struct ftp_glob *g, struct bytes pattern)
{
	size_t n = 0;

	*g = (struct ftp_glob){.stars = 0};
	for (size_t i = 0; i < pattern.n; i++) {
		uint8_t c = pattern.p[i];
		uint64_t bit = (uint64_t)1 << n;

		if (c == '*' && i && pattern.p[i - 1] == '*')
			continue;
		if (n == FTP_GLOB_MAX)
			return false;
		if (c == '*')
			g->stars |= bit;
		else if (c == '?')
			g->marks |= bit << 1;
		else
			g->takes[c] |= bit;
		for (unsigned any = 0; c == '?' && any < COUNT(g->takes); any++)
			if (!continues((uint8_t)any))
				g->takes[any] |= bit;
		n++;
	}
	g->last = (uint64_t)1 << n;
	return true;
}

bool
ftp_glob_match(const struct ftp_glob *g, struct bytes name)
{
	uint64_t at = 1;

	at |= (at & g->stars) << 1;
	for (size_t i = 0; at && i < name.n; i++) {
		uint8_t c = name.p[i];
		uint64_t next = (at & g->takes[c]) << 1 | (at & g->stars);

		if (continues(c))
			next |= at & g->marks;
		at = next | (next & g->stars) << 1;
	}
	return (at & g->last) != 0;
}
