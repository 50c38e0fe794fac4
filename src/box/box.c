/*
 * box.c - each word is read, done, and answered when the store says that it is durable.
 */
#include "box/box.h"

#include "base/log.h"
#include "base/random.h"
#include "box/handles.h"
#include "box/mailbox.h"
#include "box/people.h"
#include "directory/image.h"
#include "net/snap.h"
#include "talk/report.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	ACCOUNTS_MAX = 65536,
	IMAGE_MAX = 1 << 30,
	READ_MAX = 61440,
	NAMES_MAX = 57344,
	BODY_MAX = 1 << 30
};

struct box {
	struct box_env env;
	struct people *people;
	struct mailboxes *mailboxes;
	struct handles *handles;
	struct loop_task commit;
	struct loop_task publish;
	struct loop_timer expire; /* runs while there are handles that nobody used */
	struct changed *changed;
	struct snap *image;
	struct directory directory;
	int image_fd;
	uint64_t purging; /* the account whose mail is being removed, 0: none */
	uint64_t deliveries, messages_read, removed, commits;
};

static void commit_soon(struct box *b);
static void purge_next(struct box *b);

static uint64_t
now_s(const struct box *b)
{
	return loop_wall_ns(b->env.loop) / 1000000000;
}

/* ---- committing ---- */

static void
commit(void *owner)
{
	struct box *b = owner;
	struct err e = store_turn(b->env.store);

	b->commits++;
	if (!is_ok(e))
		b->env.failed(b->env.owner, e);
	else
		commit_soon(b);
}

static void
commit_soon(struct box *b)
{
	if (store_pending(b->env.store))
		loop_defer(b->env.loop, &b->commit, commit, b);
}

/* ---- the directory image ---- */

/* A change of the directory whose asker is told when the image that has it was given out. */
struct changed {
	struct changed *next;
	struct asker asker;
	uint64_t account;
};

static void
answer_change(struct box *b, struct asker to, uint8_t code, uint64_t account, struct bytes text)
{
	const struct talk_people_change_answer answer = {
	    .code = code, .account = account, .text = text};

	peers_answer(b->env.peers, to, talk_people_change_answer_out(&answer), -1);
}

static void
give_image(struct box *b, struct chan *to)
{
	const struct talk_directory_image word = {.version = people_version(b->people)};

	if (b->image_fd >= 0)
		chan_say(to, talk_directory_image_out(&word), b->image_fd);
}

static struct err
make_image(struct box *b)
{
	struct directory fresh;
	struct snap *image = NULL;
	int fd = -1;
	struct err e = people_image(b->people, &fd);

	if (is_ok(e))
		e = snap_map(&image, fd, IMAGE_MAX);
	if (is_ok(e) && !directory_open(&fresh, snap_bytes(image)))
		e = ERR(ERR_CORRUPT, 0, "the directory image that was just made");
	if (!is_ok(e)) {
		snap_release(image);
		if (fd >= 0)
			close(fd);
		return e;
	}
	if (b->image_fd >= 0)
		close(b->image_fd);
	b->image_fd = fd;
	snap_swap(&b->image, image);
	b->directory = fresh;
	return OK;
}

/* Once for all changes of a turn. */
static void
publish(void *owner)
{
	struct box *b = owner;
	struct err e = make_image(b);
	struct changed *next;

	if (is_ok(e)) {
		const struct talk_directory_image word = {.version = people_version(b->people)};

		peers_say_all(b->env.peers, ROLE_SMTP, talk_directory_image_out(&word),
		              b->image_fd);
	} else {
		log_event(LOG_ERROR, "box.directory_failed", kv_err(e));
	}
	for (struct changed *c = b->changed; c; c = next) {
		next = c->next;
		answer_change(b, c->asker, talk_code(e), c->account, NO_BYTES);
		free(c);
	}
	b->changed = NULL;
	if (is_ok(e))
		purge_next(b); /* with this image no more is delivered to who leaves */
}

struct changing {
	struct box *box;
	struct asker asker;
	enum people_change what;
};

