/*
 * sim_net.c - the virtual network.
 *
 * A file is what a descriptor stands for: a stream's or a channel's end, a listener, a datagram
 * socket.  What goes to a file goes through its pipe: first under way, sorted by arrival, then here.
 *
 * Invariants:
 * 1. A pipe is in the heap of arrivals exactly while something is under way in it.
 * 2. `used` counts the octets under way and here.
 * 3. A file lives while a descriptor or something under way refers to it; this imitates the
 *    kernel, so its references are counted.
 * 4. A pipe lives while it has a reader or a writer.
 */
#include "net/sim_net.h"

#include "net/loop_fd.h"
#include "net/sim_parcel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
	STREAM_ROOM = 64 * 1024,
	MESSAGES_ROOM = 256 * 1024,
	INBOX_ROOM = 1024 * 1024, /* datagrams beyond it are lost */
	FIRST_PORT = 49152,       /* of those that are given where 0 was asked for */
	DELAY_MAX_MS = 20,
};

struct pipe {
	struct heap_node node; /* first */
	struct parcels under_way, here;
	size_t used;
	uint64_t last_at;
	struct sim_file *reader, *writer;
};

enum file_kind { PIPED_STREAM, PIPED_MESSAGES, LISTENER, DATAGRAMS };

struct sim_file {
	enum file_kind kind;
	size_t refs;
	bool networked, broken;
	struct addr local, peer;
	struct pipe *in, *out;
	struct sim_poll *poll;
};

static void unref(struct sim_net *, struct sim_file *);

/* ---- polls ---- */

static void
kick(struct sim_net *s, struct sim_file *f)
{
	if (f)
		sim_net_kick(s, f->poll);
}

/* ---- parcels and pipes ---- */

static void
parcel_free(struct sim_net *s, struct parcel *p)
{
	if (p->fd >= 0)
		loop_fd_close(p->fd);
	if (p->file)
		unref(s, p->file);
	free(p);
}

static uint64_t
draw_delay(struct sim_net *s, bool networked)
{
	const struct sim_weather *w = &s->weather;

	if (!networked)
		return random_below(s->random, 2);
	return w->delay_min_ms +
	       random_below(s->random, (uint64_t)w->delay_max_ms - w->delay_min_ms + 1);
}

/* Sends it on its way; false, and it is freed, when memory is used up. */
static bool
post(struct sim_net *s, struct pipe *pipe, struct parcel *p, bool networked, bool ordered)
{
	p->at = s->now_ms + draw_delay(s, networked);
	if (ordered && p->at < pipe->last_at)
		p->at = pipe->last_at;
	pipe->last_at = p->at;
	if (!heap_holds(&pipe->node) && !heap_push(&s->arrivals, &pipe->node, p->at)) {
		parcel_free(s, p);
		return false;
	}
	parcels_insert(&pipe->under_way, p);
	pipe->used += p->n;
	heap_move(&s->arrivals, &pipe->node, pipe->under_way.first->at);
	return true;
}

static void
empty(struct sim_net *s, struct pipe *pipe)
{
	while (pipe->under_way.first)
		parcel_free(s, parcels_take(&pipe->under_way));
	while (pipe->here.first)
		parcel_free(s, parcels_take(&pipe->here));
	heap_remove(&s->arrivals, &pipe->node);
	pipe->used = 0;
}

static void
pipe_release(struct sim_net *s, struct pipe *pipe)
{
	if (pipe->reader || pipe->writer)
		return;
	empty(s, pipe);
	free(pipe);
}

/* Nothing more will be written: an end goes behind what is under way. */
static void
close_writer(struct sim_net *s, struct sim_file *f)
{
	struct pipe *pipe = f->out;
	struct parcel *p;

	if (!pipe)
		return;
	f->out = NULL;
	pipe->writer = NULL;
	if (pipe->reader && (p = parcel_new(0))) {
		p->end = true;
		post(s, pipe, p, f->networked, true);
	}
	pipe_release(s, pipe);
}

