/* queue_rig.c - box, queue, and those around them, on one loop. */
#include "queue_rig.h"

#include "box/box.h"
#include "mail/summary.h"
#include "net/snap.h"
#include "serve/queue.h"

#include <unistd.h>

const struct spool_result rig_delivered = {
    SPOOL_DELIVERED, {2, 0, 0}, {(const uint8_t *)"mx", 2}, {(const uint8_t *)"250 ok", 6}, true};
const struct spool_result rig_deferred = {
    SPOOL_DEFERRED, {4, 2, 0}, {(const uint8_t *)"mx", 2}, {(const uint8_t *)"450 later", 9}, true};
const struct spool_result rig_refused = {
    SPOOL_FAILED, {5, 1, 1}, {(const uint8_t *)"mx", 2}, {(const uint8_t *)"550 no", 6}, true};

static void
quiet(void *owner, const struct log_record *record)
{
	(void)owner;
	if (getenv("RIG_LOG"))
		fprintf(stderr, "%s\n", record->name);
}

/* ---- the ends ---- */

static void
box_heard(void *owner, const struct peer *p, struct chan_word *w)
{
	box_word(((struct queue_rig *)owner)->box, p, w);
}

static void
box_came(void *owner, const struct peer *p)
{
	box_peer_came(((struct queue_rig *)owner)->box, p);
}

static void
box_gone(void *owner, const struct peer *p, struct err why)
{
	(void)why;
	box_peer_gone(((struct queue_rig *)owner)->box, p);
}

static void
queue_heard(void *owner, const struct peer *p, struct chan_word *w)
{
	queue_serve_word(((struct queue_rig *)owner)->queue, p, w);
}

static void
queue_came(void *owner, const struct peer *p)
{
	queue_serve_came(((struct queue_rig *)owner)->queue, p);
}

static void
queue_gone(void *owner, const struct peer *p, struct err why)
{
	(void)owner;
	(void)p;
	(void)why;
}

static void
failed(void *owner, struct err e)
{
	(void)owner;
	fail_msg("%s", e.why);
}

static void
out_word(void *owner, struct chan *c, struct chan_word *w)
{
	struct queue_rig *r = owner;
	uint8_t room[61440], to[32768];
	struct wr results = wr_of(room, sizeof(room));
	struct talk_out_send_answer answer;
	struct talk_out_send t;
	struct rd rcpts;
	ssize_t got;

	if (w->word != WORD_OUT_SEND || r->silent)
		return;
	assert_true(talk_out_send_get(&w->body, &t));
	r->tries++;
	if (w->fd >= 0) {
		got = pread(w->fd, r->body, sizeof(r->body), t.skip);
		r->body_n = got > 0 ? (size_t)got : 0;
	} else {
		assert_int_equal(t.body.n, t.size);
		r->body_n = t.body.n - t.skip;
		if (r->body_n > sizeof(r->body))
			r->body_n = sizeof(r->body);
		memcpy(r->body, t.body.p + t.skip, r->body_n);
	}
	memcpy(to, t.recipients.p, t.recipients.n);
	rcpts = rd_of((struct bytes){to, t.recipients.n});
	while (rd_left(&rcpts)) {
		const struct spool_result result = r->outcome(r, rd_bytes16(&rcpts));

		spool_result_put(&results, &result);
	}
	answer.results = wr_since(&results, room);
	chan_answer(c, w->seq, talk_out_send_answer_out(&answer), -1);
}

static void
no_word(void *owner, struct chan *c, struct chan_word *w)
{
	(void)owner;
	(void)c;
	(void)w;
}

static void
no_gone(void *owner, struct chan *c, struct err why)
{
	(void)owner;
	(void)c;
	(void)why;
}

static const struct peers_handlers box_handlers = {box_heard, box_came, box_gone};
static const struct peers_handlers queue_handlers = {queue_heard, queue_came, queue_gone};
static const struct chan_handlers out_handlers = {out_word, no_gone};
static const struct chan_handlers far_handlers = {no_word, no_gone};

/* ---- life and death ---- */

