/* verb.c - where a command line ends, and which command it is. */
#include "proto/verb.h"

/* What browsers and other programs open a connection with; each is a word or its beginning. */
static const char *const alien_words[] = {
    "GET",   "HEAD",  "POST", "PUT",      "DELETE", "CONNECT", "OPTIONS",
    "TRACE", "PATCH", "PRI",  "PROPFIND", "MKCOL",  "REPORT",
};

enum { TLS_HANDSHAKE = 0x16 }; /* the first octet of a TLS record with a hello */

static bool
ends_word(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '/';
}

bool
verb_is_alien(struct bytes start)
{
	struct bytes word;

	if (start.n && start.p[0] == TLS_HANDSHAKE)
		return true;
	if (bytes_begins_nocase(start, BYTES("SSH-")))
		return true;
	for (size_t i = 0; i < COUNT(alien_words); i++) {
		word = bytes_of(alien_words[i]);
		if (start.n > word.n && ends_word(start.p[word.n]) &&
		    bytes_begins_nocase(start, word))
			return true;
	}
	return false;
}

enum verb_line
verb_line(struct rd *in, size_t max, struct bytes *line)
{
	const uint8_t *p = in->p;
	size_t left = rd_left(in);

	if (left && verb_is_alien((struct bytes){p, left}))
		return VERB_ALIEN;
	for (size_t i = 0; i < left; i++) {
		if (i + 2 > max)
			return VERB_LONG;
		if (p[i] == '\0' || p[i] == '\n')
			return VERB_BARE;
		if (p[i] != '\r')
			continue;
		if (i + 1 == left)
			return VERB_MORE;
		if (p[i + 1] != '\n')
			return VERB_BARE;
		*line = (struct bytes){p, i};
		rd_take(in, i + 2);
		return VERB_LINE;
	}
	return VERB_MORE;
}

bool
verb_is_plain(struct bytes line)
{
	for (size_t i = 0; i < line.n; i++)
		if ((line.p[i] < ' ' && line.p[i] != '\t') || line.p[i] == 0x7f)
			return false;
	return true;
}

void
verb_cut(struct bytes line, struct bytes *word, struct bytes *args)
{
	size_t n = 0;

	while (n < line.n && line.p[n] != ' ' && line.p[n] != '\t')
		n++;
	*word = (struct bytes){line.p, n};
	n += n < line.n;
	*args = (struct bytes){line.p + n, line.n - n};
}

const struct verb *
verb_find(const struct verb *table, size_t n, struct bytes word)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_eq_nocase(word, bytes_of(table[i].name)))
			return &table[i];
	return NULL;
}
