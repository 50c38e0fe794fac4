/*
 * aliases.c - follows each alias to its final targets.
 *
 * No recursion: the aliases between the one that is resolved and the one that is looked at stand
 * in a path of DIRECTORY_DEPTH_MAX; one that is on the path already is a loop, one that was left
 * is not entered again.
 */
#include "directory/aliases.h"

#include "base/text.h"

#include <stdlib.h>

/* Targets looked at for one alias: lists in lists in lists have an end. */
enum { STEPS_MAX = 16 * DIRECTORY_TARGETS_MAX };

/* One alias on its way: the aliases from it to where we are, and what was found. */
struct walk {
	struct directory_builder *b;
	struct entry *root;
	struct {
		struct entry *entry;
		size_t next;
	} path[DIRECTORY_DEPTH_MAX];
	size_t depth, steps;
	struct map found;
	struct target *targets;
	size_t n;
	directory_complain *complain;
	void *owner;
};

static void
complain(struct walk *w, enum directory_fault fault, struct bytes target)
{
	if (w->complain)
		w->complain(w->owner, fault, w->root->key, target);
}

/*
 * Adds a final target unless it is there; the domain of a remote one counts in lower case.
 * ERR_FULL when there are too many.
 */
static struct err
found(struct walk *w, struct target t)
{
	uint8_t room[1 + FORMAT_KEY_MAX];
	struct wr id = wr_of(room, sizeof(room));
	struct bytes local, domain;

	wr_u8(&id, t.remote.p ? 1 : 0);
	if (!t.remote.p) {
		wr_u64(&id, t.account);
	} else if (entries_split(t.remote, &local, &domain)) {
		wr_bytes(&id, local);
		wr_u8(&id, '@');
		text_lower_into(&id, domain);
	}
	if (map_get(&w->found, wr_since(&id, room)))
		return OK;
	if (w->n == DIRECTORY_TARGETS_MAX)
		return ERR(ERR_FULL, 0, "directory: targets");
	if (!map_put(&w->found, wr_since(&id, room), w))
		return ERR(ERR_MEMORY, 0, "directory: targets");
	w->targets[w->n++] = t;
	return OK;
}

/* Goes on with the targets of an alias that the path leads to; false when it may not. */
static bool
enter(struct walk *w, struct entry *e, struct bytes text)
{
	if (e->on_path) {
		complain(w, DIRECTORY_LOOP, text);
		return false;
	}
	if (e->seen_from == w->b->turn)
		return true;
	if (w->depth == DIRECTORY_DEPTH_MAX) {
		complain(w, DIRECTORY_DEPTH, text);
		return false;
	}
	e->seen_from = w->b->turn;
	e->on_path = true;
	w->path[w->depth].entry = e;
	w->path[w->depth++].next = 0;
	return true;
}

/* One target of the alias at the end of the path; *bad when the root cannot be resolved. */
static struct err
step(struct walk *w, struct bytes text, bool *bad)
{
	struct target t = {text, 0, 0};
	struct bytes local, domain;
	struct entry *e;
	struct err err;

	if (entries_split(text, &local, &domain) && entries_get(w->b, domain)) {
		e = entries_find(w->b, local, domain);
		if (!e) {
			complain(w, DIRECTORY_DEAD_END, text);
			return OK;
		}
		if (e->kind != FORMAT_ACCOUNT) {
			*bad = !enter(w, e, text);
			return OK;
		}
		t = (struct target){NO_BYTES, e->account, e->flags};
	}
	err = found(w, t);
	if (err.code != ERR_FULL)
		return err;
	complain(w, DIRECTORY_TOO_MANY, text);
	*bad = true;
	return OK;
}

/* Follows one alias to its ends; *bad when it has none that may be used. */
static struct err
follow(struct walk *w, bool *bad)
{
	struct err err = OK;

	*bad = false;
	w->b->turn++;
	w->root->seen_from = w->b->turn;
	w->root->on_path = true;
	w->path[0].entry = w->root;
	w->path[0].next = 0;
	w->depth = 1;
	w->n = w->steps = 0;
	while (w->depth && !*bad && is_ok(err)) {
		struct entry *e = w->path[w->depth - 1].entry;

		if (w->path[w->depth - 1].next == e->n_texts) {
			e->on_path = false;
			w->depth--;
		} else if (++w->steps > STEPS_MAX) {
			complain(w, DIRECTORY_TOO_MANY, e->key);
			*bad = true;
		} else {
			err = step(w, e->texts[w->path[w->depth - 1].next++], bad);
		}
	}
	while (w->depth)
		w->path[--w->depth].entry->on_path = false;
	return err;
}

struct err
aliases_resolve(struct directory_builder *b, directory_complain *fn, void *owner, bool *bad)
{
	struct walk w = {.b = b, .complain = fn, .owner = owner};
	struct err err = OK;
	bool this_bad;

	*bad = false;
	arena_free(&b->work);
	b->extra = NULL;
	b->slots = 0; /* what was measured before counts no more */
	w.targets = calloc(DIRECTORY_TARGETS_MAX, sizeof(*w.targets));
	if (!w.targets)
		return ERR(ERR_MEMORY, 0, "directory: resolve");
	for (struct entry *e = b->first; e && is_ok(err); e = e->next) {
		if (!e->texts)
			continue;
		w.root = e;
		map_init(&w.found, b->key);
		err = follow(&w, &this_bad);
		map_free(&w.found);
		if (!is_ok(err))
			break;
		*bad |= this_bad;
		e->kind = this_bad ? FORMAT_BROKEN : FORMAT_LIST;
		e->n_targets = this_bad ? 0 : w.n;
		e->targets = arena_alloc(&b->work, e->n_targets * sizeof(*e->targets));
		if (!e->targets)
			err = ERR(ERR_MEMORY, 0, "directory: resolve");
		else if (e->n_targets)
			memcpy(e->targets, w.targets, e->n_targets * sizeof(*e->targets));
	}
	free(w.targets);
	return err;
}
