/*
 * sessions.c - each word is read, handed to the mailboxes, and answered when they say so.  A session
 * may have left by then: its handle is looked up anew.
 */
#include "box/sessions.h"

#include "base/log.h"
#include "box/change.h"
#include "box/folders.h"
#include "net/snap.h"
#include "talk/report.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	ROWS_MAX = 61440,
	FOLDERS_ROOM = 57344,
	BODY_MAX = 1 << 30,
};

struct sessions {
	struct sessions_env env;
	uint64_t read, removed, appended, copied;
};

/* A word that waits for its answer. */
struct asking {
	struct sessions *s;
	struct asker asker;
	struct talk_id handle;
	uint32_t mailbox;
	bool exclusive, examine;
};

static uint64_t
now_s(const struct sessions *s)
{
	return loop_wall_ns(s->env.loop) / 1000000000;
}

static struct handle *
handle_of(struct sessions *s, const struct peer *p, struct talk_id id)
{
	return handles_find(s->env.handles, id, p->role, p->instance);
}

/* NULL: no such handle, or no memory; *code tells. */
static struct asking *
asking_new(struct sessions *s, const struct peer *p, const struct chan_word *w, struct talk_id id,
           struct handle **h, uint8_t *code)
{
	struct asking *a;

	*h = handle_of(s, p, id);
	*code = ERR_DENIED;
	if (!*h)
		return NULL;
	*code = ERR_LATER;
	a = calloc(1, sizeof(*a));
	if (a)
		*a = (struct asking){.s = s, .asker = peers_asker(p, w), .handle = id};
	return a;
}

static struct handle *
handle_again(const struct asking *a)
{
	return handles_find(a->s->env.handles, a->handle, a->asker.role, a->asker.instance);
}

static void
answer(struct asking *a, struct err e, struct talk_out out)
{
	if (is_fault(e) && e.code != ERR_GONE)
		log_event(LOG_ERROR, "box.session_failed", kv_err(e));
	peers_answer(a->s->env.peers, a->asker, out, -1);
	free(a);
}

/* ---- opening ---- */

static void
opened(void *owner, struct err e, const struct mailbox_info *info)
{
	struct asking *a = owner;
	struct handle *h = handle_again(a);
	struct talk_box_open_answer t = {
	    .code = talk_code(e),
	    .number = info->number,
	    .uidvalidity = info->uidvalidity,
	    .uidnext = info->uidnext,
	    .count = info->count,
	    .recent = info->recent,
	    .unseen = info->unseen,
	    .modseq = info->modseq,
	    .keywords = info->keywords,
	};

	if (!t.code && a->exclusive && (!h || !handles_lock(a->s->env.handles, h, info->number)))
		t.code = ERR_EXISTS;
	if (!t.code && h) {
		h->place = (struct mailbox_place){.since = info->modseq, .examine = a->examine};
		h->place_of = info->number;
	}
	answer(a, e, talk_box_open_answer_out(&t));
}

static void
on_open(struct sessions *s, const struct peer *p, struct chan_word *w)
{
	struct talk_box_open_answer refused = {0};
	struct talk_box_open t;
	struct handle *h;
	struct asking *a;

	if (!talk_box_open_get(&w->body, &t))
		return;
	a = asking_new(s, p, w, t.handle, &h, &refused.code);
	if (!a) {
		chan_answer(p->chan, w->seq, talk_box_open_answer_out(&refused), -1);
		return;
	}
	a->exclusive = t.exclusive;
	a->examine = t.examine || t.exclusive; /* POP3 knows no \Recent, and takes it from nobody */
	mailbox_open(s->env.mailboxes, h->account, t.mailbox, a->examine, now_s(s), opened, a);
}

/* ---- reading ---- */

