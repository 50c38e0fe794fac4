/*
 * deliver.c - who gets it is looked up in the directory image of this moment; then the body, the
 * rows and the spool entries are handed in, in this order, before anything else can be.
 */
#include "box/deliver.h"

#include "base/log.h"
#include "box/handles.h"
#include "box/mailbox.h"
#include "box/spool.h"
#include "directory/image.h"
#include "mail/address.h"
#include "mail/summary.h"
#include "net/snap.h"
#include "talk/report.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	ACCOUNTS_MAX = 65536,
	REMOTES_MAX = 20000,
	BODY_MAX = 1 << 30,
	RETURN_PATH_MAX =
	    15 + 2 * DIRECTORY_ADDRESS_MAX + 8, /* its name, a quoted address, > CRLF */
};

struct deliver {
	struct deliver_env env;
	uint64_t deliveries, forwarded;
};

struct delivering {
	struct deliver *deliver;
	struct asker asker;
	struct op_id op;
	struct store_body body;
	uint64_t size;
	struct bytes sender, summary, recipients; /* in the arena */
	struct delivery rows;
	struct spool_message queued;
	uint64_t *accounts; /* n_accounts of them, room for cap_accounts */
	size_t n_accounts, cap_accounts;
	struct bytes *remotes; /* the same */
	size_t n_remotes, cap_remotes;
	bool may_relay, vanished;
	size_t waiting; /* for the body, the mailboxes, the spool */
	struct err err; /* the first that was not OK; a fault before an answer */
	struct arena arena;
};

static void
delivering_free(struct delivering *d)
{
	if (d->body.fd >= 0)
		close(d->body.fd);
	free(d->accounts);
	free(d->remotes);
	arena_free(&d->arena);
	free(d);
}

static void
answer(struct deliver *m, struct asker to, uint8_t code)
{
	const struct talk_box_deliver_answer word = {.code = code};

	peers_answer(m->env.peers, to, talk_box_deliver_answer_out(&word), -1);
}

/* One of the things that are waited for has come. */
static void
settled(struct delivering *d, struct err e)
{
	struct deliver *m = d->deliver;

	if (is_ok(d->err) || (is_fault(e) && !is_fault(d->err)))
		d->err = e;
	if (--d->waiting)
		return;
	if (is_ok(d->err)) {
		m->deliveries++;
		m->forwarded += d->n_remotes != 0;
	} else {
		log_event(is_fault(d->err) ? LOG_ERROR : LOG_WARN, "box.deliver_failed",
		          kv_err(d->err));
	}
	answer(m, d->asker, talk_code(d->err));
	delivering_free(d);
}

static void
body_done(void *owner, struct err e, uint64_t version)
{
	(void)version;
	settled(owner, e);
}

static void
rows_done(void *owner, struct err e)
{
	settled(owner, e);
}

/* ---- who gets it ---- */

static struct err
add_account(struct delivering *d, uint64_t account)
{
	size_t cap = d->cap_accounts * 2 + 4;
	uint64_t *grown;

	if (d->n_accounts == d->cap_accounts) {
		if (cap > ACCOUNTS_MAX)
			return ERR(ERR_RANGE, 0, "more accounts than one message may go to");
		grown = realloc(d->accounts, cap * sizeof(*grown));
		if (!grown)
			return ERR(ERR_MEMORY, 0, "delivery");
		d->accounts = grown;
		d->cap_accounts = cap;
	}
	d->accounts[d->n_accounts++] = account;
	return OK;
}

/* The address must stay until the delivery is over: it lies in the arena, or is copied there. */
static struct err
add_remote(struct delivering *d, struct bytes address)
{
	size_t cap = d->cap_remotes * 2 + 4;
	struct bytes *grown;

	if (d->n_remotes == d->cap_remotes) {
		if (cap > REMOTES_MAX)
			return ERR(ERR_RANGE, 0, "more addresses than one message may go to");
		grown = realloc(d->remotes, cap * sizeof(*grown));
		if (!grown)
			return ERR(ERR_MEMORY, 0, "delivery");
		d->remotes = grown;
		d->cap_remotes = cap;
	}
	address = arena_copy(&d->arena, address);
	if (!address.p)
		return ERR(ERR_MEMORY, 0, "delivery");
	d->remotes[d->n_remotes++] = address;
	return OK;
}

static struct err
add_elsewhere(struct delivering *d, struct bytes address)
{
	struct bytes local, domain;

	address_cut(address, &local, &domain);
	if (!local.n || !domain.n) { /* postmaster, while there is none */
		d->vanished = true;
		return OK;
	}
	if (!d->may_relay)
		return (struct err){ERR_DENIED, 0, "a recipient elsewhere that it may not send to"};
	return add_remote(d, address);
}

