/*
 * box.c - each word is read, done, and answered when the store says that it is durable.
 */
#include "box/box.h"

#include "base/log.h"
#include "base/random.h"
#include "box/deliver.h"
#include "box/files.h"
#include "box/handles.h"
#include "box/mailbox.h"
#include "box/people.h"
#include "box/sessions.h"
#include "box/spool.h"
#include "directory/image.h"
#include "net/snap.h"
#include "talk/report.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	IMAGE_MAX = 1 << 30,
	NAMES_MAX = 57344,
	PIECES = 4, /* of what takes long, in a turn */
};

struct box {
	struct box_env env;
	struct people *people;
	struct mailboxes *mailboxes;
	struct handles *handles;
	struct sessions *sessions;
	struct spool *spool;
	struct deliver *deliver;
	struct files *files;
	struct loop_task commit;
	struct loop_task publish;
	struct loop_task purge;   /* the next account that leaves */
	struct loop_timer expire; /* runs while there are handles that nobody used */
	struct changed *changed;
	struct snap *image;
	struct directory directory;
	int image_fd;
	uint64_t purging;    /* the account of which all is being removed, 0: none */
	uint64_t not_purged; /* those up to this have had their turn, and may be left over */
	uint64_t commits;
};

static void commit_soon(struct box *b);
static void purge_all(struct box *b);

/* ---- committing ---- */

static void
commit(void *owner)
{
	struct box *b = owner;
	struct err e = OK;

	for (int i = 0; i < PIECES && mailboxes_busy(b->mailboxes); i++)
		mailboxes_work(b->mailboxes);
	if (store_pending(b->env.store)) {
		e = store_turn(b->env.store);
		b->commits++;
	}
	if (!is_ok(e))
		b->env.failed(b->env.owner, e);
	else
		commit_soon(b);
}

static void
commit_soon(struct box *b)
{
	if (store_pending(b->env.store) || mailboxes_busy(b->mailboxes))
		loop_defer(b->env.loop, &b->commit, commit, b);
}

/* ---- the directory image ---- */

/* A change of the directory whose asker is told when the image that has it was given out. */
struct changed {
	struct changed *next;
	struct asker asker;
	uint64_t account;
};

static void
answer_change(struct box *b, struct asker to, uint8_t code, uint64_t account, struct bytes text)
{
	const struct talk_people_change_answer answer = {
	    .code = code, .account = account, .text = text};

	peers_answer(b->env.peers, to, talk_people_change_answer_out(&answer), -1);
}

static void
give_image(struct box *b, struct chan *to)
{
	const struct talk_directory_image word = {.version = people_version(b->people)};

	if (b->image_fd >= 0)
		chan_say(to, talk_directory_image_out(&word), b->image_fd);
}

static struct err
make_image(struct box *b)
{
	struct directory fresh;
	struct snap *image = NULL;
	int fd = -1;
	struct err e = people_image(b->people, &fd);

	if (is_ok(e))
		e = snap_map(&image, fd, IMAGE_MAX);
	if (is_ok(e) && !directory_open(&fresh, snap_bytes(image)))
		e = ERR(ERR_CORRUPT, 0, "the directory image that was just made");
	if (!is_ok(e)) {
		snap_release(image);
		if (fd >= 0)
			close(fd);
		return e;
	}
	if (b->image_fd >= 0)
		close(b->image_fd);
	b->image_fd = fd;
	snap_swap(&b->image, image);
	b->directory = fresh;
	return OK;
}

/* Once for all changes of a turn. */
static void
publish(void *owner)
{
	struct box *b = owner;
	struct err e = make_image(b);
	struct changed *next;

	if (is_ok(e)) {
		const struct talk_directory_image word = {.version = people_version(b->people)};

		peers_say_all(b->env.peers, ROLE_SMTP, talk_directory_image_out(&word),
		              b->image_fd);
	} else {
		log_event(LOG_ERROR, "box.directory_failed", kv_err(e));
	}
	for (struct changed *c = b->changed; c; c = next) {
		next = c->next;
		answer_change(b, c->asker, talk_code(e), c->account, NO_BYTES);
		free(c);
	}
	b->changed = NULL;
	if (is_ok(e))
		purge_all(b); /* with this image no more is delivered to who leaves */
}

struct changing {
	struct box *box;
	struct asker asker;
	enum people_change what;
};

static void
people_changed(void *owner, enum err_code code, uint64_t account, struct bytes text)
{
	struct changing *ch = owner;
	struct box *b = ch->box;
	bool is_change = !code && ch->what != PEOPLE_FIND_ACCOUNT;
	struct changed *c = is_change ? calloc(1, sizeof(*c)) : NULL;

	if (c) {
		*c = (struct changed){b->changed, ch->asker, account};
		b->changed = c;
	} else {
		answer_change(b, ch->asker, is_change ? ERR_LATER : (uint8_t)code, account, text);
	}
	if (is_change)
		loop_defer(b->env.loop, &b->publish, publish, b);
	if (is_change && ch->what == PEOPLE_REMOVE_ACCOUNT)
		handles_account_gone(b->handles, account);
	free(ch);
}