static struct chan *
join(struct queue_rig *r, struct peers *peers, enum role role, enum role there,
     const struct chan_handlers *handlers)
{
	struct chan *c;
	int fd[2];

	assert_true(is_ok(loop_pair(r->loop, LOOP_MESSAGES, fd)));
	assert_true(is_ok(chan_open(&c, r->loop, fd[1], role, there, handlers, r)));
	assert_true(is_ok(peers_add(peers, role, 0, fd[0])));
	return c;
}

struct chan *
rig_join(struct queue_rig *r, struct peers *peers, enum role role, enum role there)
{
	return join(r, peers, role, there, &far_handlers);
}

static void
connect(struct queue_rig *r)
{
	int fd[2];

	if (!r->box_lives || !r->queue_lives)
		return;
	assert_true(is_ok(loop_pair(r->loop, LOOP_MESSAGES, fd)));
	assert_true(is_ok(peers_add(r->box_peers, ROLE_QUEUE, 0, fd[0])));
	assert_true(is_ok(peers_add(r->queue_peers, ROLE_BOX, 0, fd[1])));
}

void
rig_box_start(struct queue_rig *r)
{
	struct box_env env = {.loop = r->loop,
	                      .random = r->random,
	                      .store = r->store,
	                      .areas = -1,
	                      .failed = failed,
	                      .owner = r};

	assert_true(is_ok(peers_open(&r->box_peers, r->loop, ROLE_BOX, &box_handlers, r)));
	env.peers = r->box_peers;
	assert_true(is_ok(box_open(&r->box, &env)));
	assert_true(is_ok(box_start(r->box)));
	r->smtp = rig_join(r, r->box_peers, ROLE_SMTP, ROLE_BOX);
	r->box_ctl = rig_join(r, r->box_peers, ROLE_CTL, ROLE_BOX);
	r->box_lives = true;
	connect(r);
}

/* What was handed in to the store is done; nobody is told. */
void
rig_box_kill(struct queue_rig *r)
{
	r->box_lives = false;
	peers_hang_up(r->box_peers);
	while (store_pending(r->store))
		assert_true(is_ok(store_turn(r->store)));
	box_close(r->box);
	peers_close(r->box_peers);
	chan_close(r->smtp);
	chan_close(r->box_ctl);
}

void
rig_out_start(struct queue_rig *r)
{
	r->out = join(r, r->queue_peers, ROLE_OUT, ROLE_QUEUE, &out_handlers);
	r->out_lives = true;
}

void
rig_out_kill(struct queue_rig *r)
{
	r->out_lives = false;
	chan_close(r->out);
}

void
rig_queue_start(struct queue_rig *r)
{
	const struct queue_serve_conf conf = {
	    .host = BYTES("mx.a.org"), .failed = failed, .owner = r};

	assert_true(is_ok(peers_open(&r->queue_peers, r->loop, ROLE_QUEUE, &queue_handlers, r)));
	assert_true(
	    is_ok(queue_serve_open(&r->queue, &conf, r->loop, r->queue_random, r->queue_peers)));
	r->queue_ctl = rig_join(r, r->queue_peers, ROLE_CTL, ROLE_QUEUE);
	rig_out_start(r);
	r->queue_lives = true;
	connect(r);
	queue_serve_start(r->queue);
}

void
rig_queue_kill(struct queue_rig *r)
{
	r->queue_lives = false;
	peers_hang_up(r->queue_peers);
	queue_serve_close(r->queue);
	peers_close(r->queue_peers);
	chan_close(r->queue_ctl);
	if (r->out_lives)
		rig_out_kill(r);
}

/* ---- asking ---- */

struct ask {
	struct queue_rig *rig;
	struct chan_ask ask;
	bool answered;
	uint8_t *code; /* NULL: of nobody's concern */
};

