/* imap_folders.c - LIST, LSUB, STATUS from box's list of mailboxes, and what changes it. */
#include "proto/imap_name.h"
#include "serve/imap_front.h"

#include <stdlib.h>

enum {
	LIST_MAX = 4 << 20,  /* octets of all rows: 10,000 mailboxes have fewer */
	LIST_WORK = 1 << 20, /* octets of names times those of the pattern, for one turn */
};

/* All mailboxes of the account, in the order of LIST once they are whole. */
struct imap_folder_list {
	struct buf rows; /* packed, as they came; the names below lie in it */
	struct folder_row *list;
	size_t n, at;
	uint32_t after; /* the number of the last */
	bool whole;
};

void
imap_front_folders_free(struct imap_folder_list *l)
{
	if (!l)
		return;
	buf_free(&l->rows);
	free(l->list);
	free(l);
}

static int
by_name(const void *a, const void *b)
{
	return imap_name_order(((const struct folder_row *)a)->name,
	                       ((const struct folder_row *)b)->name);
}

static bool
list_make(struct imap_folder_list *l)
{
	struct rd r = rd_of(buf_bytes(&l->rows));
	struct folder_row row;
	size_t n = 0;

	while (folder_row_get(&r, &row))
		n++;
	if (r.bad)
		return false;
	l->list = calloc(n + 1, sizeof(*l->list));
	if (!l->list)
		return false;
	for (r = rd_of(buf_bytes(&l->rows)); folder_row_get(&r, &row);)
		l->list[l->n++] = row;
	qsort(l->list, l->n, sizeof(*l->list), by_name);
	l->whole = true;
	return true;
}

/* Takes over a page; false: it cannot be gone on. */
static bool
page(struct imap_folder_list *l, const struct talk_box_folders_answer *answer)
{
	struct rd r = rd_of(answer->rows);
	struct folder_row row;

	if (answer->code || !buf_add(&l->rows, answer->rows))
		return false;
	while (folder_row_get(&r, &row))
		l->after = row.number;
	return !r.bad && (!answer->more || answer->rows.n);
}

static void rows_came(void *owner, struct err e, struct chan_word *w);

static bool
ask_rows(struct imap_front *f)
{
	const struct talk_box_folders word = {.handle = f->login.handle,
	                                      .after = f->work->folders->after};

	return imap_front_ask(f, talk_box_folders_out(&word), -1, rows_came);
}

static void
rows_came(void *owner, struct err e, struct chan_word *w)
{
	struct imap_front *f = owner;
	struct talk_box_folders_answer answer;

	if (!is_ok(e) || !talk_box_folders_answer_get(&w->body, &answer) ||
	    !page(f->work->folders, &answer)) {
		imap_front_answer(f, IMAP_TEMP);
	} else if (answer.more) {
		if (!ask_rows(f))
			imap_front_turn(f);
	} else if (!list_make(f->work->folders)) {
		imap_front_answer(f, IMAP_TEMP);
	} else {
		imap_front_turn(f); /* the machine asks again, and finds them here */
	}
}

/* The list, once it is whole; NULL: it is asked for, or cannot be had (*on tells). */
static struct imap_folder_list *
whole_list(struct imap_front *f, bool *on)
{
	struct imap_work *w = imap_front_work(f);

	*on = true;
	if (!w)
		return NULL;
	if (w->folders && w->folders->whole)
		return w->folders;
	imap_front_folders_free(w->folders);
	w->folders = calloc(1, sizeof(*w->folders));
	if (!w->folders) {
		imap_answer(f->imap, IMAP_TEMP);
		return NULL;
	}
	w->folders->rows = buf_init(LIST_MAX);
	*on = !ask_rows(f);
	return NULL;
}

static bool
has_children(const struct imap_folder_list *l, size_t i)
{
	return i + 1 < l->n && imap_name_beneath(l->list[i + 1].name, l->list[i].name);
}

bool
imap_front_folders(struct imap_front *f)
{
	bool on, went = true;
	struct imap_folder_list *l = whole_list(f, &on);
	size_t pattern = imap_command(f->imap)->pattern.n + 1, work = 0;
	struct wr out;
	uint8_t *start;

	if (!l)
		return on;
	out = conn_room(f->front.conn, IMAP_REPLY_MAX);
	start = out.p;
	if (out.full)
		return false;
	for (; went && l->at < l->n && work < LIST_WORK; work += pattern * FOLDER_NAME_MAX) {
		struct imap_folder row = {
		    .name = l->list[l->at].name,
		    .flags = l->list[l->at].flags |
		             (has_children(l, l->at) ? (uint32_t)IMAP_FOLDER_CHILDREN : 0),
		};

		went = imap_folder(f->imap, &row, &out);
		l->at += went;
	}
	conn_wrote(f->front.conn, wr_since(&out, start).n);
	if (went && l->at < l->n) {
		imap_front_later(f);
		return false;
	}
	if (went)
		imap_answer(f->imap, IMAP_OK);
	return true;
}

bool
imap_front_folder_status(struct imap_front *f)
{
	struct bytes name = imap_command(f->imap)->mailbox;
	bool on;
	struct imap_folder_list *l = whole_list(f, &on);
	const struct folder_row *row = NULL;

	if (!l)
		return on;
	for (size_t i = 0; i < l->n; i++)
		if (bytes_eq(l->list[i].name, name) && (l->list[i].flags & FOLDER_EXISTS))
			row = &l->list[i];
	if (!row) {
		imap_answer(f->imap, IMAP_ABSENT);
		return true;
	}
	/* what is recent came last: UIDs from row->recent on, as many as there are at most */
	imap_status(f->imap, &(struct imap_status){
				 .messages = row->count,
				 .recent = row->uidnext - row->recent < row->count
	                                       ? row->uidnext - row->recent
	                                       : row->count,
				 .uidnext = row->uidnext,
				 .uidvalidity = row->uidvalidity,
				 .unseen = row->unseen,
			     });
	return true;
}

static void
changed(void *owner, struct err e, struct chan_word *w)
{
	struct imap_front *f = owner;
	struct talk_box_folder_answer answer = {.code = ERR_LATER};

	if (is_ok(e) && !talk_box_folder_answer_get(&w->body, &answer))
		answer.code = ERR_LATER;
	imap_front_answer(f, imap_front_code(answer.code));
}

bool
imap_front_folder_change(struct imap_front *f)
{
	const struct imap_command *c = imap_command(f->imap);
	struct talk_box_folder word = {.handle = f->login.handle, .name = c->mailbox, .to = c->to};

	switch ((int)c->verb) {
	case IMAP_DO_CREATE:
		word.what = FOLDER_CREATE;
		break;
	case IMAP_DO_DELETE:
		word.what = FOLDER_DELETE;
		break;
	case IMAP_DO_RENAME:
		word.what = FOLDER_RENAME;
		break;
	case IMAP_DO_SUBSCRIBE:
		word.what = FOLDER_SUBSCRIBE;
		break;
	default:
		word.what = FOLDER_UNSUBSCRIBE;
		break;
	}
	return !imap_front_ask(f, talk_box_folder_out(&word), -1, changed);
}