static void
on_people_change(struct box *b, const struct peer *p, struct chan_word *w)
{
	struct talk_people_change t;
	struct changing *ch;

	if (!talk_people_change_get(&w->body, &t))
		return;
	ch = calloc(1, sizeof(*ch));
	if (!ch) {
		answer_change(b, peers_asker(p, w), ERR_LATER, 0, BYTES("out of memory"));
		return;
	}
	*ch = (struct changing){b, peers_asker(p, w), (enum people_change)t.what};
	people_change(b->people, ch->what, t.name, t.targets, people_changed, ch);
}

static void
on_people_list(struct box *b, const struct peer *p, struct chan_word *w)
{
	uint8_t *room = loop_lend(b->env.loop);
	struct wr names = wr_of(room, room ? NAMES_MAX : 0);
	struct talk_people_list t;
	struct talk_people_list_answer answer = {.code = ERR_SYNTAX};
	bool more = false;

	if (!talk_people_list_get(&w->body, &t)) {
		loop_give_back(b->env.loop, room);
		return;
	}
	if (t.what >= PEOPLE_ACCOUNT && t.what <= PEOPLE_ALIAS)
		answer.code = talk_code(
		    people_list(b->people, (enum people_kind)t.what, t.after, &names, &more));
	answer.more = more;
	answer.names = wr_since(&names, room);
	chan_answer(p->chan, w->seq, talk_people_list_answer_out(&answer), -1);
	loop_give_back(b->env.loop, room);
}

/* ---- accounts that leave ---- */

static void purge_next(void *owner);

/*
 * Its mail goes, then its files, then that it leaves is forgotten.  Where one of them fails it stays
 * marked: the next removal, or the next life, goes on with it, and the others need not wait.
 */
static void
purge_failed(struct box *b, struct err e)
{
	log_event(LOG_ERROR, "box.purge_failed", kv_u64("account", b->purging), kv_err(e));
	b->not_purged = b->purging;
	b->purging = 0;
	loop_defer(b->env.loop, &b->purge, purge_next, b);
}

static void
forgotten(void *owner, enum err_code code, uint64_t account, struct bytes text)
{
	struct box *b = owner;

	(void)text;
	b->purging = 0;
	if (code)
		log_event(LOG_ERROR, "box.forget_failed", kv_u64("account", account));
	else
		loop_defer(b->env.loop, &b->purge, purge_next, b);
}

static void
files_purged(void *owner, struct err e)
{
	struct box *b = owner;

	if (!is_ok(e)) {
		purge_failed(b, e);
		return;
	}
	people_forget(b->people, b->purging, forgotten, b);
	commit_soon(b);
}

static void
mail_purged(void *owner, struct err e)
{
	struct box *b = owner;

	if (is_ok(e))
		files_remove(b->files, b->purging, files_purged, b);
	else if (e.code !=
	         ERR_GONE) /* else it is box_close(), and the store is not there any more */
		purge_failed(b, e);
}

/* One after the other: none is forgotten before its own mail and files are gone. */
static void
purge_next(void *owner)
{
	struct box *b = owner;
	struct err e;

	if (b->purging)
		return;
	e = people_leaving(b->people, b->not_purged, &b->purging);
	if (!is_ok(e))
		log_event(LOG_ERROR, "box.purge_failed", kv_err(e));
	else if (b->purging)
		mailbox_purge(b->mailboxes, b->purging, mail_purged, b);
	commit_soon(b);
}

/* Also those that failed before. */
static void
purge_all(struct box *b)
{
	b->not_purged = 0;
	purge_next(b);
}

/* ---- sessions ---- */

static void
expire(void *owner)
{
	struct box *b = owner;

	if (handles_expire(b->handles, loop_now_ms(b->env.loop)))
		loop_timer_set(b->env.loop, &b->expire, HANDLES_UNUSED_MS, expire, b);
}

static void
on_grant(struct box *b, const struct peer *p, struct chan_word *w)
{
	struct talk_box_grant_answer answer = {0};
	struct talk_box_grant t;

	if (!talk_box_grant_get(&w->body, &t))
		return;
	answer.code = talk_code(handles_grant(b->handles, t.handle, t.account, (enum role)t.role,
	                                      t.instance, loop_now_ms(b->env.loop)));
	if (!loop_timer_runs(&b->expire))
		loop_timer_set(b->env.loop, &b->expire, HANDLES_UNUSED_MS, expire, b);
	chan_answer(p->chan, w->seq, talk_box_grant_answer_out(&answer), -1);
}