static void
answered(void *owner, struct err e, struct chan_word *w)
{
	struct talk_people_change_answer people;
	struct talk_box_deliver_answer deliver;
	struct talk_queue_change_answer change;
	struct talk_queue_list_answer list;
	struct ask *a = owner;
	uint8_t code = 255;

	if (is_ok(e) && a->ask.word == WORD_PEOPLE_CHANGE &&
	    talk_people_change_answer_get(&w->body, &people))
		code = people.code;
	if (is_ok(e) && a->ask.word == WORD_BOX_DELIVER &&
	    talk_box_deliver_answer_get(&w->body, &deliver))
		code = deliver.code;
	if (is_ok(e) && a->ask.word == WORD_QUEUE_CHANGE &&
	    talk_queue_change_answer_get(&w->body, &change)) {
		code = change.code;
		a->rig->changed = change.count;
	}
	if (is_ok(e) && a->ask.word == WORD_QUEUE_LIST &&
	    talk_queue_list_answer_get(&w->body, &list)) {
		code = list.code;
		a->rig->listed_n = list.rows.n;
		if (list.rows.n)
			memcpy(a->rig->listed, list.rows.p, list.rows.n);
	}
	a->rig->code = code;
	a->answered = true;
}

/* The answer's code; 255: there was none. */
static uint8_t
ask(struct queue_rig *r, struct chan *c, struct talk_out word, int fd)
{
	struct ask a = {.rig = r};

	if (!is_ok(chan_ask(c, &a.ask, word, fd, 60000, answered, &a)))
		return 255;
	for (int i = 0; i < 1000 && !a.answered; i++)
		sim_run(r->loop, 5);
	chan_ask_stop(&a.ask);
	return a.answered ? r->code : 255;
}

void
rig_people(struct queue_rig *r, enum people_change what, const char *name, const char *target)
{
	uint8_t room[4096];
	struct wr w = wr_of(room, sizeof(room));
	struct talk_people_change word = {.what = (uint8_t)what, .name = bytes_of(name)};
	struct bytes rest = bytes_of(target);

	while (rest.n)
		wr_bytes16(&w, text_cut(&rest, ' '));
	word.targets = wr_since(&w, room);
	assert_int_equal(ask(r, r->box_ctl, talk_people_change_out(&word), -1), 0);
}

static struct bytes
text_of(const struct rig_mail *m, uint8_t *room, size_t n)
{
	struct wr w = wr_of(room, n);

	wr_printf(&w, "Return-Path: <%s>\r\n", m->sender);
	wr_text(&w, m->text ? m->text : "Subject: hello\r\n\r\nbody\r\n");
	assert_false(w.full);
	return wr_since(&w, room);
}

/* Hands a message in as smtp does; the code of the answer, or 255. */
uint8_t
rig_send(struct queue_rig *r, const struct rig_mail *m)
{
	uint8_t text[8192], rcpts[4096], rows[SUMMARY_PACKED_MAX];
	struct wr to = wr_of(rcpts, sizeof(rcpts)), row = wr_of(rows, sizeof(rows));
	struct talk_box_deliver word = {
	    .handle = m->handle, .trusted = m->trusted, .sender = bytes_of(m->sender)};
	struct bytes rest = bytes_of(m->rcpts), body = text_of(m, text, sizeof(text));
	struct summary_scan scan;
	struct summary sum;
	int fd = -1;
	uint8_t code;

	while (rest.n)
		wr_bytes16(&to, text_cut(&rest, ' '));
	summary_init(&scan);
	summary_feed(&scan, body);
	sum = summary_done(&scan);
	summary_write(&row, &sum);
	summary_fini(&scan);
	word.op.b[0] = m->op ? m->op : ++r->ops;
	word.op.b[1] = m->op != 0;
	word.recipients = wr_since(&to, rcpts);
	word.summary = wr_since(&row, rows);
	if (m->large)
		assert_true(is_ok(snap_copy("mail", body, &fd)));
	else
		word.body = body;
	code = ask(r, r->smtp, talk_box_deliver_out(&word), fd);
	if (fd >= 0)
		close(fd);
	return code;
}

uint8_t
rig_change(struct queue_rig *r, uint64_t id, enum queue_change what)
{
	const struct talk_queue_change word = {.id = id, .what = (uint8_t)what};

	return ask(r, r->queue_ctl, talk_queue_change_out(&word), -1);
}

