/* peers.c - a table of the peers that were ever there. */
#include "net/peers.h"

#include <assert.h>
#include <stdlib.h>

struct peers {
	struct loop *loop;
	enum role me;
	const struct peers_handlers *handlers;
	void *owner;
	uint32_t lives;
	struct peer *table[ROLE_COUNT][PEERS_INSTANCES];
};

static void
heard(void *owner, struct chan *c, struct chan_word *w)
{
	struct peer *p = owner;

	(void)c;
	p->peers->handlers->word(p->peers->owner, p, w);
}

static void
drop(struct peer *p, struct err why)
{
	struct chan *c = p->chan;

	if (!c)
		return;
	p->chan = NULL;
	chan_close(c);
	if (p->peers->handlers->gone)
		p->peers->handlers->gone(p->peers->owner, p, why);
}

static void
gone(void *owner, struct chan *c, struct err why)
{
	(void)c;
	drop(owner, why);
}

static const struct chan_handlers channel = {heard, gone};

struct err
peers_open(struct peers **out, struct loop *loop, enum role me, const struct peers_handlers *h,
           void *owner)
{
	struct peers *ps = calloc(1, sizeof(*ps));

	if (!ps)
		return ERR(ERR_MEMORY, 0, "peers");
	ps->loop = loop;
	ps->me = me;
	ps->handlers = h;
	ps->owner = owner;
	*out = ps;
	return OK;
}

void
peers_hang_up(struct peers *ps)
{
	for (size_t r = 0; r < ROLE_COUNT; r++)
		for (size_t i = 0; i < PEERS_INSTANCES; i++)
			if (ps->table[r][i]) {
				struct chan *c = ps->table[r][i]->chan;

				ps->table[r][i]->chan = NULL;
				chan_close(c);
			}
}

void
peers_close(struct peers *ps)
{
	if (!ps)
		return;
	peers_hang_up(ps);
	for (size_t r = 0; r < ROLE_COUNT; r++)
		for (size_t i = 0; i < PEERS_INSTANCES; i++)
			free(ps->table[r][i]);
	free(ps);
}

struct err
peers_add(struct peers *ps, enum role role, uint8_t instance, int fd)
{
	struct peer *p;
	struct err e;

	assert(role < ROLE_COUNT && instance < PEERS_INSTANCES);
	p = ps->table[role][instance];
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p) {
			loop_close_fd(ps->loop, fd);
			return ERR(ERR_MEMORY, 0, "peer");
		}
		*p = (struct peer){.role = role, .instance = instance, .peers = ps};
		ps->table[role][instance] = p;
	}
	drop(p, ERR(ERR_GONE, 0, "a newer channel came"));
	e = chan_open(&p->chan, ps->loop, fd, ps->me, role, &channel, p);
	if (!is_ok(e)) {
		p->chan = NULL;
		return e;
	}
	p->life = ++ps->lives;
	if (ps->handlers->come)
		ps->handlers->come(ps->owner, p);
	return OK;
}

struct chan *
peers_chan(struct peers *ps, enum role role, uint8_t instance)
{
	struct peer *p = instance < PEERS_INSTANCES ? ps->table[role][instance] : NULL;

	return p ? p->chan : NULL;
}

uint32_t
peers_life(const struct peers *ps, enum role role, uint8_t instance)
{
	const struct peer *p = instance < PEERS_INSTANCES ? ps->table[role][instance] : NULL;

	return p && p->chan ? p->life : 0;
}

void
peers_say_all(struct peers *ps, enum role role, struct talk_out what, int fd)
{
	for (uint8_t i = 0; i < PEERS_INSTANCES; i++) {
		struct chan *c = peers_chan(ps, role, i);

		if (c)
			chan_say(c, what, fd);
	}
}

struct asker
peers_asker(const struct peer *p, const struct chan_word *w)
{
	return (struct asker){p->role, p->instance, p->life, w->seq};
}

bool
peers_answer(struct peers *ps, struct asker to, struct talk_out answer, int fd)
{
	struct peer *p = ps->table[to.role][to.instance];

	return p && p->chan && p->life == to.life && chan_answer(p->chan, to.seq, answer, fd);
}
