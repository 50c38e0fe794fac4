/* search_keys.c - one pass over the keys with a small stack, and what the row answers of them. */
#include "view/search_keys.h"

#include "mail/date.h"

#include <assert.h>

enum { DAY = 86400, NO_BIT = 255 };

static uint8_t
find_keyword(const struct search_mailbox *box, struct bytes name)
{
	for (size_t i = 0; i < box->keywords_n && i < KEYWORDS_MAX; i++)
		if (bytes_eq_nocase(box->keywords[i], name))
			return (uint8_t)i;
	return NO_BIT;
}

bool
search_key_is_text(enum imap_search_key key)
{
	return key == IMAP_HEADER || key == IMAP_BODY || key == IMAP_TEXT;
}

bool
search_key_is_sent(enum imap_search_key key)
{
	return key == IMAP_SENTBEFORE || key == IMAP_SENTON || key == IMAP_SENTSINCE;
}

bool
search_key_in_header(enum imap_search_key key)
{
	return key == IMAP_HEADER || key == IMAP_TEXT || search_key_is_sent(key);
}

bool
search_key_in_body(enum imap_search_key key)
{
	return key == IMAP_BODY || key == IMAP_TEXT;
}

static enum search_value
value_of(bool b)
{
	return b ? SEARCH_TRUE : SEARCH_FALSE;
}

enum search_value
search_keys_decide(const struct search_keys *s)
{
	uint8_t stack[IMAP_SEARCH_STACK];
	size_t n = 0;

	for (size_t i = 0; i < s->keys->n; i++) {
		enum imap_search_key key = s->keys->nodes[i].key;

		if (key == IMAP_NOT) {
			assert(n > 0);
			if (stack[n - 1] != SEARCH_UNKNOWN)
				stack[n - 1] = (uint8_t)value_of(stack[n - 1] == SEARCH_FALSE);
		} else if (key == IMAP_AND || key == IMAP_OR) {
			uint8_t strong = key == IMAP_AND ? SEARCH_FALSE : SEARCH_TRUE, a, b;

			assert(n > 1);
			a = stack[--n];
			b = stack[n - 1];
			if (a == strong || b == strong)
				stack[n - 1] = strong;
			else if (a == SEARCH_UNKNOWN || b == SEARCH_UNKNOWN)
				stack[n - 1] = SEARCH_UNKNOWN;
		} else {
			assert(n < COUNT(stack));
			stack[n++] = s->values[i];
		}
	}
	assert(n == 1);
	return (enum search_value)stack[0];
}

static enum search_value
compare_day(enum imap_search_key key, int64_t day, int64_t wanted)
{
	switch (key) {
	case IMAP_BEFORE:
	case IMAP_SENTBEFORE:
		return value_of(day < wanted);
	case IMAP_ON:
	case IMAP_SENTON:
		return value_of(day == wanted);
	default:
		return value_of(day >= wanted);
	}
}

/* What the row alone answers. */
static enum search_value
row_value(const struct search_keys *s, size_t i, const struct search_message *m)
{
	const struct imap_search_node *k = &s->keys->nodes[i];
	const struct message_row *row = m->row;

	switch (k->key) {
	case IMAP_ALL:
		return SEARCH_TRUE;
	case IMAP_FLAG:
		return value_of((row->flags & k->flag) != 0);
	case IMAP_KEYWORD:
		return value_of(s->bits[i] != NO_BIT && (row->keywords >> s->bits[i] & 1));
	case IMAP_RECENT:
		return value_of(m->recent);
	case IMAP_NUMBERS:
		return value_of(imap_set_has(&k->set, m->number));
	case IMAP_UIDS:
		return value_of(imap_set_has(&k->set, row->uid));
	case IMAP_BEFORE:
	case IMAP_ON:
	case IMAP_SINCE:
		return compare_day(k->key, (int64_t)(row->received_s / DAY), k->day);
	case IMAP_LARGER:
		return value_of(row->size > k->size);
	case IMAP_SMALLER:
		return value_of(row->size < k->size);
	case IMAP_BODY:
	case IMAP_TEXT:
		return k->text.n ? SEARCH_UNKNOWN : SEARCH_TRUE;
	case IMAP_SENTBEFORE:
	case IMAP_SENTON:
	case IMAP_SENTSINCE:
	case IMAP_HEADER:
	case IMAP_AND:
	case IMAP_OR:
	case IMAP_NOT:
		break;
	}
	return SEARCH_UNKNOWN;
}

void
search_keys_date(struct search_keys *s, struct bytes text)
{
	int64_t seconds = 0, local;
	int minutes = 0;
	bool good = is_ok(date_parse(text, &seconds, &minutes));

	local = seconds + (int64_t)minutes * 60;
	local = (local - ((local % DAY) + DAY) % DAY) / DAY;
	for (size_t i = 0; i < s->keys->n; i++) {
		const struct imap_search_node *k = &s->keys->nodes[i];

		if (search_key_is_sent(k->key))
			s->values[i] =
			    (uint8_t)(good ? compare_day(k->key, local, k->day) : SEARCH_FALSE);
	}
	s->date_seen = s->changed = true;
}

void
search_keys_settle(struct search_keys *s, bool (*which)(enum imap_search_key))
{
	for (size_t i = 0; i < s->keys->n; i++)
		if (s->values[i] == SEARCH_UNKNOWN && which(s->keys->nodes[i].key))
			s->values[i] = SEARCH_FALSE;
}

bool
search_key_is_any(enum imap_search_key key)
{
	return key != 0;
}

bool
search_key_in_header_only(enum imap_search_key key)
{
	return search_key_in_header(key) && !search_key_in_body(key);
}

bool
search_keys_any_unknown(const struct search_keys *s, bool (*which)(enum imap_search_key))
{
	for (size_t i = 0; i < s->keys->n; i++)
		if (s->values[i] == SEARCH_UNKNOWN && which(s->keys->nodes[i].key))
			return true;
	return false;
}

void
search_keys_begin(struct search_keys *s, const struct search_message *m)
{
	s->date_seen = false;
	for (size_t i = 0; i < s->keys->n; i++)
		s->values[i] = (uint8_t)row_value(s, i, m);
}

bool
search_keys_is_unknown(const struct search_keys *s, uint32_t node)
{
	return s->values[node] == SEARCH_UNKNOWN;
}

void
search_keys_found(struct search_keys *s, uint32_t node)
{
	s->values[node] = SEARCH_TRUE;
	s->changed = true;
}

struct err
search_keys_take(struct search_keys *s, uint32_t node, const struct search_mailbox *box)
{
	struct imap_search_node *k = &s->keys->nodes[node];

	s->any_header |= search_key_in_header(k->key);
	s->any_body |= search_key_in_body(k->key);
	if (k->key == IMAP_KEYWORD)
		s->bits[node] = find_keyword(box, k->text);
	if (k->key == IMAP_NUMBERS && !imap_set_resolve(&k->set, box->count, false))
		return ERR(ERR_RANGE, 0, "search: no such message");
	if (k->key == IMAP_UIDS)
		(void)imap_set_resolve(&k->set, box->last_uid, true);
	return OK;
}

bool
search_keys_make(struct search_keys *s, struct imap_search *keys, struct arena *arena)
{
	s->keys = keys;
	s->values = arena_alloc(arena, keys->n);
	s->bits = arena_alloc(arena, keys->n);
	return s->values && s->bits;
}