/* The first message that is queued; its id, or 0. */
uint64_t
rig_first(struct queue_rig *r, struct spool_head *head, struct spool_rcpt *rcpt)
{
	const struct talk_queue_list word = {0};
	struct rd rows;
	uint16_t n;

	if (ask(r, r->queue_ctl, talk_queue_list_out(&word), -1) != 0 || !r->listed_n)
		return 0;
	rows = rd_of((struct bytes){r->listed, r->listed_n});
	assert_true(spool_head_get(&rows, head, &n));
	assert_true(spool_rcpt_get(&rows, rcpt));
	return head->id;
}

/* ---- looking ---- */

/* How many entries with this letter a shard has; text: that a body of theirs must hold, or NULL. */
static size_t
count(struct queue_rig *r, struct shard_id shard, char letter, const char *text)
{
	uint8_t from[STORE_KEY_MAX + 1] = {(uint8_t)letter}, to = (uint8_t)(letter + 1);
	struct store_page page = {.more = true};
	size_t n = 0, from_n = 1;

	while (page.more) {
		struct arena a = arena_init(0);

		assert_true(
		    is_ok(store_range(r->store, shard, STORE_ANY, (struct bytes){from, from_n},
		                      (struct bytes){&to, 1}, STORE_RANGE_MAX, &page, &a)));
		for (size_t i = 0; i < page.n; i++) {
			const struct store_entry *entry = &page.entries[i];
			static uint8_t body[65536];
			size_t got = 0;

			if (text && !blob_is_none(entry->blob))
				assert_true(is_ok(store_blob_read(r->store, entry->blob, 0, body,
				                                  sizeof(body), &got)));
			n += !text || memmem(body, got, text, strlen(text)) != NULL;
			memcpy(from, entry->key.p, entry->key.n);
			from[entry->key.n] = 0;
			from_n = entry->key.n + 1;
		}
		arena_free(&a);
	}
	return n;
}

/* Messages in this account's mailboxes that hold this text. */
size_t
rig_mail_of(struct queue_rig *r, uint64_t account, const char *text)
{
	return count(r, shard_number(SHARD_ACCOUNT, account), 'm', text);
}

size_t
rig_spooled(struct queue_rig *r, char letter)
{
	size_t n = 0;

	for (unsigned i = 0; i < 16; i++)
		n += count(r, shard_number(SHARD_QUEUE, i), letter, NULL);
	return n;
}

static struct spool_result
takes_all(struct queue_rig *r, struct bytes recipient)
{
	(void)r;
	(void)recipient;
	return rig_delivered;
}

/* a.org with the accounts alice (1) and carol (2), and an alias far@a.org to x@far.org. */
void
rig_init(struct queue_rig *r, struct store *store, uint64_t seed)
{
	*r = (struct queue_rig){.store = store, .outcome = takes_all};
	log_to(quiet, NULL);
	r->random = random_seeded(seed);
	r->queue_random = random_seeded(seed + 1000);
	assert_true(is_ok(loop_sim_open(&r->loop, seed)));
	rig_box_start(r);
	rig_queue_start(r);
	rig_people(r, PEOPLE_ADD_DOMAIN, "a.org", "");
	rig_people(r, PEOPLE_ADD_ACCOUNT, "alice@a.org", "");
	rig_people(r, PEOPLE_ADD_ACCOUNT, "carol@a.org", "");
	rig_people(r, PEOPLE_ADD_ALIAS, "far@a.org", "x@far.org");
}

/* The store stays open. */
void
rig_fini(struct queue_rig *r)
{
	if (r->queue_lives)
		rig_queue_kill(r);
	if (r->box_lives)
		rig_box_kill(r);
	assert_int_equal(sim_open_fds(r->loop), 0);
	loop_close(r->loop);
	random_close(r->random);
	random_close(r->queue_random);
	log_to(NULL, NULL);
}

struct store *
rig_memory(struct random *random)
{
	const struct store_conf conf = {.engine = STORE_MEMORY, .random = random};
	struct store *s;

	assert_true(is_ok(store_open(&s, &conf)));
	return s;
}
