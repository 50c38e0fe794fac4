/* site.c - a line for each place; the rounds give every place its turn. */
#include "queue/site.h"

#include <stdlib.h>

static struct bytes
name_of(const struct site *s)
{
	return (struct bytes){s->name, s->name_n};
}

/* ---- the lists ---- */

static void
list_leave(struct site *s)
{
	if (!s->in)
		return;
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	else
		s->in->last = s->link;
	s->in->n--;
	s->in = NULL;
}

static void
list_enter(struct site_list *list, struct site *s)
{
	s->in = list;
	s->next = NULL;
	s->link = list->last;
	*list->last = s;
	list->last = &s->next;
	list->n++;
}

static void
forget(struct sites *all, struct site *s)
{
	list_leave(s);
	map_remove(&all->map, name_of(s));
	free(s);
}

/* Keeps invariants 1 and 2, whatever changed; the site may be gone behind it. */
static void
settle(struct sites *all, struct site *s)
{
	bool rests = heap_holds(&s->wake), idle = !s->first && !s->running && !rests;
	struct site_list *list = NULL;

	if (idle && s->standing == SITE_FRESH) {
		forget(all, s);
		return;
	}
	if (idle) {
		list = &all->idle[s->standing];
		s->limit = SITE_TRIES_FIRST;
		s->failures = 0;
	} else if (s->first && s->running < s->limit && !rests) {
		list = &all->rounds[s->standing];
	}
	if (list == s->in)
		return;
	list_leave(s);
	if (list)
		list_enter(list, s);
	if (idle && list->n > SITES_KEPT)
		forget(all, list->first);
}

/* Keeps invariant 3. */
static void
stands_as(struct sites *all, struct site *s, enum site_standing standing)
{
	all->running[s->standing] -= s->running;
	s->standing = standing;
	all->running[s->standing] += s->running;
}

/* ---- lines ---- */

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
	settle(all, g->site);
	return OK;
}

void
sites_leave(struct sites *all, struct message_group *g)
{
	struct site *s = g->site;

	line_leave(all, g);
	g->state = GROUP_IDLE;
	g->site = NULL;
	settle(all, s);
}

/* ---- turns ---- */

/*
 * The proven ones and the others take turns, so that neither can keep the other waiting; of the
 * others, the fresh ones come first.  NULL: nobody may.
 */
static struct site *
whose_turn(const struct sites *all)
{
	struct site *proven = all->rounds[SITE_PROVEN].first;
	struct site *fresh = all->rounds[SITE_FRESH].first;
	struct site *tried = all->rounds[SITE_TRIED].first;
	struct site *other;

	if (all->running[SITE_TRIED] >= SITES_TRIED_MAX)
		tried = NULL;
	other = tried && (!fresh || all->fresh_turns >= SITES_TRIED_TURN - 1) ? tried : fresh;
	if (all->running[SITE_FRESH] + all->running[SITE_TRIED] >= SITES_UNPROVEN_MAX)
		other = NULL;
	return proven && (!other || !all->proven_had) ? proven : other;
}

struct message_group *
sites_take(struct sites *all)
{
	struct site *s = whose_turn(all);
	struct message_group *g;

	if (!s)
		return NULL;
	all->proven_had = s->standing == SITE_PROVEN;
	if (s->standing == SITE_TRIED)
		all->fresh_turns = 0;
	else if (s->standing == SITE_FRESH && all->fresh_turns < SITES_TRIED_TURN)
		all->fresh_turns++;
	g = s->first;
	line_leave(all, g);
	g->state = GROUP_RUNS;
	s->running++;
	all->running[s->standing]++;
	list_leave(s);
	settle(all, s); /* behind all others */
	return g;
}

bool
sites_has_turn(const struct sites *all)
{
	return whose_turn(all) != NULL;
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
	all->running[s->standing]--;
	g->site = NULL;
	g->state = GROUP_IDLE;
	if (news == SITE_UNREACHABLE)
		e = rest(all, s, now_ms);
	if (news == SITE_WORKED || news == SITE_ANSWERED || news == SITE_BUSY) {
		heap_remove(&all->resting, &s->wake);
		s->failures = 0;
	}
	if (news == SITE_WORKED)
		stands_as(all, s, SITE_PROVEN);
	else if (news == SITE_UNREACHABLE || (news != SITE_NOTHING && s->standing == SITE_FRESH))
		stands_as(all, s, SITE_TRIED);
	if (news == SITE_WORKED && s->limit < SITE_TRIES_MAX)
		s->limit++;
	if (news == SITE_BUSY && s->limit > 1)
		s->limit /= 2;
	settle(all, s);
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
		settle(all, s);
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
	settle(all, s);
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
	for (size_t i = 0; i < SITE_STANDINGS; i++) {
		all->rounds[i].last = &all->rounds[i].first;
		all->idle[i].last = &all->idle[i].first;
	}
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
