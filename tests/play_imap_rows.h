/* play_imap_rows.h - FETCH and STORE over the mailbox in memory. */
#ifndef TESTS_PLAY_IMAP_ROWS_H
#define TESTS_PLAY_IMAP_ROWS_H

#include "play_imap_mailbox.h"

static inline void
imap_play_store(struct imap_play *t, struct imap_command *c, struct imap_play_message *m)
{
	uint64_t bits = 0;
	uint32_t flags = m->flags;

	for (size_t i = 0; i < c->flags.n; i++)
		for (size_t k = 0; k < COUNT(t->keywords); k++)
			if (bytes_eq_nocase(c->flags.keywords[i], t->keywords[k]))
				bits |= 1u << k;
	if (c->verb == IMAP_DO_FETCH)
		m->flags |= c->fetch.sets_seen ? IMAP_SEEN : 0;
	else if (c->how == IMAP_STORE_ADD)
		m->flags |= c->flags.flags, m->keywords |= bits;
	else if (c->how == IMAP_STORE_REMOVE)
		m->flags &= ~c->flags.flags, m->keywords &= ~bits;
	else
		m->flags = c->flags.flags, m->keywords = bits;
	m->news = c->verb == IMAP_DO_FETCH && flags != m->flags;
}

static inline enum imap_answer
imap_play_begin_rows(struct imap_play *t)
{
	struct imap_command *c = imap_command(t->p);

	if (!imap_play_resolve(t, &c->set, c->uid))
		return IMAP_NUMBER;
	for (size_t i = 0; i < t->n; i++)
		if (imap_play_in(t, &c->set, c->uid, i))
			imap_play_store(t, c, &t->m[i]);
	t->at = 0;
	return IMAP_OK;
}

static inline void
imap_play_next_row(struct imap_play *t)
{
	struct imap_command *c = imap_command(t->p);
	struct imap_row row;

	while (t->at < t->n && !imap_play_in(t, &c->set, c->uid, t->at))
		t->at++;
	if (t->at == t->n) {
		t->at = 0;
		imap_answer(t->p, IMAP_OK);
		return;
	}
	row = imap_play_row(t, t->at++);
	imap_row(t->p, &row);
}

static inline void
imap_play_octets(struct imap_play *t, struct wr *out)
{
	struct bytes all = t->m[t->at - 1].text;
	uint64_t at = imap_offset(t->p), missing = imap_missing(t->p);
	size_t n = missing < t->piece ? (size_t)missing : t->piece;

	if (imap_uid(t->p) != t->m[t->at - 1].uid || at + missing > all.n || !missing)
		abort();
	imap_octets(t->p, (struct bytes){all.p + at, n}, out);
}

static inline void
imap_play_part(struct imap_play *t)
{
	size_t n;
	const uint32_t *path = imap_path(t->p, &n);
	uint32_t one = n == 1 ? path[0] : n == 2 ? path[0] * 10 + path[1] : 0;

	for (size_t i = 0; i < t->parts_n; i++)
		if (one && t->parts[i].path == one) {
			imap_part(t->p, &t->parts[i].part);
			return;
		}
	imap_part(t->p, NULL);
}

#endif