static void
close_reader(struct sim_net *s, struct sim_file *f)
{
	struct pipe *pipe = f->in;

	if (!pipe)
		return;
	f->in = NULL;
	pipe->reader = NULL;
	empty(s, pipe);
	kick(s, pipe->writer);
	pipe_release(s, pipe);
}

/* The first that is here is done with. */
static void
done_with_first(struct sim_net *s, struct pipe *pipe)
{
	struct parcel *p = parcels_take(&pipe->here);

	pipe->used -= p->n - p->eaten;
	kick(s, pipe->writer);
	parcel_free(s, p);
}

/* ---- files ---- */

static struct sim_file *
file_new(enum file_kind kind, bool readable)
{
	struct sim_file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->kind = kind;
	if (readable) {
		f->in = calloc(1, sizeof(*f->in));
		if (!f->in) {
			free(f);
			return NULL;
		}
		f->in->reader = f;
	}
	return f;
}

static void
unref(struct sim_net *s, struct sim_file *f)
{
	if (f->refs && --f->refs)
		return;
	assert(!f->poll); /* loop_poll_close() goes before the descriptor's end */
	close_writer(s, f);
	close_reader(s, f);
	free(f);
}

static struct sim_file *
file_at(const struct sim_net *s, int fd)
{
	size_t i = (size_t)(fd - SIM_FD);

	return sim_net_is_virtual(fd) && i < s->n_files ? s->files[i] : NULL;
}

#define NO_FILE ERR(ERR_IO, EBADF, "no such virtual descriptor")

/* A descriptor for f, which counts it; -1 without memory. */
static int
give_fd(struct sim_net *s, struct sim_file *f)
{
	struct sim_file **more;
	size_t i = 0;

	while (i < s->n_files && s->files[i])
		i++;
	if (i == s->n_files) {
		more = realloc(s->files, (i + 64) * sizeof(struct sim_file *));
		if (!more)
			return -1;
		memset(more + i, 0, 64 * sizeof(struct sim_file *));
		s->files = more;
		s->n_files += 64;
	}
	s->files[i] = f;
	f->refs++;
	return SIM_FD + (int)i;
}

/* Two ends of one thing; false without memory. */
static bool
make_pair(struct sim_net *s, enum file_kind kind, struct sim_file *end[2])
{
	end[0] = file_new(kind, true);
	end[1] = file_new(kind, true);
	if (!end[0] || !end[1]) {
		for (int i = 0; i < 2; i++)
			if (end[i])
				unref(s, end[i]);
		return false;
	}
	end[0]->out = end[1]->in;
	end[1]->out = end[0]->in;
	end[0]->out->writer = end[0];
	end[1]->out->writer = end[1];
	return true;
}

static bool
is_any(const uint8_t ip[16])
{
	static const uint8_t any[16];

	return memcmp(ip, any, 16) == 0;
}

/* Who listens at this address; at :: listens who has no rival of that very address. */
static struct sim_file *
find(const struct sim_net *s, enum file_kind kind, const struct addr *a)
{
	struct sim_file *wild = NULL;

	for (size_t i = 0; i < s->n_files; i++) {
		struct sim_file *f = s->files[i];

		if (!f || f->kind != kind || f->local.port != a->port)
			continue;
		if (!memcmp(f->local.ip, a->ip, 16))
			return f;
		if (is_any(f->local.ip))
			wild = f;
	}
	return wild;
}

static uint16_t
free_port(struct sim_net *s)
{
	if (s->last_port < FIRST_PORT || s->last_port == UINT16_MAX)
		s->last_port = FIRST_PORT - 1;
	return ++s->last_port;
}

