/* play_imap_find.h - SEARCH over the mailbox in memory. */
#ifndef TESTS_PLAY_IMAP_FIND_H
#define TESTS_PLAY_IMAP_FIND_H

#include "play_imap_mailbox.h"

static inline bool
imap_play_leaf(const struct imap_play *t, struct imap_search_node *k, size_t i)
{
	struct imap_row row = imap_play_row(t, i);
	int64_t day = (int64_t)(row.received_s / 86400);

	switch (k->key) {
	case IMAP_ALL:
		return true;
	case IMAP_FLAG:
		return row.flags & k->flag;
	case IMAP_RECENT:
		return row.recent;
	case IMAP_KEYWORD:
		return bytes_eq_nocase(k->text, t->keywords[0]) && (row.keywords & 1);
	case IMAP_NUMBERS:
	case IMAP_UIDS:
		imap_play_resolve(t, &k->set, k->key == IMAP_UIDS);
		return imap_play_in(t, &k->set, k->key == IMAP_UIDS, i);
	case IMAP_BEFORE:
		return day < k->day;
	case IMAP_ON:
		return day == k->day;
	case IMAP_SINCE:
		return day >= k->day;
	case IMAP_LARGER:
		return row.size > k->size;
	case IMAP_SMALLER:
		return row.size < k->size;
	default:
		return k->text.n &&
		       memmem(t->m[i].text.p, t->m[i].text.n, k->text.p, k->text.n) != NULL;
	}
}

static inline bool
imap_play_matches(const struct imap_play *t, const struct imap_search *s, size_t i)
{
	bool stack[IMAP_SEARCH_STACK];
	size_t n = 0;

	for (size_t k = 0; k < s->n; k++) {
		enum imap_search_key key = s->nodes[k].key;

		if (key == IMAP_NOT) {
			stack[n - 1] = !stack[n - 1];
		} else if (key == IMAP_AND || key == IMAP_OR) {
			bool both = stack[n - 1] && stack[n - 2];

			stack[n - 2] = key == IMAP_AND ? both : stack[n - 1] || stack[n - 2];
			n--;
		} else {
			if (n == COUNT(stack))
				abort();
			stack[n++] = imap_play_leaf(t, &s->nodes[k], i);
		}
	}
	if (n != 1)
		abort();
	return stack[0];
}

static inline void
imap_play_find(struct imap_play *t, struct wr *out)
{
	struct imap_command *c = imap_command(t->p);

	for (; t->at < t->n; t->at++) {
		uint32_t hit = c->uid ? t->m[t->at].uid : (uint32_t)t->at + 1;

		if (imap_play_matches(t, &c->search, t->at) && !imap_hits(t->p, &hit, 1, out))
			return;
	}
	t->at = 0;
	imap_answer(t->p, IMAP_OK);
}

#endif