static void
people_changed(void *owner, enum err_code code, uint64_t account, struct bytes text)
{
	struct changing *ch = owner;
	struct box *b = ch->box;
	bool is_change = !code && ch->what != PEOPLE_FIND_ACCOUNT;
	struct changed *c = is_change ? calloc(1, sizeof(*c)) : NULL;

	if (c) {
		*c = (struct changed){b->changed, ch->asker, account};
		b->changed = c;
	} else {
		answer_change(b, ch->asker, is_change ? ERR_LATER : (uint8_t)code, account, text);
	}
	if (is_change)
		loop_defer(b->env.loop, &b->publish, publish, b);
	if (is_change && ch->what == PEOPLE_REMOVE_ACCOUNT)
		handles_account_gone(b->handles, account);
	free(ch);
}

static void
on_people_change(struct box *b, const struct peer *p, struct chan_word *w)
{
	struct talk_people_change t;
	struct changing *ch;

	if (!talk_people_change_get(&w->body, &t))
		return;
	ch = calloc(1, sizeof(*ch));
	if (!ch) {
		answer_change(b, peers_asker(p, w), ERR_LATER, 0, BYTES("out of memory"));
		return;
	}
	*ch = (struct changing){b, peers_asker(p, w), (enum people_change)t.what};
	people_change(b->people, ch->what, t.name, t.targets, people_changed, ch);
}

static void
on_people_list(struct box *b, const struct peer *p, struct chan_word *w)
{
	uint8_t *room = loop_lend(b->env.loop);
	struct wr names = wr_of(room, room ? NAMES_MAX : 0);
	struct talk_people_list t;
	struct talk_people_list_answer answer = {.code = ERR_SYNTAX};
	bool more = false;

	if (!talk_people_list_get(&w->body, &t)) {
		loop_give_back(b->env.loop, room);
		return;
	}
	if (t.what >= PEOPLE_ACCOUNT && t.what <= PEOPLE_ALIAS)
		answer.code = talk_code(
		    people_list(b->people, (enum people_kind)t.what, t.after, &names, &more));
	answer.more = more;
	answer.names = wr_since(&names, room);
	chan_answer(p->chan, w->seq, talk_people_list_answer_out(&answer), -1);
	loop_give_back(b->env.loop, room);
}

/* ---- accounts that leave ---- */

static void
forgotten(void *owner, enum err_code code, uint64_t account, struct bytes text)
{
	struct box *b = owner;

	(void)text;
	b->purging = 0;
	if (code)
		log_event(LOG_ERROR, "box.forget_failed", kv_u64("account", account));
	else
		purge_next(b);
}

static void
purged(void *owner, struct err e)
{
	struct box *b = owner;

	if (is_ok(e)) {
		people_forget(b->people, b->purging, forgotten, b);
	} else {
		/* it stays marked: the next removal, or the next life, goes on with it */
		log_event(LOG_ERROR, "box.purge_failed", kv_u64("account", b->purging), kv_err(e));
		b->purging = 0;
	}
	commit_soon(b);
}

/* One after the other: none is forgotten before its own mail is gone. */
static void
purge_next(struct box *b)
{
	struct err e;

	if (b->purging)
		return;
	e = people_leaving(b->people, &b->purging);
	if (!is_ok(e))
		log_event(LOG_ERROR, "box.purge_failed", kv_err(e));
	else if (b->purging)
		mailbox_purge(b->mailboxes, b->purging, purged, b);
	commit_soon(b);
}

/* ---- delivery ---- */

struct delivering {
	struct box *box;
	struct asker asker;
	struct delivery what;
	int fd;
	uint64_t *accounts; /* n of them, room for cap */
	size_t n, cap;
	uint8_t *bytes; /* sender, summary and body */
};

static void
delivering_free(struct delivering *d)
{
	if (d->fd >= 0)
		close(d->fd);
	free(d->accounts);
	free(d->bytes);
	free(d);
}

static void
answer_delivery(struct box *b, struct asker to, uint8_t code)
{
	const struct talk_box_deliver_answer answer = {.code = code};

	peers_answer(b->env.peers, to, talk_box_deliver_answer_out(&answer), -1);
}

static void
delivered(void *owner, struct err e)
{
	struct delivering *d = owner;

	if (is_ok(e))
		d->box->deliveries++;
	else
		log_event(LOG_ERROR, "box.deliver_failed", kv_err(e));
	answer_delivery(d->box, d->asker, talk_code(e));
	delivering_free(d);
}