static void
on_rows(struct sessions *s, const struct peer *p, struct chan_word *w)
{
	uint8_t *room = loop_lend(s->env.loop);
	struct wr rows = wr_of(room, room ? ROWS_MAX : 0);
	struct talk_box_rows_answer answer = {.code = ERR_DENIED};
	struct talk_box_rows t;
	struct handle *h;
	bool more = false;

	if (talk_box_rows_get(&w->body, &t)) {
		h = handle_of(s, p, t.handle);
		if (h)
			answer.code =
			    !room ? ERR_LATER
				  : talk_code(mailbox_rows(s->env.mailboxes, h->account, t.mailbox,
			                                   t.fields, t.ranges, &rows, &more));
		answer.more = more;
		answer.rows = wr_since(&rows, room);
		chan_answer(p->chan, w->seq, talk_box_rows_answer_out(&answer), -1);
	}
	loop_give_back(s->env.loop, room);
}

static void
on_read(struct sessions *s, const struct peer *p, struct chan_word *w)
{
	uint8_t *room = loop_lend(s->env.loop);
	struct wr bytes = wr_of(room, room ? ROWS_MAX : 0);
	struct talk_box_read_answer answer = {.code = ERR_DENIED};
	struct talk_box_read t;
	struct handle *h;

	if (talk_box_read_get(&w->body, &t)) {
		h = handle_of(s, p, t.handle);
		if (h)
			answer.code =
			    !room ? ERR_LATER
				  : talk_code(mailbox_read(s->env.mailboxes, h->account, t.mailbox,
			                                   t.uid, t.offset, t.length, &bytes));
		answer.bytes = wr_since(&bytes, room);
		s->read += h && t.offset == 0;
		chan_answer(p->chan, w->seq, talk_box_read_answer_out(&answer), -1);
	}
	loop_give_back(s->env.loop, room);
}

static void
on_folders(struct sessions *s, const struct peer *p, struct chan_word *w)
{
	uint8_t *room = loop_lend(s->env.loop);
	struct wr rows = wr_of(room, room ? FOLDERS_ROOM : 0);
	struct talk_box_folders_answer answer = {.code = ERR_DENIED};
	struct talk_box_folders t;
	struct handle *h;
	bool more = false;

	if (talk_box_folders_get(&w->body, &t)) {
		h = handle_of(s, p, t.handle);
		if (h)
			answer.code =
			    !room ? ERR_LATER
				  : talk_code(folders_list(s->env.mailboxes, h->account, t.after,
			                                   now_s(s), &rows, &more));
		answer.more = more;
		answer.rows = wr_since(&rows, room);
		chan_answer(p->chan, w->seq, talk_box_folders_answer_out(&answer), -1);
	}
	loop_give_back(s->env.loop, room);
}

static void
uids_told(void *owner, struct err e, const struct mailbox_answer *found)
{
	const struct talk_box_uids_answer t = {
	    .code = talk_code(e), .more = found->more, .ranges = found->uids};

	answer(owner, e, talk_box_uids_answer_out(&t));
}

static void
on_uids(struct sessions *s, const struct peer *p, struct chan_word *w)
{
	struct talk_box_uids_answer refused = {0};
	struct talk_box_uids t;
	struct handle *h;
	struct asking *a;

	if (!talk_box_uids_get(&w->body, &t))
		return;
	a = asking_new(s, p, w, t.handle, &h, &refused.code);
	if (a)
		mailbox_uids(s->env.mailboxes, h->account, t.mailbox, t.from, uids_told, a);
	else
		chan_answer(p->chan, w->seq, talk_box_uids_answer_out(&refused), -1);
}

/* ---- changes of others ---- */

static void
on_watch(struct sessions *s, const struct peer *p, struct chan_word *w)
{
	struct talk_box_watch t;
	struct handle *h;

	if (!talk_box_watch_get(&w->body, &t))
		return;
	h = handle_of(s, p, t.handle);
	if (h && !handles_watch(s->env.handles, h, t.mailbox))
		log_event(LOG_ERROR, "box.session_failed",
		          kv_err(ERR(ERR_MEMORY, 0, "watching a mailbox")));
}

