/*
 * rows.c - rows and summaries lie apart, so that a walk over flags need not pass the summaries;
 * where both are wanted they are joined by UID.
 */
#include "box/rows.h"

static struct err
read_kind(struct mailboxes *m, uint64_t account, char kind, uint32_t mailbox,
          struct uid_range range, size_t limit, struct store_page *page, struct arena *arena)
{
	uint8_t from[RECORD_KEY_MAX], to[RECORD_KEY_MAX];
	bool last = range.last == UINT32_MAX;

	return store_range(m->store, shard_number(SHARD_ACCOUNT, account), STORE_ANY,
	                   record_message_key(from, kind, mailbox, range.first),
	                   record_message_key(to, kind, mailbox + last, last ? 0 : range.last + 1),
	                   limit, page, arena);
}

/* A summary that is not there (its message was removed meanwhile) leaves an empty one. */
static struct err
join(struct rows_page *p, const struct store_page *summaries)
{
	size_t at = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct rows_entry *x = &p->entries[i];
		uint32_t mailbox, uid = 0;
		struct err e;

		while (at < summaries->n &&
		       record_message_of(summaries->entries[at].key, &mailbox, &uid) &&
		       uid < x->r.row.uid)
			at++;
		if (at == summaries->n || uid != x->r.row.uid || x->r.is_old)
			continue;
		x->summary = summaries->entries[at++].value;
		e = record_summary_read(x->summary, &x->r.row.summary);
		if (!is_ok(e))
			return e;
	}
	return OK;
}

struct err
rows_read(struct mailboxes *m, uint64_t account, uint32_t mailbox, struct uid_range range,
          size_t limit, bool summaries, struct rows_page *out, struct arena *arena)
{
	struct store_page page, texts;
	struct err e = read_kind(m, account, 'm', mailbox, range, limit, &page, arena);

	*out = (struct rows_page){.n = 0};
	if (!is_ok(e))
		return e;
	out->entries = arena_alloc(arena, (page.n + 1) * sizeof(*out->entries));
	if (!out->entries)
		return ERR(ERR_MEMORY, 0, "rows");
	for (size_t i = 0; is_ok(e) && i < page.n; i++) {
		e = record_row_read(page.entries[i].key, page.entries[i].value, &out->entries[i].r);
		out->entries[i].blob = page.entries[i].blob;
	}
	out->n = page.n;
	out->more = page.more;
	if (!is_ok(e) || !summaries || !page.n)
		return e;
	range = (struct uid_range){out->entries[0].r.row.uid, out->entries[page.n - 1].r.row.uid};
	e = read_kind(m, account, 's', mailbox, range, page.n, &texts, arena);
	return is_ok(e) ? join(out, &texts) : e;
}
