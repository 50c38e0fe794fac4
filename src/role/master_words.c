/*
 * master_words.c - what the command line asks of the master by way of ctl: each question is put to
 * every role, and answered when all have answered or their time is over.
 */
#include "role/master_state.h"

#include "base/log.h"
#include "talk/report.h"

#include <stdlib.h>
#include <unistd.h>

enum { ASK_MS = 2000, REPORT_MAX = 61440, TEXT_MAX = 4096, HOST_MAX = 255 };

/* A question put to one role. */
struct part {
	struct chan_ask ask;
	struct master_ask *whole;
	struct child *child;
	bool open;
};

struct master_ask {
	struct master *master;
	struct master_ask *next;
	struct child *asker; /* NULL: nobody waits */
	uint32_t seq;
	size_t waiting;
	void (*second)(struct master_ask *); /* what to do behind the first answers; or NULL */
	void (*finish)(struct master_ask *);
	uint8_t code;
	struct config candidate; /* of a reload */
	struct wr out;
	uint8_t room[REPORT_MAX];
	size_t n;
	struct part parts[];
};

static struct master_ask *
ask_new(struct master *m, struct child *asker, uint32_t seq, void (*finish)(struct master_ask *))
{
	struct master_ask *a;
	size_t n = 0;

	for (struct child *c = children_first(m->children); c; c = c->next)
		n++;
	a = calloc(1, sizeof(*a) + n * sizeof(a->parts[0]));
	if (!a)
		return NULL;
	a->master = m;
	a->asker = asker;
	a->seq = seq;
	a->finish = finish;
	a->out = wr_of(a->room, sizeof(a->room));
	a->next = m->asks;
	m->asks = a;
	for (struct child *c = children_first(m->children); c; c = c->next)
		a->parts[a->n++] = (struct part){.whole = a, .child = c};
	return a;
}

static void
ask_free(struct master_ask *a)
{
	struct master_ask **link = &a->master->asks;

	while (*link != a)
		link = &(*link)->next;
	*link = a->next;
	for (size_t i = 0; i < a->n; i++)
		chan_ask_stop(&a->parts[i].ask);
	arena_free(&a->candidate.arena);
	free(a);
}

/* One less is waited for; behind the last one comes the second half, or the end. */
static void
part_over(struct master_ask *a)
{
	while (--a->waiting == 0) {
		void (*second)(struct master_ask *) = a->second;

		if (!second) {
			a->finish(a);
			ask_free(a);
			return;
		}
		a->second = NULL;
		a->waiting = 1;
		second(a);
	}
}

static void
part_done(struct part *p)
{
	p->open = false;
	part_over(p->whole);
}

/* ---- status ---- */

static void
report_child(struct master_ask *a, struct child *c, struct bytes counters)
{
	struct report_process row = {
	    .role = bytes_of(role_name(c->role)),
	    .instance = c->instance,
	    .state = (uint8_t)c->state,
	    .pid = (uint32_t)c->pid,
	    .uid = a->master->uids[c->role],
	    .restarts = c->restarts,
	    .cage = {c->cage, c->state == REPORT_READY ? sizeof(c->cage) : 0},
	    .counters = counters,
	};

	report_put_process(&a->out, &row);
}

static void
status_answered(void *owner, struct err e, struct chan_word *w)
{
	struct part *p = owner;
	struct talk_status_answer answer = {0};

	if (!is_ok(e) || !talk_status_answer_get(&w->body, &answer))
		answer.counters = NO_BYTES;
	report_child(p->whole, p->child, answer.counters);
	part_done(p);
}

static void
report_head(struct master_ask *a)
{
	struct master *m = a->master;
	struct report_server server = {
	    .version = BYTES(STEAD_VERSION),
	    .host_name = m->config.settings.host_name,
	    .pid = (uint64_t)getpid(),
	    .up_s = (loop_now_ms(m->loop) - m->started_ms) / 1000,
	};

	report_put_server(&a->out, &server);
	for (size_t i = 0; i < m->listeners.n; i++) {
		const struct listener *l = &m->listeners.list[i];
		uint8_t text[ADDR_TEXT + 8];
		struct wr w = wr_of(text, sizeof(text));
		struct report_listener row;

		/* the passive ports are many, and say no more than their first */
		if (l->instance || (l->service == SERVICE_FTP_DATA &&
		                    l->addr.port != m->config.settings.ftp.passive_port))
			continue;
		addr_text(&w, &l->addr);
		wr_text(&w, l->udp ? "/udp" : "/tcp");
		row.service = bytes_of(service_row(l->service)->name);
		row.address = wr_since(&w, text);
		report_put_listener(&a->out, &row);
	}
}

