/*
 * resolve_job.c - drives iterate machines.
 *
 * Invariants:
 * 1. A job is in `all` under its name and type from its beginning to its end.
 * 2. A question that is open at a server is in `asked` under its own name and type, with the job that
 *    sent it.  Another job that wants to ask the same follows that one, and looks again into the
 *    cache when it is answered, or late.
 * 3. A job for which nobody waits any more is gone: who asks and goes away leaves nothing behind him
 *    (attack 173).
 */
#include "serve/resolve_job.h"

#include "base/map.h"
#include "base/random.h"
#include "serve/resolve_out.h"

#include <errno.h>
#include <stdlib.h>

enum { KEY_MAX = DNAME_MAX + 2 };

struct job {
	struct jobs *jobs;
	struct iterate *it;
	struct job_wait *waits;
	struct dname name, asked; /* asked: what is open, n 0: nothing */
	uint16_t type, asked_type;
	struct resolve_out out;
	struct loop_timer timer;
	struct job *followers, *next, **link; /* next, link: among the followers of another one */
	bool ending;                          /* who waits for it is being told */
};

struct jobs {
	struct loop *loop;
	struct random *random;
	const struct iterate_conf *conf;
	struct map all, asked;
	struct jobs_counts counts;
};

static void run(void *owner);

static struct bytes
key_of(uint8_t room[KEY_MAX], struct bytes name, uint16_t type)
{
	struct wr w = wr_of(room, KEY_MAX);

	for (size_t i = 0; i < name.n; i++)
		wr_u8(&w, lower(name.p[i]));
	wr_u16(&w, type);
	return wr_since(&w, room);
}

/* ---- the question that is open ---- */

static void
unfollow(struct job *j)
{
	if (!j->link)
		return;
	*j->link = j->next;
	if (j->next)
		j->next->link = j->link;
	j->next = NULL;
	j->link = NULL;
}

/* Those who wanted to ask the same look again. */
static void
release(struct job *j)
{
	uint8_t room[KEY_MAX];
	struct job *f;

	loop_timer_stop(j->jobs->loop, &j->timer);
	resolve_out_end(&j->out);
	if (j->asked.n)
		map_remove(&j->jobs->asked, key_of(room, dname_bytes(&j->asked), j->asked_type));
	j->asked.n = 0;
	while ((f = j->followers)) {
		unfollow(f);
		iterate_again(f->it);
		loop_timer_set(f->jobs->loop, &f->timer, 0, run, f);
	}
}

/* A house without IPv6 notices it once for all addresses, and not for each. */
static void
unreachable(struct job *j, int why)
{
	bool no_route = !addr_ip_is_v4(j->out.to.ip) && !j->jobs->conf->world.loopback &&
	                (why == ENETUNREACH || why == EAFNOSUPPORT || why == EADDRNOTAVAIL);

	iterate_unreachable(j->it, loop_now_ms(j->jobs->loop), no_route);
}

static void
heard(void *owner, struct bytes packet, int refused)
{
	struct job *j = owner;

	if (!packet.p)
		unreachable(j, refused);
	else if (!iterate_reply(j->it, loop_now_ms(j->jobs->loop), packet))
		j->jobs->counts.mismatched++;
	run(j);
}

static void
late(void *owner)
{
	struct job *j = owner;

	j->jobs->counts.late++;
	iterate_late(j->it, loop_now_ms(j->jobs->loop));
	run(j);
}

/* False: it could not be sent, which the machine knows. */
static bool
ask(struct job *j, const struct iterate_send *send)
{
	struct jobs *jobs = j->jobs;
	uint8_t room[KEY_MAX];
	struct bytes key = key_of(room, send->name, send->type);
	struct job *other = map_get(&jobs->asked, key);
	struct err e;

	if (other) {
		j->next = other->followers;
		j->link = &other->followers;
		if (j->next)
			j->next->link = &j->next;
		other->followers = j;
		jobs->counts.shared++;
		return true;
	}
	if (!map_put(&jobs->asked, key, j)) {
		iterate_unreachable(j->it, loop_now_ms(jobs->loop), false);
		return false;
	}
	dname_copy(&j->asked, send->name);
	j->asked_type = send->type;
	jobs->counts.sent++;
	jobs->counts.tcp += send->tcp;
	e = resolve_out_begin(&j->out, jobs->loop, jobs->random, send, heard, j);
	if (is_ok(e)) {
		loop_timer_set(jobs->loop, &j->timer, send->wait_ms, late, j);
		return true;
	}
	unreachable(j, e.sys);
	return false;
}

