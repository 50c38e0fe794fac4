/* play_imap_changes.h - COPY, MOVE, EXPUNGE, and what the client is told of them. */
#ifndef TESTS_PLAY_IMAP_CHANGES_H
#define TESTS_PLAY_IMAP_CHANGES_H

#include "play_imap_mailbox.h"

static inline void
imap_play_take(struct imap_play *t)
{
	struct imap_command *c = imap_command(t->p);
	struct imap_copied copied = {.uidvalidity = 7, .from = t->from, .to = t->to};

	if (bytes_eq(c->mailbox, BYTES("nowhere"))) {
		imap_answer(t->p, IMAP_ABSENT);
		return;
	}
	if (!imap_play_resolve(t, &c->set, c->uid)) {
		imap_answer(t->p, IMAP_NUMBER);
		return;
	}
	for (size_t i = 0; i < t->n; i++) {
		uint32_t uid = t->m[i].uid, to = 100 + (uint32_t)copied.from_n;

		if (!imap_play_in(t, &c->set, c->uid, i))
			continue;
		t->from[copied.from_n++] = (struct imap_range){uid, uid};
		t->m[i].gone |= c->verb == IMAP_DO_MOVE;
		t->to[0] = (struct imap_range){100, to};
		copied.to_n = 1;
	}
	imap_copied(t->p, &copied);
}

static inline void
imap_play_remove(struct imap_play *t)
{
	struct imap_command *c = imap_command(t->p);

	if (c->uid)
		imap_play_resolve(t, &c->set, true);
	for (size_t i = 0; i < t->n; i++)
		if ((t->m[i].flags & IMAP_DELETED) &&
		    (!c->uid || imap_play_in(t, &c->set, true, i)))
			t->m[i].gone = true;
	imap_answer(t->p, IMAP_OK);
}

static inline void
imap_play_sync(struct imap_play *t, struct wr *out)
{
	struct imap_update u = {.what = IMAP_NEWS_EXPUNGE};

	for (size_t i = t->n; i-- > 0 && imap_may_expunge(t->p);) {
		u.number = (uint32_t)i + 1;
		if (!t->m[i].gone)
			continue;
		if (!imap_update(t->p, &u, out))
			return;
		memmove(&t->m[i], &t->m[i + 1], (t->n - i - 1) * sizeof(t->m[0]));
		t->n--;
		t->told--;
	}
	u = (struct imap_update){.what = IMAP_NEWS_EXISTS, .number = (uint32_t)t->n, .recent = 1};
	if (t->told != t->n && !imap_update(t->p, &u, out))
		return;
	t->told = t->n;
	imap_answer(t->p, IMAP_OK);
}

#endif
