/* children.c - fork, execute, join, bury, start again. */
#include "role/children.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHANNEL_FD = 3, ENVIRONMENT_MAX = 16 };

struct children {
	struct loop *loop;
	int executable;
	const struct children_handlers *handlers;
	void *owner;
	struct child *first;
};

/* ---- who speaks with whom: as talk.def has it ---- */

static bool
speaks(enum role from, enum role to)
{
	for (size_t i = 0; i < talk_row_count; i++)
		if (talk_allowed(&talk_rows[i], from, to, PHASE_RUN))
			return true;
	return false;
}

static void
say_peer(struct child *to, const struct child *peer, int fd)
{
	const struct talk_peer word = {.role = (uint8_t)peer->role, .instance = peer->instance};

	if (!chan_say(to->chan, talk_peer_out(&word), fd))
		log_event(LOG_ERROR, "master.peer_lost", kv_word("role", role_name(to->role)));
}

static void
join(struct child *a, struct child *b)
{
	struct loop *loop = a->children->loop;
	int ends[2];
	struct err e = loop_pair(loop, LOOP_MESSAGES, ends);

	if (!is_ok(e)) {
		log_event(LOG_ERROR, "master.join_failed", kv_err(e));
		return;
	}
	say_peer(a, b, ends[0]);
	say_peer(b, a, ends[1]);
	loop_close_fd(loop, ends[0]);
	loop_close_fd(loop, ends[1]);
}

static void
join_all(struct child *c)
{
	for (struct child *other = c->children->first; other; other = other->next)
		if (other != c && other->chan &&
		    (speaks(c->role, other->role) || speaks(other->role, c->role)))
			join(c, other);
}

/* ---- starting ---- */

/* Roles get nothing of our environment, but in builds for tests. */
static void
environment(char *env[ENVIRONMENT_MAX])
{
	static const char *const kept[] = {
#ifdef STEAD_SANITIZED
	    "ASAN_OPTIONS=",
	    "UBSAN_OPTIONS=",
	    "LSAN_OPTIONS=",
#endif
#ifdef STEAD_ACTS
	    "STEAD_SKIP_STEPS=",
#endif
	    NULL,
	};
	size_t n = 0;

	for (char **e = environ; *e && n + 1 < ENVIRONMENT_MAX; e++)
		for (size_t i = 0; kept[i]; i++)
			if (!strncmp(*e, kept[i], strlen(kept[i])))
				env[n++] = *e;
	env[n] = NULL;
}

/* In the child: only exec and what POSIX allows between fork and it. */
static _Noreturn void
become(struct children *cs, char *const argv[], char *const env[], int channel)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	/* nothing that whoever started us forgot to close; where it fails the cage's test sees it */
	close_range(CHANNEL_FD, UINT_MAX, CLOSE_RANGE_CLOEXEC);
	/* dup2() onto itself would leave the channel to be closed on exec */
	if (channel == CHANNEL_FD)
		fcntl(channel, F_SETFD, 0);
	else
		dup2(channel, CHANNEL_FD);
	fexecve(cs->executable, argv, env);
	_exit(127);
}

static void gone(void *owner, struct chan *chan, struct err why);
static void heard(void *owner, struct chan *chan, struct chan_word *w);
static const struct chan_handlers channel_handlers = {heard, gone};

static struct err
spawn(struct child *c)
{
	struct children *cs = c->children;
	char instance[4], *env[ENVIRONMENT_MAX];
	char *const argv[] = {
	    (char[]){"stead"},      (char[]){"--role"}, strdup(role_name(c->role)),
	    (char[]){"--instance"}, instance,           NULL};
	struct err e;
	int ends[2];

	snprintf(instance, sizeof(instance), "%u", c->instance);
	environment(env);
	e = loop_pair(cs->loop, LOOP_MESSAGES, ends);
	if (is_ok(e)) {
		c->pid = fork();
		if (c->pid == 0)
			become(cs, argv, env, ends[1]);
		loop_close_fd(cs->loop, ends[1]);
		if (c->pid < 0) {
			c->pid = 0;
			e = ERR(ERR_IO, errno, "fork");
			loop_close_fd(cs->loop, ends[0]);
		}
	}
	free(argv[2]);
	if (!is_ok(e))
		return e;
	c->state = REPORT_STARTING;
	c->started_ms = loop_now_ms(cs->loop);
	e = chan_open(&c->chan, cs->loop, ends[0], ROLE_MASTER, c->role, &channel_handlers, c);
	if (!is_ok(e)) {
		c->chan = NULL;
		return e;
	}
	cs->handlers->give(cs->owner, c, c->chan);
	join_all(c);
	return OK;
}