static void
status_finish(struct master_ask *a)
{
	struct talk_server_status_answer answer = {.report = wr_since(&a->out, a->room)};

	if (a->asker && a->asker->chan)
		chan_answer(a->asker->chan, a->seq, talk_server_status_answer_out(&answer), -1);
}

static void
status(struct master *m, struct child *asker, uint32_t seq)
{
	struct master_ask *a = ask_new(m, asker, seq, status_finish);

	if (!a)
		return;
	report_head(a);
	a->waiting = 1;
	for (size_t i = 0; i < a->n; i++) {
		struct part *p = &a->parts[i];

		p->open = p->child->chan && p->child->state == REPORT_READY &&
		          is_ok(chan_ask(p->child->chan, &p->ask,
		                         talk_status_out(&(struct talk_status){0}), -1, ASK_MS,
		                         status_answered, p));
		if (p->open)
			a->waiting++;
		else
			report_child(a, p->child, NO_BYTES);
	}
	part_over(a);
}

/* ---- settling ---- */

static void
settle_answered(void *owner, struct err e, struct chan_word *w)
{
	(void)e;
	(void)w;
	part_done(owner);
}

static void
settle_round(struct master_ask *a)
{
	for (size_t i = 0; i < a->n; i++) {
		struct part *p = &a->parts[i];

		p->open =
		    p->child->chan && is_ok(chan_ask(p->child->chan, &p->ask,
		                                     talk_status_out(&(struct talk_status){0}), -1,
		                                     ASK_MS, settle_answered, p));
		a->waiting += p->open;
	}
}

static void
settle_finish(struct master_ask *a)
{
	master_settled(a->master);
}

/*
 * Words on one channel keep their order.  Who answers the first round has all its peers, and has
 * sent them its image; who answers the second has an image that was there before the question.
 */
void
master_settle(struct master *m)
{
	struct master_ask *a = ask_new(m, NULL, 0, settle_finish);

	if (!a) {
		master_settled(m);
		return;
	}
	a->waiting = 1;
	a->second = settle_round;
	settle_round(a);
	part_over(a);
}

/* ---- reload ---- */

/* Without the end of the last line. */
static struct bytes
lines_of(struct bytes text)
{
	while (text.n && text.p[text.n - 1] == '\n')
		text.n--;
	return text;
}

static void
reload_answered(void *owner, struct err e, struct chan_word *w)
{
	struct part *p = owner;
	struct talk_reload_answer answer = {0};

	if (!is_ok(e) || !talk_reload_answer_get(&w->body, &answer)) {
		answer.code = ERR_LATER;
		answer.text = BYTES("did not answer");
	}
	if (answer.code) {
		answer.text = lines_of(answer.text);
		p->whole->code = answer.code;
		wr_printf(&p->whole->out, "%s: %.*s\n", role_name(p->child->role),
		          (int)answer.text.n, (const char *)answer.text.p);
	}
	part_done(p);
}

static void
reload_finish(struct master_ask *a)
{
	struct bytes text = lines_of(wr_since(&a->out, a->room));
	struct talk_server_reload_answer answer = {
	    .code = a->code, .text = {text.p, text.n < TEXT_MAX ? text.n : TEXT_MAX}};

	if (a->code)
		log_event(LOG_ERROR, "master.reload_refused", kv_text("why", answer.text));
	if (a->asker && a->asker->chan)
		chan_answer(a->asker->chan, a->seq, talk_server_reload_answer_out(&answer), -1);
}

/* Gives a child the candidate and asks it to take it. */
static void
reload_part(struct master_ask *a, struct part *p)
{
	uint8_t packed[MASTER_SETTINGS_MAX];
	struct wr w = wr_of(packed, sizeof(packed));
	struct talk_reload word;

	if (!p->child->chan || p->child->state != REPORT_READY)
		return; /* it takes the new settings when it starts again */
	settings_pack(&a->candidate.settings, (uint32_t)getuid(), &w);
	word.config = wr_since(&w, packed);
	master_offer(a->master, &a->candidate, p->child);
	p->open = is_ok(chan_ask(p->child->chan, &p->ask, talk_reload_out(&word), -1, 10 * ASK_MS,
	                         reload_answered, p));
	a->waiting += p->open;
	if (!p->open) {
		a->code = ERR_LATER;
		wr_printf(&a->out, "%s: could not be asked\n", role_name(p->child->role));
	}
}

/* The second half: `keys` has taken its part, or there is no such role now. */
static void
reload_rest(struct master_ask *a)
{
	struct master *m = a->master;

	if (a->code)
		return;
	for (size_t i = 0; i < a->n; i++)
		if (a->parts[i].child->role != ROLE_KEYS)
			reload_part(a, &a->parts[i]);
	master_adopt(m, &a->candidate);
	log_event(LOG_INFO, "master.reload");
	if (!listen_same(&m->listeners, &m->config.settings))
		wr_text(&a->out, "the addresses to listen on and the numbers of instances "
		                 "change with the next start\n");
}

