/*
 * handles.h - what a front may open: a handle that auth minted for one session is good for one
 * account at one front, until that session leaves or that front goes away.  A front that was taken
 * over can use the handles that it was given, and cannot name an account.  A handle that this front
 * was not given is to it as one that does not exist (attack 113).  One that was never used (its
 * client went away during the login) is dropped after a while, which is longer than any front lets a
 * session be idle.
 */
#ifndef BOX_HANDLES_H
#define BOX_HANDLES_H

#include "base/err.h"
#include "box/mailbox.h"
#include "talk/talk.h"

enum { HANDLES_MAX = 65536, HANDLES_UNUSED_MS = 40 * 60 * 1000 };

struct handles;

struct handle {
	struct talk_id id;
	uint64_t account;
	enum role role;
	uint8_t instance;
	bool used;
	uint64_t granted_ms;
	uint32_t locked;  /* the mailbox that it has for itself, 0: none */
	uint32_t watched; /* the mailbox whose changes it is told, 0: none */
	bool hinted;      /* it was told, and has not asked what changed yet */
	struct handle *next_watching, **watch_link;
	struct mailbox_place place; /* where it stands in the changes of the mailbox place_of */
	uint32_t place_of;
};

struct handles *handles_new(const uint8_t key[16]);
void handles_free(struct handles *);
size_t handles_count(const struct handles *);

/* Answers: ERR_EXISTS this handle is in use, ERR_DENIED the account is gone, ERR_FULL too many sessions. */
MUST_CHECK struct err handles_grant(struct handles *, struct talk_id, uint64_t account, enum role,
                                    uint8_t instance, uint64_t now_ms);
/* Uses it; NULL when this front was not given it. */
struct handle *handles_find(struct handles *, struct talk_id, enum role, uint8_t instance);
/* Keeps the mailbox for this session alone; false when another session has it (RFC 1939 4). */
bool handles_lock(struct handles *, struct handle *, uint32_t mailbox);
/* From now on it watches this mailbox alone, 0: none; false when memory is used up. */
MUST_CHECK bool handles_watch(struct handles *, struct handle *, uint32_t mailbox);
/* The first of those that watch it; the others follow by next_watching.  NULL: there is none. */
struct handle *handles_watching(const struct handles *, uint64_t account, uint32_t mailbox);
void handles_leave(struct handles *, struct talk_id, enum role, uint8_t instance);
/* The front went away, and all its sessions with it. */
void handles_front_gone(struct handles *, enum role, uint8_t instance);
/* Drops those that were not used for HANDLES_UNUSED_MS; how many unused ones are left. */
size_t handles_expire(struct handles *, uint64_t now_ms);
/* The account was removed: its sessions end, and a login that was under way gets no handle. */
void handles_account_gone(struct handles *, uint64_t account);

#endif
