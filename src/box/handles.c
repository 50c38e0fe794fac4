/* handles.c - a map of the handles, one of the locked mailboxes, one of those that are watched. */
#include "box/handles.h"

#include "base/map.h"

#include <stdlib.h>

struct handles {
	struct map by_id;
	struct map locks;   /* account and mailbox: the handle that has it */
	struct map watched; /* account and mailbox: the first of a list of handles */
	struct map gone;    /* accounts that were removed */
};

/* An account and a mailbox of it. */
struct place_name {
	uint8_t text[12];
};

static struct bytes
id_bytes(const struct talk_id *id)
{
	return (struct bytes){id->b, sizeof(id->b)};
}

static struct bytes
place_bytes(struct place_name *name, uint64_t account, uint32_t mailbox)
{
	struct wr w = wr_of(name->text, sizeof(name->text));

	wr_u64(&w, account);
	wr_u32(&w, mailbox);
	return wr_since(&w, name->text);
}

static void
unlock(struct handles *hs, struct handle *h)
{
	struct place_name name;

	if (h->locked)
		map_remove(&hs->locks, place_bytes(&name, h->account, h->locked));
	h->locked = 0;
}

/*
 * The map knows the first of a list, so a new one comes behind that; where the first goes, the map
 * must know the next.  Its entry is there already: putting anew takes no memory that could be missing.
 */
static void
unwatch(struct handles *hs, struct handle *h)
{
	struct place_name name;
	struct bytes key = place_bytes(&name, h->account, h->watched);

	if (!h->watched)
		return;
	if (h->watch_link)
		*h->watch_link = h->next_watching;
	else if (!h->next_watching || !map_put(&hs->watched, key, h->next_watching))
		map_remove(&hs->watched, key);
	if (h->next_watching)
		h->next_watching->watch_link = h->watch_link;
	h->watched = 0;
	h->hinted = false;
	h->next_watching = NULL;
	h->watch_link = NULL;
}

struct handles *
handles_new(const uint8_t key[16])
{
	struct handles *hs = calloc(1, sizeof(*hs));

	if (!hs)
		return NULL;
	map_init(&hs->by_id, key);
	map_init(&hs->locks, key);
	map_init(&hs->watched, key);
	map_init(&hs->gone, key);
	return hs;
}

/* Drops the handles of which drop() says so, given what to compare them with. */
static void
sweep(struct handles *hs, bool (*drop)(const struct handle *, const struct handle *),
      const struct handle *like)
{
	struct map_at at = {0};
	struct handle *h;
	struct bytes name;

	while ((h = map_next(&hs->by_id, &at, &name)))
		if (drop(h, like)) {
			unlock(hs, h);
			unwatch(hs, h);
			map_remove(&hs->by_id, name);
			free(h);
		}
}

static bool
any(const struct handle *h, const struct handle *like)
{
	(void)h;
	(void)like;
	return true;
}

static bool
same_front(const struct handle *h, const struct handle *like)
{
	return h->role == like->role && h->instance == like->instance;
}

static bool
same_account(const struct handle *h, const struct handle *like)
{
	return h->account == like->account;
}

static bool
unused_since(const struct handle *h, const struct handle *like)
{
	return !h->used && h->granted_ms <= like->granted_ms;
}

void
handles_free(struct handles *hs)
{
	if (!hs)
		return;
	sweep(hs, any, NULL);
	map_free(&hs->by_id);
	map_free(&hs->locks);
	map_free(&hs->watched);
	map_free(&hs->gone);
	free(hs);
}

size_t
handles_count(const struct handles *hs)
{
	return map_count(&hs->by_id);
}

struct err
handles_grant(struct handles *hs, struct talk_id id, uint64_t account, enum role role,
              uint8_t instance, uint64_t now_ms)
{
	struct place_name name;
	struct handle *h;

	if (map_get(&hs->by_id, id_bytes(&id)))
		return ERR(ERR_EXISTS, 0, "handle");
	if (map_get(&hs->gone, place_bytes(&name, account, 0)))
		return ERR(ERR_DENIED, 0, "the account was removed");
	if (map_count(&hs->by_id) >= HANDLES_MAX)
		return ERR(ERR_FULL, 0, "handles");
	h = calloc(1, sizeof(*h));
	if (!h)
		return ERR(ERR_MEMORY, 0, "handle");
	*h = (struct handle){
	    .id = id, .account = account, .role = role, .instance = instance, .granted_ms = now_ms};
	if (map_put(&hs->by_id, id_bytes(&id), h))
		return OK;
	free(h);
	return ERR(ERR_MEMORY, 0, "handle");
}

struct handle *
handles_find(struct handles *hs, struct talk_id id, enum role role, uint8_t instance)
{
	struct handle *h = map_get(&hs->by_id, id_bytes(&id));

	if (!h || h->role != role || h->instance != instance)
		return NULL;
	h->used = true;
	return h;
}

bool
handles_lock(struct handles *hs, struct handle *h, uint32_t mailbox)
{
	struct place_name name;
	struct bytes key = place_bytes(&name, h->account, mailbox);

	if (h->locked == mailbox)
		return true;
	if (map_get(&hs->locks, key) || !map_put(&hs->locks, key, h))
		return false;
	unlock(hs, h);
	h->locked = mailbox;
	return true;
}

bool
handles_watch(struct handles *hs, struct handle *h, uint32_t mailbox)
{
	struct place_name name;
	struct bytes key = place_bytes(&name, h->account, mailbox);
	struct handle *first;

	if (h->watched == mailbox)
		return true;
	unwatch(hs, h);
	if (!mailbox)
		return true;
	first = map_get(&hs->watched, key);
	if (!first && !map_put(&hs->watched, key, h))
		return false;
	if (first) {
		h->next_watching = first->next_watching;
		if (h->next_watching)
			h->next_watching->watch_link = &h->next_watching;
		first->next_watching = h;
		h->watch_link = &first->next_watching;
	}
	h->watched = mailbox;
	return true;
}

struct handle *
handles_watching(const struct handles *hs, uint64_t account, uint32_t mailbox)
{
	struct place_name name;

	return map_get(&hs->watched, place_bytes(&name, account, mailbox));
}

void
handles_leave(struct handles *hs, struct talk_id id, enum role role, uint8_t instance)
{
	struct handle *h = handles_find(hs, id, role, instance);

	if (!h)
		return;
	unlock(hs, h);
	unwatch(hs, h);
	map_remove(&hs->by_id, id_bytes(&id));
	free(h);
}

void
handles_front_gone(struct handles *hs, enum role role, uint8_t instance)
{
	sweep(hs, same_front, &(struct handle){.role = role, .instance = instance});
}

size_t
handles_expire(struct handles *hs, uint64_t now_ms)
{
	struct map_at at = {0};
	struct handle *h;
	size_t unused = 0;

	if (now_ms >= HANDLES_UNUSED_MS)
		sweep(hs, unused_since, &(struct handle){.granted_ms = now_ms - HANDLES_UNUSED_MS});
	while ((h = map_next(&hs->by_id, &at, NULL)))
		unused += !h->used;
	return unused;
}

void
handles_account_gone(struct handles *hs, uint64_t account)
{
	struct place_name name;

	sweep(hs, same_account, &(struct handle){.account = account});
	if (!map_put(&hs->gone, place_bytes(&name, account, 0), hs))
		return; /* then a login that is under way now may still have one */
}
