/* message.c - one piece of memory: the message, its groups, its recipients, then their texts. */
#include "queue/message.h"

#include <stdlib.h>

static struct bytes
domain_of(struct bytes address)
{
	size_t at = address.n;

	while (at && address.p[at - 1] != '@')
		at--;
	return (struct bytes){address.p + at, address.n - at};
}

static int
by_domain(const void *a, const void *b)
{
	const struct message_rcpt *x = a, *y = b;
	int order = bytes_cmp(domain_of(x->address), domain_of(y->address));

	return order ? order : (x->number > y->number) - (x->number < y->number);
}

/* A copy whose domain is in lower case. */
static struct bytes
copy_address(struct wr *text, struct bytes address)
{
	struct bytes copy = {text->p, address.n};
	size_t local = address.n - domain_of(address).n;

	wr_bytes(text, (struct bytes){address.p, local});
	for (size_t i = local; i < address.n; i++)
		wr_u8(text, lower(address.p[i]));
	return copy;
}

static struct err
say(struct message_rcpt *r, struct bytes server, struct bytes reply)
{
	size_t n = server.n + reply.n;
	uint8_t *said = n ? malloc(n) : NULL;
	struct wr w = wr_of(said, said ? n : 0);

	if (n && !said)
		return ERR(ERR_MEMORY, 0, "queued reply");
	wr_bytes(&w, server);
	wr_bytes(&w, reply);
	free(r->said);
	r->said = said;
	r->server_n = (uint16_t)server.n;
	r->reply_n = (uint16_t)reply.n;
	return OK;
}

static struct err
fill_rcpts(struct message *m, const struct spool_rcpt *rows, size_t n, struct wr *text)
{
	struct err e = OK;

	for (size_t i = 0; is_ok(e) && i < n; i++) {
		struct message_rcpt *r = &m->rcpts[i];

		*r = (struct message_rcpt){
		    .address = copy_address(text, rows[i].address),
		    .number = rows[i].number,
		    .tries = rows[i].tries,
		    .report = rows[i].report,
		    .state = rows[i].state,
		    .status = {rows[i].status[0], rows[i].status[1], rows[i].status[2]},
		    .is_reply = rows[i].is_reply,
		};
		m->n_rcpts++;
		if (!domain_of(r->address).n ||
		    (r->state != SPOOL_WAITING && r->state != SPOOL_GIVEN_UP))
			return ERR(ERR_SYNTAX, 0, "a recipient of a queued message");
		e = say(r, rows[i].server, rows[i].reply);
	}
	return e;
}

static void
fill_groups(struct message *m)
{
	struct message_group *g = NULL;

	qsort(m->rcpts, m->n_rcpts, sizeof(*m->rcpts), by_domain);
	for (uint16_t i = 0; i < m->n_rcpts; i++) {
		struct bytes domain = domain_of(m->rcpts[i].address);

		if (!g || g->n == GROUP_RCPTS_MAX || !bytes_eq(g->domain, domain)) {
			g = &m->groups[m->n_groups++];
			*g = (struct message_group){.message = m, .domain = domain, .first = i};
		}
		g->n++;
	}
}

struct err
message_new(struct message **out, const struct spool_head *head, const struct spool_rcpt *rows,
            size_t n)
{
	size_t rows_n = n * (sizeof(struct message_group) + sizeof(struct message_rcpt));
	size_t text_n = head->sender.n;
	struct message *m;
	struct wr text;
	struct err e;

	if (!n || n > SPOOL_RCPTS_MAX || !head->id || head->header > head->size ||
	    head->skip > head->header)
		return ERR(ERR_SYNTAX, 0, "a queued message");
	for (size_t i = 0; i < n; i++)
		text_n += rows[i].address.n;
	m = calloc(1, sizeof(*m) + rows_n + text_n);
	if (!m)
		return ERR(ERR_MEMORY, 0, "queued message");
	m->octets = sizeof(*m) + rows_n + text_n;
	m->groups = (struct message_group *)(m + 1);
	m->rcpts = (struct message_rcpt *)(m->groups + n);
	text = wr_of((uint8_t *)(m->rcpts + n), text_n);
	m->head = *head;
	m->head.sender = (struct bytes){text.p, head->sender.n};
	wr_bytes(&text, head->sender);
	e = fill_rcpts(m, rows, n, &text);
	if (!is_ok(e)) {
		message_free(m);
		return e;
	}
	fill_groups(m);
	*out = m;
	return OK;
}

void
message_free(struct message *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_rcpts; i++)
		free(m->rcpts[i].said);
	free(m);
}

struct err
message_say(struct message *m, struct message_rcpt *r, const struct spool_result *result,
            int64_t *octets)
{
	bool many = m->n_rcpts >= SPOOL_MANY;
	size_t server_max = many ? SPOOL_RCPT_KEPT : SPOOL_SERVER_MAX;
	size_t reply_max = many ? SPOOL_RCPT_KEPT : SPOOL_REPLY_MAX;
	struct bytes server = result->server, reply = result->reply;

	server.n = server.n < server_max ? server.n : server_max;
	reply.n = reply.n < reply_max ? reply.n : reply_max;
	*octets = (int64_t)(server.n + reply.n) - (int64_t)r->server_n - (int64_t)r->reply_n;
	memcpy(r->status, result->status, sizeof(r->status));
	r->is_reply = result->is_reply;
	return say(r, server, reply);
}

struct spool_rcpt
message_row(const struct message_rcpt *r)
{
	return (struct spool_rcpt){
	    .number = r->number,
	    .state = r->state,
	    .tries = r->tries,
	    .report = r->report,
	    .status = {r->status[0], r->status[1], r->status[2]},
	    .is_reply = r->is_reply,
	    .address = r->address,
	    .server = {r->said, r->server_n},
	    .reply = {r->reply_n ? r->said + r->server_n : NULL, r->reply_n},
	};
}

struct message_group *
message_group(struct message *m, const struct message_rcpt *r)
{
	size_t at = (size_t)(r - m->rcpts), low = 0, high = m->n_groups;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (at < m->groups[middle].first)
			high = middle;
		else
			low = middle;
	}
	return &m->groups[low];
}

size_t
message_group_count(const struct message_group *g, enum spool_state state)
{
	size_t n = 0;

	for (size_t i = g->first; i < (size_t)g->first + g->n; i++)
		n += g->message->rcpts[i].state == state;
	return n;
}

size_t
message_count(const struct message *m, enum spool_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_groups; i++)
		n += message_group_count(&m->groups[i], state);
	return n;
}

bool
message_runs(const struct message *m)
{
	for (size_t i = 0; i < m->n_groups; i++)
		if (m->groups[i].state == GROUP_RUNS)
			return true;
	return false;
}
