/* talk.c - the table of words, searched; the codec of each word is made from talk.def. */
#include "talk/talk.h"

#include <assert.h>

enum { FLAG_ANSWER = 1 }; /* the head's other flags must be zero */

const struct talk_row *
talk_row(uint16_t number)
{
	for (size_t i = 0; i < talk_row_count; i++)
		if (talk_rows[i].number == number)
			return &talk_rows[i];
	return NULL;
}

bool
talk_allowed(const struct talk_row *row, enum role from, enum role to, enum talk_phase phase)
{
	if (!(row->phase & phase))
		return false;
	for (size_t i = 0; i < row->n_arrows; i++)
		if (row->arrows[i].from >> from & 1 && row->arrows[i].to >> to & 1)
			return true;
	return false;
}

const char *
role_name(enum role role)
{
	assert(role < ROLE_COUNT);
	return talk_role_names[role];
}

bool
role_by_name(struct bytes name, enum role *out)
{
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (bytes_eq(name, bytes_of(talk_role_names[i]))) {
			*out = (enum role)i;
			return true;
		}
	}
	return false;
}

void
talk_put_head(struct wr *w, const struct talk_head *head)
{
	wr_u16(w, TALK_VERSION);
	wr_u16(w, head->word);
	wr_u16(w, head->answer ? FLAG_ANSWER : 0);
	wr_u16(w, 0);
	wr_u32(w, head->seq);
}

bool
talk_get_head(struct rd *r, struct talk_head *head)
{
	uint16_t version = rd_u16(r), word = rd_u16(r), flags = rd_u16(r), reserved = rd_u16(r);
	uint32_t seq = rd_u32(r);

	*head = (struct talk_head){word, flags & FLAG_ANSWER, seq};
	return !r->bad && version == TALK_VERSION && !(flags & ~FLAG_ANSWER) && !reserved;
}
