/*
 * account.h - what is kept in memory of the accounts that were in use lately, for the files of this
 * room that make up mailbox.h and folders.h; and the jobs, by which an account's changes are made
 * one after the other, a piece at a time.
 *
 * 1. What a folder has as uidnext, count, unseen and modseq counts in all that was handed in; what
 *    is "shown" is committed.  Nobody is told of more than that.
 * 2. An account for which something is under way stays in memory; another is forgotten when there
 *    is need, the one first that was longest out of use.
 * 3. After a commit failed, the account is read anew as soon as nothing of it is under way.
 */
#ifndef BOX_ACCOUNT_H
#define BOX_ACCOUNT_H

#include "base/map.h"
#include "box/mailbox.h"
#include "box/record.h"

struct contents;
struct keywords;

struct folder {
	uint32_t number, uidvalidity, uidnext, count, unseen, recent, flags;
	uint64_t modseq, gone_from; /* what was expunged up to gone_from is not remembered */
	bool counted;
	uint32_t shown_next;
	uint64_t shown_modseq;
	uint32_t coming, coming_unseen; /* of count and unseen: handed in, and not committed */
	struct bytes name;
	uint8_t *text;             /* of the name */
	struct keywords *keywords; /* NULL: not read */
	struct contents *contents; /* NULL: not read */
};

struct job;
struct account {
	uint64_t id, modseq;
	struct folder **folders; /* by number; INBOX first */
	size_t n, cap;
	bool named; /* all folders are here; else INBOX alone, if it is there */
	bool stale;
	struct record_next next;
	bool next_dirty;    /* the store does not have it: it goes with the next batch */
	uint32_t under_way; /* submits */
	struct job *first, **last;
	bool running; /* in the list of those whose first job can go on */
	struct account *next_running;
	struct account *older, *newer; /* by use */
	size_t memory;
};

struct mailboxes {
	struct store *store;
	struct map accounts; /* by number */
	struct account *oldest, *newest;
	struct account *running, **running_last;
	mailbox_changed *changed;
	void *changed_owner;
	size_t memory;
	uint8_t room[64 * 1024]; /* of the answer that is being made */
};

struct shard_id account_shard(const struct account *);
/* Makes it the newest. */
MUST_CHECK struct err account_get(struct mailboxes *, uint64_t id, struct account **);
/* INBOX, which is made where it is not there; NULL without memory. */
struct folder *account_inbox(struct account *, uint64_t now_s);
/* Forgets all that is in memory of it; the account itself stays. */
void account_forget(struct account *);
void account_free_all(struct mailboxes *);
/* It was read or has grown: others are forgotten where there is too much. */
void account_weigh(struct mailboxes *, struct account *);

/* A new one; NULL without memory.  The number and the UIDVALIDITY are the next ones but for INBOX. */
struct folder *account_add(struct account *, struct bytes name, uint32_t flags, uint64_t now_s);
void account_remove(struct account *, struct folder *);
MUST_CHECK bool account_rename(struct folder *, struct bytes name);
/* As the store has it; its number must be higher than all that are there. */
MUST_CHECK struct err account_take(struct account *, uint32_t number, const struct record_folder *);
/* Among those in memory; NULL: there is none. */
struct folder *account_folder(const struct account *, uint32_t number);
struct folder *account_named(const struct account *, struct bytes name);

/* ---- jobs ---- */

struct job {
	struct account *account;
	/* Makes a piece; true when all is handed in.  A fault or an answer in err ends it. */
	bool (*step)(struct mailboxes *, struct job *);
	void (*finish)(struct mailboxes *, struct job *); /* tells it, and frees the job */
	struct job *next;
	unsigned waiting; /* submits */
	bool alone;       /* one submit at a time */
	bool ended;
	struct err err;
};
enum { JOB_WAITING_MAX = 8 };

/* Behind those of this account that wait; its first piece is made by mailboxes_work(). */
void job_start(struct mailboxes *, struct account *, struct job *);
/* A batch of this job is done (batch.h). */
void job_batch_done(void *job, struct mailboxes *, struct err);

#endif