/* Each that watches it is told once, until it asks what has changed. */
static void
changed(void *owner, uint64_t account, uint32_t mailbox, uint64_t modseq)
{
	struct sessions *s = owner;

	for (struct handle *h = handles_watching(s->env.handles, account, mailbox); h;
	     h = h->next_watching) {
		const struct talk_box_changed t = {
		    .handle = h->id, .mailbox = mailbox, .modseq = modseq};
		struct chan *c = peers_chan(s->env.peers, h->role, h->instance);

		if (!h->hinted && c)
			h->hinted = chan_say_lossy(c, talk_box_changed_out(&t), -1);
	}
}

static void
changes_told(void *owner, struct err e, const struct mailbox_answer *found)
{
	struct asking *a = owner;
	struct handle *h = handle_again(a);
	const struct talk_box_changes_answer t = {
	    .code = talk_code(e),
	    .more = found->more,
	    .modseq = found->modseq,
	    .uidnext = found->uidnext,
	    .keywords = found->keywords,
	    .gone = found->gone,
	    .rows = found->rows,
	};

	if (is_ok(e) && h && h->place_of == a->mailbox)
		h->place = found->place;
	answer(a, e, talk_box_changes_answer_out(&t));
}

static void
on_changes(struct sessions *s, const struct peer *p, struct chan_word *w)
{
	struct talk_box_changes_answer refused = {0};
	struct talk_box_changes t;
	struct handle *h;
	struct asking *a;

	if (!talk_box_changes_get(&w->body, &t))
		return;
	a = asking_new(s, p, w, t.handle, &h, &refused.code);
	if (!a) {
		chan_answer(p->chan, w->seq, talk_box_changes_answer_out(&refused), -1);
		return;
	}
	a->mailbox = t.mailbox;
	if (h->watched == t.mailbox)
		h->hinted = false;
	if (h->place_of != t.mailbox) /* it never opened it: it takes nothing from who does */
		h->place = (struct mailbox_place){.since = t.modseq, .examine = true};
	else if (h->place.since != t.modseq)
		h->place = (struct mailbox_place){.since = t.modseq, .examine = h->place.examine};
	h->place_of = t.mailbox;
	mailbox_changes(s->env.mailboxes, h->account, t.mailbox, h->place, changes_told, a);
}

/* ---- changing ---- */

static void
removed(void *owner, struct err e, const struct mailbox_answer *done)
{
	struct asking *a = owner;
	const struct talk_box_remove_answer t = {.code = talk_code(e), .modseq = done->modseq};

	a->s->removed += done->removed;
	answer(a, e, talk_box_remove_answer_out(&t));
}

static void
on_remove(struct sessions *s, const struct peer *p, struct chan_word *w)
{
	struct talk_box_remove_answer refused = {0};
	struct talk_box_remove t;
	struct handle *h;
	struct asking *a;

	if (!talk_box_remove_get(&w->body, &t))
		return;
	a = asking_new(s, p, w, t.handle, &h, &refused.code);
	if (a)
		change_remove(s->env.mailboxes, h->account, t.mailbox, t.only_deleted, t.ranges,
		              removed, a);
	else
		chan_answer(p->chan, w->seq, talk_box_remove_answer_out(&refused), -1);
}

static void
flagged(void *owner, struct err e, const struct mailbox_answer *done)
{
	const struct talk_box_flags_answer t = {
	    .code = talk_code(e), .modseq = done->modseq, .keywords = done->keywords};

	answer(owner, e, talk_box_flags_answer_out(&t));
}

static void
on_flags(struct sessions *s, const struct peer *p, struct chan_word *w)
{
	struct talk_box_flags_answer refused = {0};
	struct talk_box_flags t;
	struct handle *h;
	struct asking *a;

	if (!talk_box_flags_get(&w->body, &t))
		return;
	a = asking_new(s, p, w, t.handle, &h, &refused.code);
	if (a && (t.how < FLAGS_SET || t.how > FLAGS_REMOVE)) {
		free(a);
		a = NULL;
		refused.code = ERR_SYNTAX;
	}
	if (a)
		change_flags(s->env.mailboxes, h->account, t.mailbox, (enum flags_how)t.how,
		             t.flags, t.keywords, t.ranges, flagged, a);
	else
		chan_answer(p->chan, w->seq, talk_box_flags_answer_out(&refused), -1);
}