static void
cut(struct sim_net *s, struct sim_file *f)
{
	struct sim_file *other = f->in ? f->in->writer : NULL;

	if (!other && f->out)
		other = f->out->reader;
	f->broken = true;
	kick(s, f);
	if (other) {
		other->broken = true;
		kick(s, other);
	}
}

/* ---- public: the whole ---- */

struct err
sim_net_init(struct sim_net *s, uint64_t seed)
{
	*s = (struct sim_net){.random = random_seeded(seed)};
	s->weather.delay_max_ms = DELAY_MAX_MS;
	s->ready_end = &s->ready;
	return s->random ? OK : ERR(ERR_MEMORY, 0, "a virtual network");
}

void
sim_net_fini(struct sim_net *s)
{
	for (size_t i = 0; i < s->n_files; i++)
		if (s->files[i])
			sim_net_close(s, SIM_FD + (int)i);
	assert(!s->ready && !s->arrivals.n);
	heap_fini(&s->arrivals);
	random_close(s->random);
	free(s->files);
}

size_t
sim_net_count(const struct sim_net *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_files; i++)
		n += s->files[i] != NULL;
	return n;
}

uint64_t
sim_net_next(const struct sim_net *s)
{
	const struct heap_node *first = heap_first(&s->arrivals);

	return first ? first->key : LOOP_NEVER;
}

bool
sim_net_arrive(struct sim_net *s)
{
	struct heap_node *first;
	bool any = false;

	while ((first = heap_first(&s->arrivals)) && first->key <= s->now_ms) {
		struct pipe *pipe = (struct pipe *)(void *)first;

		while (pipe->under_way.first && pipe->under_way.first->at <= s->now_ms)
			parcels_add(&pipe->here, parcels_take(&pipe->under_way));
		if (pipe->under_way.first)
			heap_move(&s->arrivals, first, pipe->under_way.first->at);
		else
			heap_remove(&s->arrivals, first);
		kick(s, pipe->reader);
		any = true;
	}
	return any;
}

bool
sim_net_is_virtual(int fd)
{
	return fd >= SIM_FD;
}

unsigned
sim_net_events(const struct sim_net *s, int fd)
{
	const struct sim_file *f = file_at(s, fd);
	size_t room;
	unsigned events = 0;

	if (!f || f->broken)
		return LOOP_READ | LOOP_WRITE;
	if (f->in && f->in->here.first)
		events |= LOOP_READ;
	room = f->kind == PIPED_STREAM ? STREAM_ROOM : MESSAGES_ROOM / 2;
	if (f->kind == DATAGRAMS ||
	    (f->kind != LISTENER && (!f->out || !f->out->reader || f->out->used < room)))
		events |= LOOP_WRITE;
	return events;
}

struct err
sim_net_watch(struct sim_net *s, int fd, struct sim_poll *p)
{
	struct sim_file *f = file_at(s, fd);

	if (!f)
		return NO_FILE;
	if (f->poll)
		return ERR(ERR_IO, EEXIST, "a second poll of a descriptor");
	f->poll = p;
	return OK;
}

void
sim_net_unwatch(struct sim_net *s, struct sim_poll *p)
{
	struct sim_file *f = file_at(s, p->poll.fd);

	sim_net_unkick(s, p);
	assert(f && f->poll == p);
	f->poll = NULL;
}

/* ---- public: descriptors ---- */

void
sim_net_close(struct sim_net *s, int fd)
{
	struct sim_file *f = file_at(s, fd);

	assert(f);
	s->files[fd - SIM_FD] = NULL;
	unref(s, f);
}

void
sim_net_cut(struct sim_net *s, int fd)
{
	struct sim_file *f = file_at(s, fd);

	assert(f);
	cut(s, f);
}

struct err
sim_net_dup(struct sim_net *s, int fd, int *out)
{
	struct sim_file *f = file_at(s, fd);

	if (!sim_net_is_virtual(fd))
		return loop_fd_dup(fd, out);
	if (!f)
		return NO_FILE;
	*out = give_fd(s, f);
	return *out < 0 ? ERR(ERR_MEMORY, 0, "a descriptor") : OK;
}

