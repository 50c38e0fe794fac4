/*
 * attach.c - the same for every role: take what the master gives, go into the cage, answer the
 * master's words, and hand all other words to the role.
 */
#include "role/role.h"

#include "base/log.h"
#include "base/random.h"
#include "net/acts.h"
#include "store/store.h"
#include "talk/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
	CERTIFICATE_MAX = 49152,
	SETTINGS_MAX = 32000,
	COUNTERS_MAX = 8192,
	RELOAD_TEXT_MAX = 1024, /* talk.def: reload */
	STORE_WAIT_MS = 5000,
	STORE_PAUSE_MS = 20,
};

struct running {
	struct attach attach;
	const struct role_body *body;
	void *state;
	bool ready;
	int exit_code;
	struct attach_files next_files;
	int root; /* an empty folder, to become the root */
	uid_t uid;
	gid_t gid;
	struct cage_report cage;
	uint8_t settings[SETTINGS_MAX], certificate[CERTIFICATE_MAX];
};

static void
to_log_role(void *owner, const struct log_record *record)
{
	struct running *r = owner;
	struct chan *c = peers_chan(r->attach.peers, ROLE_LOG, 0);
	uint8_t packed[LOG_PACKED_MAX];
	struct wr w = wr_of(packed, sizeof(packed));

	log_pack(&w, record);
	if (c)
		chan_say_lossy(
		    c, talk_log_event_out(&(struct talk_log_event){.event = wr_since(&w, packed)}),
		    -1);
}

static void
fail(struct running *r, struct err e)
{
	log_event(LOG_ERROR, "role.failed", kv_word("failed", role_name(r->attach.role)),
	          kv_err(e));
	r->exit_code = 1;
	if (r->attach.loop)
		loop_stop(r->attach.loop);
}

static void
caged_open(struct running *r)
{
	bool write = (r->body->cage.promises & CAGE_FILES_WRITE) != 0;
	const struct cage_folder folders[] = {{r->attach.folder, write}, {r->attach.areas, write}};
	const struct cage cage = {
	    .row = &r->body->cage,
	    .uid = r->uid,
	    .gid = r->gid,
	    .root = r->root,
	    .folders = folders,
	    .folders_n = (size_t)((r->attach.folder >= 0) + (r->attach.areas >= 0)),
	    .skip = attach_skipped_steps(),
	    .loud = attach_skipped_steps() != 0,
	};
	struct talk_ready ready;
	uint8_t packed[CAGE_PACKED];
	struct wr w = wr_of(packed, sizeof(packed));
	struct err e = OK;

	if (r->attach.folder >= 0 && fchdir(r->attach.folder))
		e = ERR(ERR_IO, errno, "enter the role's folder");
	if (is_ok(e))
		e = cage_drop(&cage, &r->cage);
	if (is_ok(e))
		e = r->body->open(&r->attach, &r->state);
	if (is_ok(e))
		e = cage_seal(&cage, &r->cage);
	if (!is_ok(e)) {
		fail(r, e);
		return;
	}
	close(r->root);
	cage_report_pack(&w, &r->cage);
	ready.cage = wr_since(&w, packed);
	r->ready = true;
	chan_say(peers_chan(r->attach.peers, ROLE_MASTER, 0), talk_ready_out(&ready), -1);
	if (r->body->start)
		r->body->start(r->state);
}

/* ---- the words of the master ---- */

static bool
keep(uint8_t *room, size_t max, struct bytes from, struct bytes *to)
{
	if (from.n > max)
		return false;
	if (from.n)
		memcpy(room, from.p, from.n);
	*to = (struct bytes){room, from.n};
	return true;
}

static bool
on_settings(struct running *r, struct chan_word *w)
{
	struct talk_settings t;
	struct bytes kept;

	if (!talk_settings_get(&w->body, &t) ||
	    !keep(r->settings, sizeof(r->settings), t.config, &kept) ||
	    !role_settings_unpack(kept, &r->attach.settings))
		return false;
	r->uid = t.uid;
	r->gid = t.gid;
	log_up_to((enum log_level)r->attach.settings.log_level);
	return true;
}

static bool
on_listener(struct running *r, struct chan_word *w)
{
	struct talk_listener t;

	if (!talk_listener_get(&w->body, &t) || t.service >= SERVICE_COUNT ||
	    r->attach.n_listeners == LISTENERS_MAX)
		return false;
	r->attach.listeners[r->attach.n_listeners].service = t.service;
	r->attach.listeners[r->attach.n_listeners++].fd = chan_take_fd(w);
	return true;
}