static struct err
add_list(struct delivering *d, struct directory_answer *list)
{
	struct directory_target target;
	struct err e = OK;

	d->vanished |= !list->left;
	while (is_ok(e) && directory_target(list, &target))
		e = target.is_remote ? add_remote(d, target.remote)
		                     : add_account(d, target.account);
	if (is_ok(e) && list->kind == DIRECTORY_BROKEN)
		e = ERR(ERR_LATER, 0, "an alias that cannot be resolved");
	return e;
}

static struct err
add_recipient(struct delivering *d, struct bytes address)
{
	struct directory_answer found;

	switch (directory_lookup(d->deliver->env.directory, address, &found)) {
	case DIRECTORY_ACCOUNT:
		return add_account(d, found.account);
	case DIRECTORY_LIST:
		return add_list(d, &found);
	case DIRECTORY_NO_DOMAIN:
		return add_elsewhere(d, address);
	case DIRECTORY_NONE:
		d->vanished = true;
		return OK;
	case DIRECTORY_BROKEN:
		break;
	}
	return ERR(ERR_LATER, 0, "an alias that cannot be resolved");
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int
by_bytes(const void *a, const void *b)
{
	return bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* Each once, however many recipients lead there. */
static void
drop_doubles(struct delivering *d)
{
	size_t kept = 0;

	if (d->n_accounts)
		qsort(d->accounts, d->n_accounts, sizeof(*d->accounts), by_number);
	for (size_t i = 0; i < d->n_accounts; i++)
		if (!kept || d->accounts[i] != d->accounts[kept - 1])
			d->accounts[kept++] = d->accounts[i];
	d->n_accounts = kept;
	kept = 0;
	if (d->n_remotes)
		qsort(d->remotes, d->n_remotes, sizeof(*d->remotes), by_bytes);
	for (size_t i = 0; i < d->n_remotes; i++)
		if (!kept || !bytes_eq(d->remotes[i], d->remotes[kept - 1]))
			d->remotes[kept++] = d->remotes[i];
	d->n_remotes = kept;
}

static struct err
resolve(struct delivering *d)
{
	struct rd r = rd_of(d->recipients);
	struct err e = OK;

	while (is_ok(e) && rd_left(&r))
		e = add_recipient(d, rd_bytes16(&r));
	if (!is_ok(e))
		return e;
	drop_doubles(d);
	if (r.bad || (!d->n_accounts && !d->n_remotes))
		return ERR(ERR_NOTFOUND, 0, "nobody of the recipients is here any more");
	/* who was accepted and has left must not vanish: the next try learns it at its RCPT */
	if (d->vanished)
		return ERR(ERR_LATER, 0, "one of the recipients is not here any more");
	return OK;
}

/* ---- who sends it ---- */

static bool
is_theirs(const struct directory *directory, struct bytes sender, uint64_t account)
{
	struct directory_answer found;
	struct directory_target target;

	if (!sender.n) /* a notification (RFC 8098 3) */
		return true;
	switch (directory_lookup(directory, sender, &found)) {
	case DIRECTORY_ACCOUNT:
		return found.account == account;
	case DIRECTORY_LIST:
		while (directory_target(&found, &target))
			if (!target.is_remote && target.account == account)
				return true;
		return false;
	case DIRECTORY_NO_DOMAIN:
	case DIRECTORY_NONE:
	case DIRECTORY_BROKEN:
		break;
	}
	return false;
}

static bool
may_relay(struct deliver *m, const struct peer *p, const struct talk_box_deliver *t)
{
	static const struct talk_id nobody;
	const struct handle *h = NULL;

	if (p->role == ROLE_QUEUE || t->trusted)
		return true;
	if (memcmp(&t->handle, &nobody, sizeof(nobody)) != 0)
		h = handles_find(m->env.handles, t->handle, p->role, p->instance);
	return h && is_theirs(m->env.directory, t->sender, h->account);
}

/* ---- the message ---- */

/* The word's memory is the channel's; what must stay until the commit is copied. */
static struct err
keep(struct delivering *d, const struct talk_box_deliver *t, struct chan_word *w)
{
	struct bytes body = arena_copy(&d->arena, t->body);
	struct err e = OK;
	size_t n;

	d->sender = arena_copy(&d->arena, t->sender);
	d->summary = arena_copy(&d->arena, t->summary);
	d->recipients = arena_copy(&d->arena, t->recipients);
	if ((t->body.n && !body.p) || (t->sender.n && !d->sender.p) ||
	    (t->summary.n && !d->summary.p) || (t->recipients.n && !d->recipients.p))
		return ERR(ERR_MEMORY, 0, "delivery");
	d->body = (struct store_body){.bytes = body, .fd = chan_take_fd(w)};
	d->size = body.n;
	if (d->body.fd >= 0) {
		e = snap_check(d->body.fd, BODY_MAX, &n);
		if (is_ok(e))
			d->body.length = d->size = n;
	}
	return e;
}

/* Octets of the Return-Path field that our own front, or queue, put in front of the message. */
static uint32_t
return_path(const struct delivering *d)
{
	uint8_t ours[RETURN_PATH_MAX], there[RETURN_PATH_MAX];
	struct wr w = wr_of(ours, sizeof(ours));
	struct bytes line, begin = d->body.bytes;
	ssize_t got;

	wr_text(&w, "Return-Path: <");
	if (d->sender.n)
		address_write(&w, d->sender);
	wr_text(&w, ">\r\n");
	line = wr_since(&w, ours);
	if (d->body.fd >= 0) {
		got = pread(d->body.fd, there, line.n, 0);
		begin = (struct bytes){there, got > 0 ? (size_t)got : 0};
	}
	if (w.full || begin.n < line.n || memcmp(begin.p, line.p, line.n) != 0)
		return 0;
	return (uint32_t)line.n;
}

static uint64_t
header_end(const struct delivering *d, uint32_t skip)
{
	struct rd r = rd_of(d->summary);
	struct summary row;

	if (!is_ok(summary_read(&r, &row)) || row.body > d->size || row.body < skip)
		return d->size;
	return row.body;
}

static void
hand_in(struct delivering *d)
{
	const struct deliver_env *env = &d->deliver->env;
	uint32_t skip = return_path(d);
	struct blob_id blob = store_blob_new(env->store);

	d->rows = (struct delivery){
	    .op = d->op,
	    .accounts = d->accounts,
	    .n = d->n_accounts,
	    .sender = d->sender,
	    .summary = d->summary,
	    .blob = blob,
	    .size = d->size,
	    .now_s = loop_wall_ns(env->loop) / 1000000000,
	};
	d->queued = (struct spool_message){
	    .op = d->op,
	    .blob = blob,
	    .size = d->size,
	    .header = header_end(d, skip),
	    .skip = skip,
	    .sender = d->sender,
	    .rcpts = d->remotes,
	    .n = d->n_remotes,
	};
	d->waiting = 2; /* the last is this function */
	store_blob_put(env->store, blob, &d->body, body_done, d);
	if (d->n_accounts) {
		d->waiting++;
		mailbox_deliver(env->mailboxes, &d->rows, rows_done, d);
	}
	if (d->n_remotes) {
		d->waiting++;
		spool_add(env->spool, &d->queued, rows_done, d);
	}
	settled(d, OK);
}

/* ---- public ---- */

void
deliver_word(struct deliver *m, const struct peer *p, struct chan_word *w)
{
	struct asker to = peers_asker(p, w);
	struct talk_box_deliver t;
	struct delivering *d;
	struct err e;

	if (!talk_box_deliver_get(&w->body, &t))
		return;
	d = calloc(1, sizeof(*d));
	if (!d) {
		answer(m, to, ERR_LATER);
		return;
	}
	d->deliver = m;
	d->asker = to;
	d->body.fd = -1;
	d->may_relay = may_relay(m, p, &t);
	memcpy(d->op.id, t.op.b, sizeof(d->op.id));
	/* a front that was taken over must not be able to guess, and spoil, the queue's own */
	d->op.id[15] = (uint8_t)((d->op.id[15] & ~1) | (p->role == ROLE_QUEUE));
	e = keep(d, &t, w);
	if (is_ok(e))
		e = resolve(d);
	if (is_ok(e)) {
		hand_in(d);
		return;
	}
	d->waiting = 1;
	settled(d, e);
}

void
deliver_status(const struct deliver *m, struct wr *counters)
{
	report_put_counter(counters, "deliveries", m->deliveries);
	report_put_counter(counters, "forwarded", m->forwarded);
}

struct err
deliver_open(struct deliver **out, const struct deliver_env *env)
{
	struct deliver *m = calloc(1, sizeof(*m));

	if (!m)
		return ERR(ERR_MEMORY, 0, "deliver");
	m->env = *env;
	*out = m;
	return OK;
}

void
deliver_close(struct deliver *m)
{
	free(m);
}