static struct err
add_account(struct delivering *d, uint64_t account)
{
	size_t cap = d->cap * 2 + 4;
	uint64_t *grown;

	if (d->n == d->cap) {
		if (cap > ACCOUNTS_MAX)
			return ERR(ERR_RANGE, 0, "more accounts than one message may go to");
		grown = realloc(d->accounts, cap * sizeof(*grown));
		if (!grown)
			return ERR(ERR_MEMORY, 0, "delivery");
		d->accounts = grown;
		d->cap = cap;
	}
	d->accounts[d->n++] = account;
	return OK;
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Who gets it: each account once, however many addresses lead there. */
static struct err
resolve(struct box *b, struct delivering *d, struct bytes recipients)
{
	struct rd r = rd_of(recipients);
	struct err e = OK;
	size_t kept = 0;

	while (is_ok(e) && rd_left(&r)) {
		struct directory_answer found;
		struct directory_target target;
		enum directory_kind kind = directory_lookup(&b->directory, rd_bytes16(&r), &found);

		if (kind == DIRECTORY_ACCOUNT)
			e = add_account(d, found.account);
		while (is_ok(e) && kind == DIRECTORY_LIST && directory_target(&found, &target))
			if (!target.is_remote)
				e = add_account(d, target.account);
	}
	if (!is_ok(e))
		return e;
	if (r.bad || !d->n)
		return ERR(ERR_NOTFOUND, 0, "nobody of the recipients is here any more");
	qsort(d->accounts, d->n, sizeof(*d->accounts), by_number);
	for (size_t i = 0; i < d->n; i++)
		if (!kept || d->accounts[i] != d->accounts[kept - 1])
			d->accounts[kept++] = d->accounts[i];
	d->n = kept;
	return OK;
}

/* The word's memory is the channel's; what must stay until the commit is copied. */
static struct err
keep(struct delivering *d, const struct talk_box_deliver *t)
{
	size_t n = t->sender.n + t->summary.n + t->body.n;
	struct wr w;

	d->bytes = malloc(n ? n : 1);
	if (!d->bytes)
		return ERR(ERR_MEMORY, 0, "delivery");
	w = wr_of(d->bytes, n);
	wr_bytes(&w, t->sender);
	d->what.sender = wr_since(&w, d->bytes);
	wr_bytes(&w, t->summary);
	d->what.summary = (struct bytes){d->bytes + t->sender.n, t->summary.n};
	wr_bytes(&w, t->body);
	d->what.body = (struct store_body){
	    .bytes = {d->bytes + t->sender.n + t->summary.n, t->body.n}, .fd = -1};
	d->what.size = t->body.n;
	return OK;
}

static struct err
keep_file(struct delivering *d, int fd)
{
	size_t n;
	struct err e = snap_check(fd, BODY_MAX, &n);

	d->fd = fd;
	if (!is_ok(e))
		return e;
	d->what.body.fd = fd;
	d->what.body.length = n;
	d->what.size = n;
	return OK;
}

static void
on_deliver(struct box *b, const struct peer *p, struct chan_word *w)
{
	struct asker to = peers_asker(p, w);
	struct delivering *d = NULL;
	struct talk_box_deliver t;
	struct err e;

	if (!talk_box_deliver_get(&w->body, &t))
		return;
	d = calloc(1, sizeof(*d));
	if (!d) {
		answer_delivery(b, to, ERR_LATER);
		return;
	}
	d->box = b;
	d->asker = to;
	d->fd = -1;
	e = keep(d, &t);
	if (is_ok(e) && w->fd >= 0)
		e = keep_file(d, chan_take_fd(w));
	if (is_ok(e))
		e = resolve(b, d, t.recipients);
	if (!is_ok(e)) {
		delivered(d, e);
		return;
	}
	memcpy(d->what.op.id, t.op.b, sizeof(d->what.op.id));
	d->what.accounts = d->accounts;
	d->what.n = d->n;
	d->what.now_s = now_s(b);
	mailbox_deliver(b->mailboxes, &d->what, delivered, d);
}

/* ---- reading ---- */

static void
expire(void *owner)
{
	struct box *b = owner;

	if (handles_expire(b->handles, loop_now_ms(b->env.loop)))
		loop_timer_set(b->env.loop, &b->expire, HANDLES_UNUSED_MS, expire, b);
}

static void
on_grant(struct box *b, const struct peer *p, struct chan_word *w)
{
	struct talk_box_grant_answer answer = {0};
	struct talk_box_grant t;

	if (!talk_box_grant_get(&w->body, &t))
		return;
	answer.code = talk_code(handles_grant(b->handles, t.handle, t.account, (enum role)t.role,
	                                      t.instance, loop_now_ms(b->env.loop)));
	if (!loop_timer_runs(&b->expire))
		loop_timer_set(b->env.loop, &b->expire, HANDLES_UNUSED_MS, expire, b);
	chan_answer(p->chan, w->seq, talk_box_grant_answer_out(&answer), -1);
}

static void
on_open(struct box *b, const struct peer *p, struct chan_word *w)
{
	struct talk_box_open_answer answer = {.code = ERR_DENIED};
	struct mailbox_info info = {0};
	struct talk_box_open t;
	struct handle *h;

	if (!talk_box_open_get(&w->body, &t))
		return;
	h = handles_find(b->handles, t.handle, p->role, p->instance);
	if (h)
		answer.code =
		    talk_code(mailbox_find(b->mailboxes, h->account, t.mailbox, now_s(b), &info));
	if (!answer.code && t.exclusive && !handles_lock(b->handles, h, info.number))
		answer.code = ERR_EXISTS;
	answer.number = info.number;
	answer.uidvalidity = info.uidvalidity;
	answer.uidnext = info.uidnext;
	answer.count = info.count;
	chan_answer(p->chan, w->seq, talk_box_open_answer_out(&answer), -1);
}

static uint32_t
first_of(struct bytes ranges)
{
	struct rd r = rd_of(ranges);
	struct uid_range range = {1, 0};

	uid_range_get(&r, &range);
	return range.first;
}

static void
on_rows(struct box *b, const struct peer *p, struct chan_word *w)
{
	uint8_t *room = loop_lend(b->env.loop);
	struct wr rows = wr_of(room, room ? READ_MAX : 0);
	struct talk_box_rows_answer answer = {.code = ERR_DENIED};
	struct talk_box_rows t;
	struct handle *h;
	bool more = false;

	if (!talk_box_rows_get(&w->body, &t)) {
		loop_give_back(b->env.loop, room);
		return;
	}
	h = handles_find(b->handles, t.handle, p->role, p->instance);
	if (h && room)
		answer.code = talk_code(mailbox_rows(b->mailboxes, h->account, t.mailbox,
		                                     first_of(t.ranges), &rows, &more));
	answer.more = more;
	answer.rows = wr_since(&rows, room);
	chan_answer(p->chan, w->seq, talk_box_rows_answer_out(&answer), -1);
	loop_give_back(b->env.loop, room);
}

static void
on_read(struct box *b, const struct peer *p, struct chan_word *w)
{
	uint8_t *room = loop_lend(b->env.loop);
	struct wr bytes = wr_of(room, room ? READ_MAX : 0);
	struct talk_box_read_answer answer = {.code = ERR_DENIED};
	struct talk_box_read t;
	struct handle *h;

	if (!talk_box_read_get(&w->body, &t)) {
		loop_give_back(b->env.loop, room);
		return;
	}
	h = handles_find(b->handles, t.handle, p->role, p->instance);
	if (h && room)
		answer.code = talk_code(mailbox_read(b->mailboxes, h->account, t.mailbox, t.uid,
		                                     t.offset, t.length, &bytes));
	answer.bytes = wr_since(&bytes, room);
	b->messages_read += t.offset == 0;
	chan_answer(p->chan, w->seq, talk_box_read_answer_out(&answer), -1);
	loop_give_back(b->env.loop, room);
}

struct removing {
	struct box *box;
	struct asker asker;
};

static void
removed(void *owner, struct err e)
{
	struct removing *r = owner;
	const struct talk_box_remove_answer answer = {.code = talk_code(e)};

	peers_answer(r->box->env.peers, r->asker, talk_box_remove_answer_out(&answer), -1);
	free(r);
}

static void
on_remove(struct box *b, const struct peer *p, struct chan_word *w)
{
	struct talk_box_remove_answer refused = {.code = ERR_DENIED};
	struct talk_box_remove t;
	struct removing *r;
	struct handle *h;

	if (!talk_box_remove_get(&w->body, &t))
		return;
	h = handles_find(b->handles, t.handle, p->role, p->instance);
	r = h ? calloc(1, sizeof(*r)) : NULL;
	if (!r) {
		chan_answer(p->chan, w->seq, talk_box_remove_answer_out(&refused), -1);
		return;
	}
	*r = (struct removing){b, peers_asker(p, w)};
	uint8_t uids[61440];
	struct wr list = wr_of(uids, sizeof(uids));
	struct rd in = rd_of(t.ranges);
	struct uid_range range;

	while (uid_range_get(&in, &range))
		wr_u32(&list, range.first);
	b->removed += t.ranges.n / 8;
	mailbox_remove(b->mailboxes, h->account, t.mailbox, wr_since(&list, uids), removed, r);
}

static void
on_leave(struct box *b, const struct peer *p, struct chan_word *w)
{
	struct talk_box_leave t;

	if (talk_box_leave_get(&w->body, &t))
		handles_leave(b->handles, t.handle, p->role, p->instance);
}

/* ---- public ---- */

void
box_word(struct box *b, const struct peer *p, struct chan_word *w)
{
	switch ((int)w->word) {
	case WORD_BOX_DELIVER:
		on_deliver(b, p, w);
		break;
	case WORD_BOX_GRANT:
		on_grant(b, p, w);
		break;
	case WORD_BOX_OPEN:
		on_open(b, p, w);
		break;
	case WORD_BOX_ROWS:
		on_rows(b, p, w);
		break;
	case WORD_BOX_READ:
		on_read(b, p, w);
		break;
	case WORD_BOX_REMOVE:
		on_remove(b, p, w);
		break;
	case WORD_BOX_LEAVE:
		on_leave(b, p, w);
		break;
	case WORD_PEOPLE_CHANGE:
		on_people_change(b, p, w);
		break;
	case WORD_PEOPLE_LIST:
		on_people_list(b, p, w);
		break;
	default:
		break;
	}
	commit_soon(b);
}

void
box_peer_came(struct box *b, const struct peer *p)
{
	if (p->role == ROLE_SMTP)
		give_image(b, p->chan);
}

void
box_peer_gone(struct box *b, const struct peer *p)
{
	handles_front_gone(b->handles, p->role, p->instance);
}

struct err
box_start(struct box *b)
{
	struct err e = make_image(b);

	purge_next(b);
	return e;
}

void
box_status(const struct box *b, struct wr *counters)
{
	report_put_counter(counters, "deliveries", b->deliveries);
	report_put_counter(counters, "messages_read", b->messages_read);
	report_put_counter(counters, "messages_removed", b->removed);
	report_put_counter(counters, "sessions", handles_count(b->handles));
	report_put_counter(counters, "commits", b->commits);
}

struct err
box_open(struct box **out, const struct box_env *env)
{
	struct box *b = calloc(1, sizeof(*b));
	uint8_t key[16];
	struct err e;

	if (!b)
		return ERR(ERR_MEMORY, 0, "box");
	b->env = *env;
	b->image_fd = -1;
	random_fill(env->random, key, sizeof(key));
	b->handles = handles_new(key);
	e = b->handles ? people_open(&b->people, env->store, env->random)
	               : ERR(ERR_MEMORY, 0, "handles");
	if (is_ok(e))
		e = mailboxes_open(&b->mailboxes, env->store);
	if (is_ok(e))
		*out = b;
	else
		box_close(b);
	return e;
}

void
box_close(struct box *b)
{
	struct changed *next;

	if (!b)
		return;
	for (struct changed *c = b->changed; c; c = next) {
		next = c->next;
		free(c);
	}
	loop_defer_stop(b->env.loop, &b->commit);
	loop_defer_stop(b->env.loop, &b->publish);
	loop_timer_stop(b->env.loop, &b->expire);
	mailboxes_close(b->mailboxes);
	people_close(b->people);
	handles_free(b->handles);
	snap_release(b->image);
	if (b->image_fd >= 0)
		close(b->image_fd);
	free(b);
}