static void
copied(void *owner, struct err e, const struct mailbox_answer *done)
{
	struct asking *a = owner;
	const struct talk_box_copy_answer t = {.code = talk_code(e),
	                                       .uidvalidity = done->uidvalidity,
	                                       .from = done->gone,
	                                       .uids = done->uids};

	a->s->copied += is_ok(e);
	answer(a, e, talk_box_copy_answer_out(&t));
}

static void
on_copy(struct sessions *s, const struct peer *p, struct chan_word *w)
{
	struct talk_box_copy_answer refused = {0};
	struct talk_box_copy t;
	struct handle *h;
	struct asking *a;

	if (!talk_box_copy_get(&w->body, &t))
		return;
	a = asking_new(s, p, w, t.handle, &h, &refused.code);
	if (!a) {
		chan_answer(p->chan, w->seq, talk_box_copy_answer_out(&refused), -1);
		return;
	}
	struct copying what = {.account = h->account,
	                       .mailbox = t.mailbox,
	                       .move = t.move,
	                       .to = t.to,
	                       .ranges = t.ranges,
	                       .now_s = now_s(s)};

	memcpy(what.op.id, t.op.b, sizeof(what.op.id));
	change_copy(s->env.mailboxes, &what, copied, a);
}

static void
folder_done(void *owner, struct err e)
{
	const struct talk_box_folder_answer t = {.code = talk_code(e)};

	answer(owner, e, talk_box_folder_answer_out(&t));
}

static void
on_folder(struct sessions *s, const struct peer *p, struct chan_word *w)
{
	struct talk_box_folder_answer refused = {0};
	struct talk_box_folder t;
	struct handle *h;
	struct asking *a;

	if (!talk_box_folder_get(&w->body, &t))
		return;
	a = asking_new(s, p, w, t.handle, &h, &refused.code);
	if (a && (t.what < FOLDER_CREATE || t.what > FOLDER_UNSUBSCRIBE)) {
		free(a);
		a = NULL;
		refused.code = ERR_SYNTAX;
	}
	if (a)
		folders_change(s->env.mailboxes, h->account, (enum folder_change)t.what, t.name,
		               t.to, now_s(s), folder_done, a);
	else
		chan_answer(p->chan, w->seq, talk_box_folder_answer_out(&refused), -1);
}

/* ---- append ---- */

/* The body stays until the store has it. */
struct appending_body {
	struct asking *asking;
	struct store_body body;
	uint8_t *bytes;
	unsigned waiting; /* for the body, for the message, and the call itself */
	struct err err;
	uint32_t uidvalidity, uid;
};

static void
append_part(struct appending_body *b)
{
	const struct talk_box_append_answer t = {
	    .code = talk_code(b->err), .uidvalidity = b->uidvalidity, .uid = b->uid};

	if (--b->waiting)
		return;
	b->asking->s->appended += is_ok(b->err);
	answer(b->asking, b->err, talk_box_append_answer_out(&t));
	if (b->body.fd >= 0)
		close(b->body.fd);
	free(b->bytes);
	free(b);
}

static void
body_put(void *owner, struct err e, uint64_t version)
{
	(void)e; /* a message cannot keep it then, which tells why */
	(void)version;
	append_part(owner);
}

static void
appended(void *owner, struct err e, uint32_t uidvalidity, uint32_t uid)
{
	struct appending_body *b = owner;

	b->err = e;
	b->uidvalidity = uidvalidity;
	b->uid = uid;
	append_part(b);
}