void
master_reload_all(struct master *m, struct child *asker, uint32_t seq)
{
	struct master_ask *a = ask_new(m, asker, seq, reload_finish);
	struct err e;

	if (!a)
		return;
	a->waiting = 1;
	e = master_read(m, &a->candidate, &a->out);
	if (is_ok(e))
		e = master_check_files(m, &a->candidate, &a->out);
	if (is_ok(e))
		a->second = reload_rest;
	else
		a->code = talk_code(e);
	for (size_t i = 0; is_ok(e) && i < a->n; i++)
		if (a->parts[i].child->role == ROLE_KEYS)
			reload_part(a, &a->parts[i]);
	part_over(a);
}

/* ---- forbidden acts: test builds only, `stead act ROLE NUMBER` ---- */

#ifdef STEAD_ACTS
static void
act_answered(void *owner, struct err e, struct chan_word *w)
{
	struct part *p = owner;
	struct talk_act_answer answer = {0};

	/* a role that the act has killed did not do it either */
	p->whole->code = is_ok(e) && talk_act_answer_get(&w->body, &answer) ? 0 : ERR_DENIED;
	wr_u32(&p->whole->out, answer.result);
	part_done(p);
}

static void
act_finish(struct master_ask *a)
{
	struct rd r = rd_of(wr_since(&a->out, a->room));
	struct talk_role_act_answer answer = {.code = a->code, .result = rd_u32(&r)};

	if (a->asker && a->asker->chan)
		chan_answer(a->asker->chan, a->seq, talk_role_act_answer_out(&answer), -1);
}

static void
act(struct master *m, struct child *asker, struct chan_word *w)
{
	struct talk_role_act t;
	struct master_ask *a;

	if (!talk_role_act_get(&w->body, &t))
		return;
	a = ask_new(m, asker, w->seq, act_finish);
	if (!a)
		return;
	a->waiting = 1;
	a->code = ERR_NOTFOUND;
	for (size_t i = 0; i < a->n; i++) {
		struct part *p = &a->parts[i];

		p->open = p->child->role == t.role && p->child->chan &&
		          is_ok(chan_ask(p->child->chan, &p->ask,
		                         talk_act_out(&(struct talk_act){.number = t.number}), -1,
		                         ASK_MS, act_answered, p));
		a->waiting += p->open;
	}
	part_over(a);
}
#endif

/* ---- the port that FTP data comes from ---- */

/*
 * dial may not bind it itself: as any user it could not, and it would hold a right that it needs for
 * nothing else.  The socket can do no more than connect; it is bound to one of our addresses.
 */
static void
data_socket(struct master *m, struct child *c, struct chan_word *w)
{
	struct talk_dial_socket t;
	struct talk_dial_socket_answer a = {.code = ERR_DENIED};
	uint8_t packed[MASTER_SETTINGS_MAX];
	struct wr settings = wr_of(packed, sizeof(packed));
	struct role_settings told;
	struct addr from = {.port = 0};
	int fd = -1;
	struct err e = ERR(ERR_DENIED, 0, "address");

	if (!talk_dial_socket_get(&w->body, &t))
		return;
	settings_pack(&m->config.settings, (uint32_t)getuid(), &settings);
	if (t.local.n == sizeof(from.ip) &&
	    role_settings_unpack(wr_since(&settings, packed), &told)) {
		memcpy(from.ip, t.local.p, sizeof(from.ip));
		from.port = told.ftp_data_port;
		e = loop_bind(m->loop, &from, &fd);
	}
	a.code = is_ok(e) ? 0 : ERR_DENIED;
	if (c->chan)
		chan_answer(c->chan, w->seq, talk_dial_socket_answer_out(&a), fd);
	loop_close_fd(m->loop, fd);
}

/* ---- public ---- */

void
master_word(void *owner, struct child *c, struct chan_word *w)
{
	struct master *m = owner;

	switch ((int)w->word) {
	case WORD_SERVER_STATUS:
		status(m, c, w->seq);
		break;
	case WORD_SERVER_RELOAD:
		master_reload_all(m, c, w->seq);
		break;
	case WORD_DIAL_SOCKET:
		data_socket(m, c, w);
		break;
#ifdef STEAD_ACTS
	case WORD_ROLE_ACT:
		act(m, c, w);
		break;
#endif
	default:
		break;
	}
}

void
master_child_died(struct master *m, struct child *c)
{
	for (struct master_ask *a = m->asks; a; a = a->next)
		if (a->asker == c)
			a->asker = NULL;
}

void
master_forget(struct master *m)
{
	while (m->asks)
		ask_free(m->asks);
}