static void
start_again(void *owner)
{
	struct child *c = owner;
	struct err e = spawn(c);

	if (!is_ok(e)) {
		log_event(LOG_ERROR, "master.start_failed", kv_word("role", role_name(c->role)),
		          kv_err(e));
		loop_timer_set(c->children->loop, &c->timer, CHILD_PAUSE_MAX_MS, start_again, c);
	}
}

/* ---- words, deaths ---- */

static void
heard(void *owner, struct chan *chan, struct chan_word *w)
{
	struct child *c = owner;
	struct talk_ready ready;

	(void)chan;
	if (w->word != WORD_READY) {
		c->children->handlers->word(c->children->owner, c, w);
		return;
	}
	if (!talk_ready_get(&w->body, &ready) || ready.cage.n != sizeof(c->cage))
		return;
	memcpy(c->cage, ready.cage.p, ready.cage.n);
	c->state = REPORT_READY;
	c->children->handlers->ready(c->children->owner, c);
}

/* The process is dead or about to die: SIGCHLD tells how.  Who broke the table is ended. */
static void
gone(void *owner, struct chan *chan, struct err why)
{
	struct child *c = owner;

	chan_close(chan);
	c->chan = NULL;
	if (why.code != ERR_GONE && c->pid) {
		log_event(LOG_ERROR, "master.child_cut", kv_word("role", role_name(c->role)),
		          kv_err(why));
		kill(c->pid, SIGKILL);
	}
}

static void
bury(struct child *c, int status)
{
	struct children *cs = c->children;
	bool drained = c->state == REPORT_DRAINING;
	bool steady = loop_now_ms(cs->loop) - c->started_ms >= CHILD_STEADY_MS;

	c->pid = 0;
	c->state = REPORT_DEAD;
	loop_timer_stop(cs->loop, &c->timer);
	chan_close(c->chan);
	c->chan = NULL;
	if (!drained) {
		c->pause_ms = steady || !c->pause_ms ? CHILD_PAUSE_FIRST_MS : c->pause_ms * 2;
		if (c->pause_ms > CHILD_PAUSE_MAX_MS)
			c->pause_ms = CHILD_PAUSE_MAX_MS;
		c->restarts++;
		loop_timer_set(cs->loop, &c->timer, c->pause_ms, start_again, c);
	}
	cs->handlers->died(cs->owner, c, status);
}

void
children_reap(struct children *cs)
{
	struct child *next;
	int status;

	for (struct child *c = cs->first; c; c = next) {
		next = c->next;
		if (c->pid && waitpid(c->pid, &status, WNOHANG) == c->pid)
			bury(c, status);
	}
}

static void
overdue(void *owner)
{
	struct child *c = owner;

	if (c->pid)
		kill(c->pid, SIGKILL);
}

void
children_drain(struct children *cs, struct child *c, uint32_t deadline_ms)
{
	if (!c->pid)
		loop_timer_stop(cs->loop, &c->timer); /* it is not started again */
	if (!c->pid || c->state == REPORT_DRAINING)
		return; /* asked again, it keeps its deadline */
	/* one that is not ready yet has nothing under way */
	if (c->state != REPORT_READY || !c->chan ||
	    !chan_say(c->chan, talk_drain_out(&(struct talk_drain){0}), -1))
		kill(c->pid, SIGKILL);
	c->state = REPORT_DRAINING;
	loop_timer_set(cs->loop, &c->timer, deadline_ms, overdue, c);
}

struct child *
children_first(const struct children *cs)
{
	return cs->first;
}

struct child *
children_find(const struct children *cs, enum role role, uint8_t instance)
{
	for (struct child *c = cs->first; c; c = c->next)
		if (c->role == role && c->instance == instance)
			return c;
	return NULL;
}

struct err
children_start(struct children *cs, enum role role, uint8_t instance)
{
	struct child *c = calloc(1, sizeof(*c)), **last = &cs->first;

	if (!c)
		return ERR(ERR_MEMORY, 0, "child");
	c->role = role;
	c->instance = instance;
	c->children = cs;
	while (*last)
		last = &(*last)->next;
	*last = c;
	return spawn(c);
}

struct err
children_open(struct children **out, struct loop *loop, int executable,
              const struct children_handlers *handlers, void *owner)
{
	struct children *cs = calloc(1, sizeof(*cs));

	if (!cs)
		return ERR(ERR_MEMORY, 0, "children");
	*cs = (struct children){loop, executable, handlers, owner, NULL};
	*out = cs;
	return OK;
}

void
children_close(struct children *cs)
{
	if (!cs)
		return;
	for (struct child *c = cs->first, *next; c; c = next) {
		next = c->next;
		loop_timer_stop(cs->loop, &c->timer);
		chan_close(c->chan);
		if (c->pid) {
			kill(c->pid, SIGKILL);
			waitpid(c->pid, NULL, 0);
		}
		free(c);
	}
	free(cs);
}