struct err
sim_net_pair(struct sim_net *s, enum loop_kind kind, int fd[2])
{
	struct sim_file *end[2];

	assert(kind != LOOP_DATAGRAM);
	if (!make_pair(s, kind == LOOP_STREAM ? PIPED_STREAM : PIPED_MESSAGES, end))
		return ERR(ERR_MEMORY, 0, "a pair");
	for (int i = 0; i < 2; i++)
		fd[i] = give_fd(s, end[i]);
	if (fd[0] >= 0 && fd[1] >= 0)
		return OK;
	for (int i = 0; i < 2; i++)
		if (fd[i] >= 0)
			sim_net_close(s, fd[i]);
		else
			unref(s, end[i]);
	return ERR(ERR_MEMORY, 0, "a pair");
}

struct err
sim_net_listen(struct sim_net *s, const struct addr *a, enum loop_kind kind, int *fd)
{
	enum file_kind as = kind == LOOP_STREAM ? LISTENER : DATAGRAMS;
	struct addr at = *a;
	struct sim_file *f;

	if (!at.port)
		at.port = free_port(s);
	f = find(s, as, &at);
	if (f && !memcmp(f->local.ip, at.ip, 16))
		return ERR(ERR_IO, EADDRINUSE, "listen");
	f = file_new(as, true);
	if (!f)
		return ERR(ERR_MEMORY, 0, "a socket");
	f->local = at;
	f->networked = true;
	*fd = give_fd(s, f);
	if (*fd >= 0)
		return OK;
	unref(s, f);
	return ERR(ERR_MEMORY, 0, "a socket");
}

/* f, which stood alone, becomes the end whose place it takes. */
static void
become(struct sim_net *s, struct sim_file *f, struct sim_file *end)
{
	f->in = end->in;
	f->out = end->out;
	f->in->reader = f;
	f->out->writer = f;
	f->peer = end->peer;
	end->in = end->out = NULL;
	unref(s, end);
	kick(s, f);
}

struct err
sim_net_connect(struct sim_net *s, int fd, const struct addr *from, const struct addr *to, int *out)
{
	struct sim_file *listener = find(s, LISTENER, to), *own = file_at(s, fd), *end[2];
	struct parcel *p;

	if (fd >= 0 && (!own || own->kind != PIPED_STREAM || own->in))
		return NO_FILE;
	if (!listener)
		return ERR(ERR_NOTFOUND, ECONNREFUSED, "connect");
	p = parcel_new(0);
	if (!p || !make_pair(s, PIPED_STREAM, end)) {
		free(p);
		return ERR(ERR_MEMORY, 0, "a connection");
	}
	end[0]->local = own ? own->local : *from;
	if (!end[0]->local.port)
		end[0]->local.port = free_port(s);
	end[0]->peer = end[1]->local = *to;
	end[1]->peer = end[0]->local;
	end[0]->networked = end[1]->networked = true;
	p->file = end[1];
	end[1]->refs++;
	*out = own ? fd : give_fd(s, end[0]);
	if (*out < 0) {
		parcel_free(s, p);
		unref(s, end[0]);
		return ERR(ERR_MEMORY, 0, "a connection");
	}
	if (own)
		become(s, own, end[0]);
	if (!post(s, listener->in, p, true, true))
		cut(s, file_at(s, *out));
	return OK;
}

struct err
sim_net_connected(struct sim_net *s, int fd)
{
	const struct sim_file *f = file_at(s, fd);

	if (!f)
		return NO_FILE;
	return f->broken ? ERR(ERR_NOTFOUND, ECONNRESET, "connect") : OK;
}