/* ---- jobs ---- */

static void
forget(struct job_wait *w)
{
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	w->job = NULL;
}

static void
job_free(struct job *j)
{
	j->jobs->counts.open--;
	iterate_free(j->it);
	free(j);
}

/* done() may ask again: the job is out of the way before. */
static void
finish(struct job *j)
{
	const struct iterate_result *r = iterate_result(j->it);
	uint8_t room[KEY_MAX];
	struct job_wait *w;

	j->jobs->counts.failed += r->rcode == DNS_RCODE_SERVFAIL;
	map_remove(&j->jobs->all, key_of(room, dname_bytes(&j->name), j->type));
	j->ending = true;
	while ((w = j->waits)) {
		forget(w);
		w->done(w->owner, r);
	}
	job_free(j);
}

/* Nobody wants to know any more. */
static void
abandon(struct job *j)
{
	uint8_t room[KEY_MAX];

	unfollow(j);
	release(j);
	map_remove(&j->jobs->all, key_of(room, dname_bytes(&j->name), j->type));
	job_free(j);
}

static void
run(void *owner)
{
	struct job *j = owner;
	struct iterate_send send;

	for (;;) {
		switch (iterate_step(j->it, loop_now_ms(j->jobs->loop), &send)) {
		case ITERATE_WAIT:
			return;
		case ITERATE_DONE:
			release(j);
			finish(j);
			return;
		case ITERATE_SEND:
			release(j);
			if (ask(j, &send))
				return;
		}
	}
}

static struct job *
job_new(struct jobs *jobs, struct bytes name, uint16_t type, struct bytes key)
{
	struct job *j = jobs->counts.open < JOBS_MAX ? calloc(1, sizeof(*j)) : NULL;

	if (!j)
		return NULL;
	j->jobs = jobs;
	j->type = type;
	dname_copy(&j->name, name);
	j->it = iterate_new(jobs->conf, name, type, loop_now_ms(jobs->loop));
	if (!j->it || !map_put(&jobs->all, key, j)) {
		iterate_free(j->it);
		free(j);
		return NULL;
	}
	jobs->counts.open++;
	jobs->counts.begun++;
	return j;
}

/* ---- public ---- */

struct jobs *
jobs_new(struct loop *loop, struct random *random, const struct iterate_conf *conf)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));
	uint8_t key[16];

	if (!jobs)
		return NULL;
	*jobs = (struct jobs){.loop = loop, .random = random, .conf = conf};
	random_fill(random, key, sizeof(key));
	map_init(&jobs->all, key);
	random_fill(random, key, sizeof(key));
	map_init(&jobs->asked, key);
	return jobs;
}

void
jobs_free(struct jobs *jobs)
{
	struct map_at at = {0};
	struct job *j;

	if (!jobs)
		return;
	while ((j = map_next(&jobs->all, &at, NULL))) {
		loop_timer_stop(jobs->loop, &j->timer);
		resolve_out_end(&j->out);
		while (j->waits)
			forget(j->waits);
		job_free(j);
	}
	map_free(&jobs->all);
	map_free(&jobs->asked);
	free(jobs);
}

void
jobs_ask(struct jobs *jobs, struct job_wait *w, struct bytes name, uint16_t type, job_fn *done,
         void *owner)
{
	uint8_t room[KEY_MAX];
	struct bytes key = key_of(room, name, type);
	struct job *j = map_get(&jobs->all, key);
	bool fresh = !j;

	if (!j)
		j = job_new(jobs, name, type, key);
	if (!j) {
		done(owner, NULL);
		return;
	}
	*w = (struct job_wait){
	    .job = j, .next = j->waits, .link = &j->waits, .done = done, .owner = owner};
	if (w->next)
		w->next->link = &w->next;
	j->waits = w;
	if (fresh)
		run(j);
	else
		jobs->counts.shared++;
}

void
job_forget(struct job_wait *w)
{
	struct job *j = w->job;

	if (!j)
		return;
	forget(w);
	if (!j->waits && !j->ending)
		abandon(j);
}

struct jobs_counts
jobs_counts(const struct jobs *jobs)
{
	return jobs->counts;
}