static struct err
take_body(struct appending_body *b, struct bytes body, struct chan_word *w)
{
	size_t n = body.n;

	b->body.fd = chan_take_fd(w);
	if (b->body.fd >= 0) {
		struct err e = snap_check(b->body.fd, BODY_MAX, &n);

		b->body.length = n;
		return e;
	}
	b->bytes = malloc(n + 1);
	if (!b->bytes)
		return ERR(ERR_MEMORY, 0, "append");
	if (n)
		memcpy(b->bytes, body.p, n);
	b->body.bytes = (struct bytes){b->bytes, n};
	return OK;
}

static void
append(struct sessions *s, struct appending_body *b, const struct talk_box_append *t,
       uint64_t account, struct chan_word *w)
{
	struct appending what = {.account = account,
	                         .mailbox = t->mailbox,
	                         .flags = t->flags,
	                         .keywords = t->keywords,
	                         .received_s = t->received_s,
	                         .summary = t->summary,
	                         .now_s = now_s(s)};

	b->err = mailbox_known(s->env.mailboxes, account, t->mailbox, what.now_s);
	if (is_ok(b->err))
		b->err = take_body(b, t->body, w);
	if (!is_ok(b->err))
		return;
	what.size = b->body.fd >= 0 ? b->body.length : b->body.bytes.n;
	what.blob = store_blob_new(s->env.store);
	memcpy(what.op.id, t->op.b, sizeof(what.op.id));
	b->waiting += 2;
	store_blob_put(s->env.store, what.blob, &b->body, body_put, b);
	mailbox_append(s->env.mailboxes, &what, appended, b);
}

static void
on_append(struct sessions *s, const struct peer *p, struct chan_word *w)
{
	struct talk_box_append_answer refused = {0};
	struct appending_body *b;
	struct talk_box_append t;
	struct handle *h;
	struct asking *a;

	if (!talk_box_append_get(&w->body, &t))
		return;
	a = asking_new(s, p, w, t.handle, &h, &refused.code);
	b = a ? calloc(1, sizeof(*b)) : NULL;
	if (!b) {
		free(a);
		chan_answer(p->chan, w->seq, talk_box_append_answer_out(&refused), -1);
		return;
	}
	*b = (struct appending_body){.asking = a, .body = {.fd = -1}, .waiting = 1, .err = OK};
	append(s, b, &t, h->account, w);
	append_part(b);
}

/* ---- public ---- */

bool
sessions_word(struct sessions *s, const struct peer *p, struct chan_word *w)
{
	static const struct {
		enum word word;
		void (*on)(struct sessions *, const struct peer *, struct chan_word *);
	} words[] = {
	    {WORD_BOX_OPEN, on_open},       {WORD_BOX_ROWS, on_rows},
	    {WORD_BOX_READ, on_read},       {WORD_BOX_REMOVE, on_remove},
	    {WORD_BOX_FOLDERS, on_folders}, {WORD_BOX_FOLDER, on_folder},
	    {WORD_BOX_FLAGS, on_flags},     {WORD_BOX_APPEND, on_append},
	    {WORD_BOX_COPY, on_copy},       {WORD_BOX_WATCH, on_watch},
	    {WORD_BOX_CHANGES, on_changes}, {WORD_BOX_UIDS, on_uids},
	};

	for (size_t i = 0; i < COUNT(words); i++)
		if (words[i].word == w->word) {
			words[i].on(s, p, w);
			return true;
		}
	return false;
}

void
sessions_status(const struct sessions *s, struct wr *counters)
{
	report_put_counter(counters, "messages_read", s->read);
	report_put_counter(counters, "messages_removed", s->removed);
	report_put_counter(counters, "messages_appended", s->appended);
	report_put_counter(counters, "copies", s->copied);
	report_put_counter(counters, "sessions", handles_count(s->env.handles));
}

struct err
sessions_open(struct sessions **out, const struct sessions_env *env)
{
	struct sessions *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR(ERR_MEMORY, 0, "sessions");
	s->env = *env;
	mailboxes_tell(env->mailboxes, changed, s);
	*out = s;
	return OK;
}

void
sessions_close(struct sessions *s)
{
	free(s);
}