/* One that listens nowhere and is connected to nobody. */
static struct err
alone(struct sim_net *s, enum file_kind kind, const struct addr *from, int *fd)
{
	struct sim_file *f = file_new(kind, kind == DATAGRAMS);

	if (!f)
		return ERR(ERR_MEMORY, 0, "a socket");
	f->local = *from;
	if (!f->local.port)
		f->local.port = free_port(s);
	f->networked = true;
	*fd = give_fd(s, f);
	if (*fd < 0)
		unref(s, f);
	return *fd < 0 ? ERR(ERR_MEMORY, 0, "a socket") : OK;
}

struct err
sim_net_bind(struct sim_net *s, const struct addr *from, int *fd)
{
	return alone(s, PIPED_STREAM, from, fd);
}

struct err
sim_net_dgram_open(struct sim_net *s, const struct addr *from, const struct addr *to, int *fd)
{
	struct err e;

	if (from->port && find(s, DATAGRAMS, from))
		return ERR(ERR_IO, EADDRINUSE, "bind");
	e = alone(s, DATAGRAMS, from, fd);
	if (is_ok(e))
		s->files[*fd - SIM_FD]->peer = *to;
	return e;
}

struct err
sim_net_local(struct sim_net *s, int fd, struct addr *a)
{
	struct sim_file *f = file_at(s, fd);

	if (!f)
		return NO_FILE;
	*a = f->local;
	return OK;
}

struct err
sim_net_accept(struct sim_net *s, int listener, int *fd, struct addr *peer)
{
	struct sim_file *f = file_at(s, listener);

	*fd = -1;
	if (!f || f->kind != LISTENER)
		return NO_FILE;
	if (!f->in->here.first)
		return ERR(ERR_LATER, EAGAIN, "accept");
	*fd = give_fd(s, f->in->here.first->file);
	if (*fd < 0)
		return ERR(ERR_FULL, EMFILE, "accept");
	*peer = f->in->here.first->file->peer;
	done_with_first(s, f->in);
	return OK;
}

/* ---- public: input and output ---- */

/* A message comes whole, with its descriptor. */
static struct err
recv_message(struct sim_net *s, struct pipe *in, void *p, size_t n, size_t *got, int *passed)
{
	struct parcel *first = in->here.first;
	struct err e = OK;

	if (first->n > n) {
		e = ERR(ERR_SYNTAX, 0, "a message too long");
	} else {
		memcpy(p, first->b, first->n);
		*got = first->n;
		if (first->file)
			*passed = give_fd(s, first->file);
		else
			*passed = first->fd;
		first->fd = -1;
	}
	done_with_first(s, in);
	return e;
}

struct err
sim_net_recv(struct sim_net *s, int fd, void *p, size_t n, size_t *got, int *passed)
{
	struct sim_file *f = file_at(s, fd);
	struct parcel *first;

	*got = 0;
	if (passed)
		*passed = -1;
	if (!f || !f->in || f->kind != (passed ? PIPED_MESSAGES : PIPED_STREAM))
		return NO_FILE;
	if (f->broken)
		return ERR(ERR_IO, ECONNRESET, "recv");
	first = f->in->here.first;
	if (!first)
		return ERR(ERR_LATER, EAGAIN, "recv");
	if (first->end)
		return OK;
	if (passed)
		return recv_message(s, f->in, p, n, got, passed);
	if (n > first->n - first->eaten)
		n = first->n - first->eaten;
	if (!s->weather.whole && random_below(s->random, 2))
		n = 1 + (size_t)random_below(s->random, n);
	memcpy(p, first->b + first->eaten, n);
	first->eaten += n;
	f->in->used -= n;
	kick(s, f->in->writer);
	if (first->eaten == first->n)
		done_with_first(s, f->in);
	*got = n;
	return OK;
}

static struct err
attach(struct sim_net *s, struct parcel *p, int pass)
{
	if (pass < 0)
		return OK;
	if (!sim_net_is_virtual(pass))
		return loop_fd_dup(pass, &p->fd);
	p->file = file_at(s, pass);
	if (!p->file)
		return NO_FILE;
	p->file->refs++;
	return OK;
}

