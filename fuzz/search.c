/*
 * search.c - the first line is what SEARCH looks for, the rest a message: the answer is the same
 * wherever the message is cut, and whether its row tells much or nothing of it.
 */
#include "view/search.h"

#include "mail/summary.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum search_want
run(struct search *s, struct bytes text, struct bytes summary, size_t cut)
{
	struct message_row row = {.uid = 7, .flags = FLAG_SEEN, .size = text.n, .summary = summary};
	struct search_message m = {1, false, &row};
	enum search_want want = search_begin(s, &m);
	uint64_t offset, size;
	size_t left;
	struct rd in;

	while (want == SEARCH_READ) {
		search_place(s, &offset, &size);
		assert(size && offset < text.n && size <= text.n - offset);
		size = size < cut ? size : cut;
		in = rd_of((struct bytes){text.p + offset, (size_t)size});
		left = rd_left(&in);
		want = search_feed(s, &in);
		assert(rd_left(&in) < left || want != SEARCH_READ);
	}
	return want;
}

static void
check(struct search *s, struct bytes text, size_t cut)
{
	uint8_t room[SUMMARY_PACKED_MAX];
	struct wr w = wr_of(room, sizeof(room));
	struct summary_scan scan;
	struct summary row;
	enum search_want want;

	summary_init(&scan);
	summary_feed(&scan, text);
	row = summary_done(&scan);
	summary_write(&w, &row);
	want = run(s, text, wr_since(&w, room), text.n + 1);
	assert(want == run(s, text, wr_since(&w, room), cut));
	row.envelope = row.structure = NO_BYTES;
	w = wr_of(room, sizeof(room));
	summary_write(&w, &row);
	assert(want == run(s, text, wr_since(&w, room), cut));
	assert(want == run(s, text, NO_BYTES, cut));
	assert(want == run(s, text, BYTES("\002damaged"), cut));
	summary_fini(&scan);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct search_mailbox box = {2, 9, NULL, 0};
	struct arena arena = arena_init(1 << 20);
	struct rd in = rd_of((struct bytes){data, n}), line_in;
	struct imap_search keys;
	struct search *s = NULL;
	struct bytes line;

	if (!rd_line(&in, &line))
		return 0;
	line_in = rd_of(line);
	if (is_ok(imap_search_read(&keys, &line_in, &arena)) && is_ok(search_open(&s, &keys, &box)))
		check(s, rd_rest(&in), data[n - 1] % 32 + 1u);
	search_close(s);
	arena_free(&arena);
	return 0;
}