static bool
on_folder(struct running *r, struct chan_word *w)
{
	struct talk_folder t;

	if (!talk_folder_get(&w->body, &t))
		return false;
	if (t.purpose == FOLDER_EMPTY)
		r->root = chan_take_fd(w);
	else if (t.purpose == FOLDER_FILES)
		r->attach.areas = chan_take_fd(w);
	else
		r->attach.folder = chan_take_fd(w);
	return true;
}

static void
files_drop(struct attach_files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		if (files->list[i].fd >= 0) /* else the role was done with it */
			close(files->list[i].fd);
		free(files->list[i].name);
	}
	free(files->list);
	*files = (struct attach_files){0};
}

/* They are told anew before each reload, and count from then on. */
static bool
on_file(struct running *r, struct chan_word *w)
{
	struct attach_files *files = r->ready ? &r->next_files : &r->attach.files;
	struct talk_zone_file t;
	struct attach_file *grown;

	if (!talk_zone_file_get(&w->body, &t))
		return false;
	grown = realloc(files->list, (files->n + 1) * sizeof(*grown));
	if (!grown)
		return false;
	files->list = grown;
	grown[files->n].name = strndup((const char *)t.zone.p, t.zone.n);
	if (!grown[files->n].name)
		return false;
	grown[files->n++].fd = chan_take_fd(w);
	return true;
}

static bool
on_certificate(struct running *r, struct chan_word *w)
{
	struct talk_certificate t;

	if (!talk_certificate_get(&w->body, &t) ||
	    !keep(r->certificate, sizeof(r->certificate), t.chain, &r->attach.certificate))
		return false;
	r->attach.certificate_key = t.key;
	if (r->ready && r->body->certificate)
		r->body->certificate(r->state, r->attach.certificate, t.key);
	return true;
}

static bool
on_peer(struct running *r, struct chan_word *w)
{
	struct talk_peer t;
	struct err e;

	if (!talk_peer_get(&w->body, &t) || t.role >= ROLE_COUNT || t.instance >= PEERS_INSTANCES)
		return false;
	e = peers_add(r->attach.peers, t.role, t.instance, chan_take_fd(w));
	if (!is_ok(e))
		log_event(LOG_ERROR, "role.peer_failed", kv_err(e));
	return true;
}

static bool
on_status(struct running *r, const struct peer *p, struct chan_word *w)
{
	struct talk_status t;
	uint8_t room[COUNTERS_MAX];
	struct wr counters = wr_of(room, sizeof(room));
	struct talk_status_answer a;

	if (!talk_status_get(&w->body, &t))
		return false;
	if (r->body->status)
		r->body->status(r->state, &counters);
	a.counters = wr_since(&counters, room);
	chan_answer(p->chan, w->seq, talk_status_answer_out(&a), -1);
	return true;
}

static bool
on_reload(struct running *r, const struct peer *p, struct chan_word *w)
{
	struct talk_reload t;
	struct role_settings fresh;
	struct talk_reload_answer a = {0};
	uint8_t room[RELOAD_TEXT_MAX];
	struct wr told = wr_of(room, sizeof(room));
	struct err e = OK;

	if (!talk_reload_get(&w->body, &t) || !role_settings_unpack(t.config, &fresh))
		return false;
	files_drop(&r->attach.files);
	r->attach.files = r->next_files;
	r->next_files = (struct attach_files){0};
	if (r->body->reload)
		e = r->body->reload(r->state, &fresh, &told);
	if (is_ok(e))
		log_up_to((enum log_level)fresh.log_level);
	a.code = is_ok(e) ? 0 : ERR_SYNTAX;
	a.text = wr_since(&told, room);
	if (!is_ok(e) && !a.text.n)
		a.text = bytes_of(e.why);
	chan_answer(p->chan, w->seq, talk_reload_answer_out(&a), -1);
	return true;
}

static bool
on_act(const struct peer *p, struct chan_word *w)
{
#ifdef STEAD_ACTS
	struct talk_act t;
	struct talk_act_answer a = {0};

	if (!talk_act_get(&w->body, &t) || t.number >= ACTS)
		return false;
	a.result = (uint32_t)acts_try((enum act)t.number);
	chan_answer(p->chan, w->seq, talk_act_answer_out(&a), -1);
	return true;
#else
	(void)p;
	(void)w;
	return false;
#endif
}

static void
drain(struct running *r)
{
	if (r->body->drain && r->ready)
		r->body->drain(r->state);
	else
		loop_stop(r->attach.loop);
}

