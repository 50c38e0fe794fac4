/* site.c - a line for each place; the round gives every place its turn. */
#include "queue/site.h"

#include <stdlib.h>

static struct bytes
name_of(const struct site *s)
{
	return (struct bytes){s->name, s->name_n};
}

static void
round_leave(struct sites *all, struct site *s)
{
	if (!s->link)
		return;
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	else
		all->last = s->link;
	s->link = NULL;
}

/* Keeps invariant 1. */
static void
round_enter(struct sites *all, struct site *s)
{
	bool may = s->first && s->running < s->limit && !heap_holds(&s->wake);

	if (!may)
		round_leave(all, s);
	if (!may || s->link)
		return;
	s->next = NULL;
	s->link = all->last;
	*all->last = s;
	all->last = &s->next;
}

/* Keeps invariant 2. */
static void
drop_idle(struct sites *all, struct site *s)
{
	if (s->first || s->running || heap_holds(&s->wake))
		return;
	round_leave(all, s);
	map_remove(&all->map, name_of(s));
	free(s);
}

static struct err
site_get(struct sites *all, struct bytes name, struct site **out)
{
	struct site *s = map_get(&all->map, name);

	*out = s;
	if (s)
		return OK;
	s = calloc(1, sizeof(*s) + name.n);
	if (!s)
		return ERR(ERR_MEMORY, 0, "site");
	s->last = &s->first;
	s->limit = SITE_TRIES_FIRST;
	s->name_n = name.n;
	if (name.n)
		memcpy(s->name, name.p, name.n);
	if (!map_put(&all->map, name, s)) {
		free(s);
		return ERR(ERR_MEMORY, 0, "site");
	}
	*out = s;
	return OK;
}

static void
line_leave(struct sites *all, struct message_group *g)
{
	struct site *s = g->site;

	*g->link = g->next;
	if (g->next)
		g->next->link = g->link;
	else
		s->last = g->link;
	g->next = NULL;
	g->link = NULL;
	all->ready--;
}

struct err
sites_ready(struct sites *all, struct message_group *g, struct bytes name)
{
	struct err e = site_get(all, name, &g->site);

	if (!is_ok(e))
		return e;
	g->state = GROUP_READY;
	g->next = NULL;
	g->link = g->site->last;
	*g->site->last = g;
	g->site->last = &g->next;
	all->ready++;
	round_enter(all, g->site);
	return OK;
}

void
sites_leave(struct sites *all, struct message_group *g)
{
	struct site *s = g->site;

	line_leave(all, g);
	g->state = GROUP_IDLE;
	g->site = NULL;
	round_enter(all, s);
	drop_idle(all, s);
}

struct message_group *
sites_take(struct sites *all)
{
	struct site *s = all->first;
	struct message_group *g;

	if (!s)
		return NULL;
	g = s->first;
	line_leave(all, g);
	g->state = GROUP_RUNS;
	s->running++;
	round_leave(all, s);
	round_enter(all, s); /* behind all others */
	return g;
}

static struct err
rest(struct sites *all, struct site *s, uint64_t now_ms)
{
	uint64_t ms = SITE_REST_MAX_MS;

	s->limit = s->limit > 1 ? s->limit / 2 : 1;
	if (heap_holds(&s->wake)) /* several tries have met the same failure */
		return OK;
	if (s->failures < 5)
		ms = (uint64_t)SITE_REST_MS << s->failures;
	s->failures++;
	s->rests_until_ms = now_ms + ms;
	return heap_push(&all->resting, &s->wake, s->rests_until_ms)
	           ? OK
	           : ERR(ERR_MEMORY, 0, "resting sites");
}

struct err
sites_over(struct sites *all, struct message_group *g, enum site_news news, uint64_t now_ms)
{
	struct site *s = g->site;
	struct err e = OK;

	s->running--;
	g->site = NULL;
	g->state = GROUP_IDLE;
	if (news == SITE_UNREACHABLE)
		e = rest(all, s, now_ms);
	if (news == SITE_WORKED || news == SITE_ANSWERED || news == SITE_BUSY) {
		heap_remove(&all->resting, &s->wake);
		s->failures = 0;
	}
	if (news == SITE_WORKED && s->limit < SITE_TRIES_MAX)
		s->limit++;
	if (news == SITE_BUSY && s->limit > 1)
		s->limit /= 2;
	round_enter(all, s);
	drop_idle(all, s);
	return e;
}

void
sites_wake(struct sites *all, uint64_t now_ms)
{
	struct heap_node *node;

	while ((node = heap_first(&all->resting)) && node->key <= now_ms) {
		struct site *s = (struct site *)node; /* its first member */

		heap_remove(&all->resting, node);
		s->limit = 1; /* one goes and looks */
		round_enter(all, s);
		drop_idle(all, s);
	}
}

void
sites_rouse(struct sites *all, struct bytes name)
{
	struct site *s = map_get(&all->map, name);

	if (!s)
		return;
	heap_remove(&all->resting, &s->wake);
	s->failures = 0;
	round_enter(all, s);
	drop_idle(all, s);
}

uint64_t
sites_wakes(const struct sites *all)
{
	const struct heap_node *node = heap_first(&all->resting);

	return node ? node->key : UINT64_MAX;
}

void
sites_init(struct sites *all, const uint8_t key[16])
{
	*all = (struct sites){.ready = 0};
	all->last = &all->first;
	map_init(&all->map, key);
}

void
sites_fini(struct sites *all)
{
	struct map_at at = {0};
	struct site *s;

	heap_fini(&all->resting);
	while ((s = map_next(&all->map, &at, NULL)))
		free(s);
	map_free(&all->map);
}