struct err
sim_net_send(struct sim_net *s, int fd, const struct bytes *pieces, size_t count, int pass,
             size_t *sent)
{
	struct sim_file *f = file_at(s, fd);
	struct parcel *p;
	size_t n = 0, room, at = 0;
	struct err e;

	*sent = 0;
	if (!f)
		return NO_FILE;
	if (f->networked && random_below(s->random, 1000000) < s->weather.cut_ppm) {
		cut(s, f);
		if (s->weather.was_cut)
			s->weather.was_cut(s->weather.owner);
	}
	if (f->broken || !f->out || !f->out->reader)
		return ERR(ERR_IO, f->broken ? ECONNRESET : EPIPE, "send");
	for (size_t i = 0; i < count; i++)
		n += pieces[i].n;
	room = f->kind == PIPED_STREAM ? STREAM_ROOM : MESSAGES_ROOM;
	room = room > f->out->used ? room - f->out->used : 0;
	if (f->kind == PIPED_MESSAGES ? n > room : !room)
		return ERR(ERR_LATER, EAGAIN, "send");
	if (n > room)
		n = room;
	if (!n)
		return OK;
	p = parcel_new(n);
	if (!p)
		return ERR(ERR_FULL, ENOMEM, "send");
	for (size_t i = 0; at < n; i++) {
		size_t part = pieces[i].n < n - at ? pieces[i].n : n - at;

		if (part)
			memcpy(p->b + at, pieces[i].p, part);
		at += part;
	}
	e = attach(s, p, pass);
	if (!is_ok(e)) {
		parcel_free(s, p);
		return e;
	}
	if (!post(s, f->out, p, f->networked, true))
		return ERR(ERR_FULL, ENOMEM, "send");
	*sent = n;
	return OK;
}

struct err
sim_net_shutdown(struct sim_net *s, int fd)
{
	struct sim_file *f = file_at(s, fd);

	if (!f)
		return NO_FILE;
	close_writer(s, f);
	return OK;
}

struct err
sim_net_dgram_recv(struct sim_net *s, int fd, struct loop_dgram *d, size_t max, size_t *got)
{
	struct sim_file *f = file_at(s, fd);

	*got = 0;
	if (!f || f->kind != DATAGRAMS)
		return NO_FILE;
	while (*got < max && f->in->here.first) {
		const struct parcel *p = f->in->here.first;
		struct loop_dgram *to = &d[(*got)++];

		to->n = p->n < to->cap ? p->n : to->cap;
		to->cut = p->n > to->cap;
		to->peer = p->peer;
		to->local = p->local;
		memcpy(to->p, p->b, to->n);
		done_with_first(s, f->in);
	}
	return *got ? OK : ERR(ERR_LATER, EAGAIN, "recv");
}

struct err
sim_net_dgram_send(struct sim_net *s, int fd, const struct loop_dgram *d, size_t n, size_t *sent)
{
	struct sim_file *f = file_at(s, fd), *to;

	*sent = 0;
	if (!f || f->kind != DATAGRAMS)
		return NO_FILE;
	for (; *sent < n; ++*sent, d++) {
		struct addr from = f->local;
		struct parcel *p;

		if (!is_any(d->local.ip))
			memcpy(from.ip, d->local.ip, 16);
		to = find(s, DATAGRAMS, &d->peer);
		if (!to || (to->peer.port && !addr_eq(&to->peer, &from)) ||
		    random_below(s->random, 1000000) < s->weather.lose_ppm ||
		    to->in->used + d->n > INBOX_ROOM || !(p = parcel_new(d->n)))
			continue;
		memcpy(p->b, d->p, d->n);
		p->peer = from;
		p->local = d->peer;
		post(s, to->in, p, true, false);
	}
	return OK;
}