/* False: the word is not one that the master says here. */
static bool
master_says(struct running *r, const struct peer *p, struct chan_word *w)
{
	switch ((int)w->word) {
	case WORD_SETTINGS:
		return on_settings(r, w);
	case WORD_LISTENER:
		return on_listener(r, w);
	case WORD_FOLDER:
		return on_folder(r, w);
	case WORD_CERTIFICATE:
		return on_certificate(r, w);
	case WORD_PEER:
		return on_peer(r, w);
	case WORD_GO:
		caged_open(r);
		return true;
	case WORD_DRAIN:
		drain(r);
		return true;
	case WORD_STATUS:
		return on_status(r, p, w);
	case WORD_RELOAD:
		return on_reload(r, p, w);
	case WORD_ZONE_FILE:
		return on_file(r, w);
	case WORD_ACT:
		return on_act(p, w);
	default:
		if (!r->ready || !r->body->word)
			return false;
		r->body->word(r->state, p, w);
		return true;
	}
}

static void
heard(void *owner, const struct peer *p, struct chan_word *w)
{
	struct running *r = owner;

	if (p->role == ROLE_MASTER) {
		if (!master_says(r, p, w))
			fail(r, ERR(ERR_SYNTAX, (int32_t)w->word, "a word of the master"));
	} else if (r->ready && r->body->word) {
		r->body->word(r->state, p, w);
	}
}

static void
came(void *owner, const struct peer *p)
{
	struct running *r = owner;

	if (p->role == ROLE_LOG)
		log_to(to_log_role, r);
	if (r->ready && r->body->come)
		r->body->come(r->state, p);
}

static void
went(void *owner, const struct peer *p, struct err why)
{
	struct running *r = owner;

	if (p->role == ROLE_MASTER) {
		loop_stop(r->attach.loop);
		return;
	}
	if (why.code != ERR_GONE)
		log_event(LOG_ERROR, "channel.cut", kv_word("peer", role_name(p->role)),
		          kv_err(why));
	if (r->ready && r->body->gone)
		r->body->gone(r->state, p);
}

static const struct peers_handlers handlers = {heard, came, went};

uint32_t
attach_skipped_steps(void)
{
#ifdef STEAD_ACTS
	const char *text = getenv("STEAD_SKIP_STEPS");

	return text ? (uint32_t)strtoul(text, NULL, 0) : 0;
#else
	return 0;
#endif
}

struct err
attach_store(struct store **out, const struct store_conf *conf)
{
	const struct timespec pause = {0, STORE_PAUSE_MS * 1000000};
	struct err e;

	for (int waited = 0;; waited += STORE_PAUSE_MS) {
		e = store_open(out, conf);
		if (e.code != ERR_DENIED || waited >= STORE_WAIT_MS)
			return e;
		nanosleep(&pause, NULL);
	}
}

/*
 * LeakSanitizer asks this at the end of a process, in builds with it: it needs /proc and ptrace, which
 * a role has given up, and every role would end with a complaint about that.
 */
int __lsan_is_turned_off(void);
int
__lsan_is_turned_off(void)
{
	return prctl(PR_GET_DUMPABLE) != 1;
}

void
attach_done(struct attach *a)
{
	loop_stop(a->loop);
}

void
attach_fail(struct attach *a, struct err e)
{
	fail((struct running *)a, e);
}

int
attach_run(enum role role, uint8_t instance, int channel)
{
	struct running *r = calloc(1, sizeof(*r));
	char name[16];
	struct err e;
	int code;

	if (!r)
		return 1;
	*r = (struct running){.body = role_body(role), .root = -1};
	r->attach = (struct attach){.role = role, .instance = instance, .folder = -1, .areas = -1};
	snprintf(name, sizeof(name), "stead:%s", role_name(role));
	prctl(PR_SET_NAME, name);
	r->attach.random = random_open();
	e = r->attach.random ? loop_open(&r->attach.loop) : ERR(ERR_MEMORY, 0, "random");
	if (is_ok(e))
		e = peers_open(&r->attach.peers, r->attach.loop, role, &handlers, r);
	if (is_ok(e))
		e = peers_add(r->attach.peers, ROLE_MASTER, 0, channel);
	if (is_ok(e))
		e = loop_run(r->attach.loop);
	if (!is_ok(e))
		fail(r, e);
	log_to(NULL, NULL);
	if (r->attach.peers)
		peers_hang_up(r->attach.peers); /* who asked is still there to be told */
	if (r->ready && r->body->close)
		r->body->close(r->state);
	files_drop(&r->attach.files);
	files_drop(&r->next_files);
	peers_close(r->attach.peers);
	loop_close(r->attach.loop);
	random_close(r->attach.random);
	code = r->exit_code;
	free(r);
	return code;
}