static void
on_leave(struct box *b, const struct peer *p, struct chan_word *w)
{
	struct talk_box_leave t;

	if (!talk_box_leave_get(&w->body, &t))
		return;
	files_leave(b->files, t.handle, p->role, p->instance);
	handles_leave(b->handles, t.handle, p->role, p->instance);
}

/* ---- public ---- */

void
box_word(struct box *b, const struct peer *p, struct chan_word *w)
{
	switch ((int)w->word) {
	case WORD_BOX_DELIVER:
		deliver_word(b->deliver, p, w);
		break;
	case WORD_QUEUE_LOAD:
	case WORD_QUEUE_BODY:
	case WORD_QUEUE_SETTLE:
		spool_word(b->spool, p, w);
		break;
	case WORD_FILE_STAT:
	case WORD_FILE_LIST:
	case WORD_FILE_READ:
	case WORD_FILE_WRITE:
	case WORD_FILE_COMMIT:
	case WORD_FILE_DROP:
	case WORD_FILE_CHANGE:
		files_word(b->files, p, w);
		break;
	case WORD_BOX_GRANT:
		on_grant(b, p, w);
		break;
	case WORD_BOX_LEAVE:
		on_leave(b, p, w);
		break;
	case WORD_PEOPLE_CHANGE:
		on_people_change(b, p, w);
		break;
	case WORD_PEOPLE_LIST:
		on_people_list(b, p, w);
		break;
	default:
		sessions_word(b->sessions, p, w);
		break;
	}
	commit_soon(b);
}

void
box_peer_came(struct box *b, const struct peer *p)
{
	if (p->role == ROLE_SMTP)
		give_image(b, p->chan);
}

void
box_peer_gone(struct box *b, const struct peer *p)
{
	files_front_gone(b->files, p->role, p->instance);
	handles_front_gone(b->handles, p->role, p->instance);
}

struct err
box_start(struct box *b)
{
	struct err e = make_image(b);

	purge_all(b);
	return e;
}

void
box_status(const struct box *b, struct wr *counters)
{
	deliver_status(b->deliver, counters);
	spool_status(b->spool, counters);
	sessions_status(b->sessions, counters);
	files_status(b->files, counters);
	report_put_counter(counters, "commits", b->commits);
}

static struct err
open_words(struct box *b)
{
	const struct box_env *env = &b->env;
	const struct sessions_env sessions = {.loop = env->loop,
	                                      .peers = env->peers,
	                                      .store = env->store,
	                                      .mailboxes = b->mailboxes,
	                                      .handles = b->handles};
	const struct files_env files = {.loop = env->loop,
	                                .random = env->random,
	                                .peers = env->peers,
	                                .handles = b->handles,
	                                .areas = env->areas};
	struct deliver_env deliver = {.loop = env->loop,
	                              .peers = env->peers,
	                              .store = env->store,
	                              .mailboxes = b->mailboxes,
	                              .handles = b->handles,
	                              .directory = &b->directory};
	struct err e = sessions_open(&b->sessions, &sessions);

	if (is_ok(e))
		e = spool_open(&b->spool, env->loop, env->peers, env->store);
	deliver.spool = b->spool;
	if (is_ok(e))
		e = deliver_open(&b->deliver, &deliver);
	if (is_ok(e))
		e = files_open(&b->files, &files);
	return e;
}

struct err
box_open(struct box **out, const struct box_env *env)
{
	struct box *b = calloc(1, sizeof(*b));
	uint8_t key[16];
	struct err e;

	if (!b)
		return ERR(ERR_MEMORY, 0, "box");
	b->env = *env;
	b->image_fd = -1;
	random_fill(env->random, key, sizeof(key));
	b->handles = handles_new(key);
	e = b->handles ? people_open(&b->people, env->store, env->random)
	               : ERR(ERR_MEMORY, 0, "handles");
	if (is_ok(e))
		e = mailboxes_open(&b->mailboxes, env->store);
	if (is_ok(e))
		e = open_words(b);
	if (is_ok(e))
		*out = b;
	else
		box_close(b);
	return e;
}

void
box_close(struct box *b)
{
	struct changed *next;

	if (!b)
		return;
	for (struct changed *c = b->changed; c; c = next) {
		next = c->next;
		free(c);
	}
	loop_defer_stop(b->env.loop, &b->commit);
	loop_defer_stop(b->env.loop, &b->publish);
	loop_defer_stop(b->env.loop, &b->purge);
	loop_timer_stop(b->env.loop, &b->expire);
	mailboxes_close(b->mailboxes); /* what waits is answered, by those below */
	files_close(b->files);
	deliver_close(b->deliver);
	spool_close(b->spool);
	sessions_close(b->sessions);
	people_close(b->people);
	handles_free(b->handles);
	snap_release(b->image);
	if (b->image_fd >= 0)
		close(b->image_fd);
	free(b);
}
