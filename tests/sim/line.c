/* line.c - see line.h */
#include "line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { IN_MAX = 8192, OUT_MAX = 4 << 20, CUT_WITHIN_MS = 6000 };

void
line_close(struct line *l)
{
	if (l->fd < 0)
		return;
	loop_timer_stop(l->scene->loop, &l->cut);
	loop_poll_close(l->poll);
	loop_close_fd(l->scene->loop, l->fd);
	l->fd = -1;
	buf_free(&l->in);
	buf_free(&l->out);
	l->gone(l->owner);
}

static void
cut(void *owner)
{
	struct line *l = owner;

	sim_cut(l->scene->loop, l->fd);
}

static void
flush(struct line *l)
{
	struct bytes rest = buf_bytes(&l->out);
	struct err e = OK;
	size_t sent;

	while (is_ok(e) && rest.n) {
		e = loop_send(l->scene->loop, l->fd, &rest, 1, &sent);
		if (is_ok(e))
			buf_eat(&l->out, sent);
		rest = buf_bytes(&l->out);
	}
	if (!is_ok(e) && e.code != ERR_LATER) {
		line_close(l);
		return;
	}
	loop_poll_want(l->poll, LOOP_READ | (rest.n ? LOOP_WRITE : 0));
}

/* False: the connection is over. */
static bool
lines(struct line *l)
{
	while (l->fd >= 0) {
		struct rd r = rd_of(buf_bytes(&l->in));
		uint8_t kept[IN_MAX];
		struct bytes one;
		struct wr w = wr_of(kept, sizeof(kept));
		bool literal = l->literal > 0;

		if (!l->in.n)
			return true;
		if (literal)
			one = rd_take(&r, l->literal < l->in.n ? l->literal : l->in.n);
		else if (!rd_line(&r, &one))
			return true;
		wr_bytes(&w, one); /* its memory may move while it is heard */
		buf_eat(&l->in, one.n + (literal ? 0 : 2));
		scene_note(l->scene, wr_since(&w, kept));
		scene_show(l->scene, "S:", l, wr_since(&w, kept));
		l->literal -= literal ? one.n : 0;
		(literal ? l->octets : l->heard)(l->owner, wr_since(&w, kept));
	}
	return false;
}

static void
told(void *owner, unsigned events)
{
	struct line *l = owner;
	struct err e;
	size_t got;

	if (events & LOOP_WRITE)
		flush(l);
	while (l->fd >= 0) {
		struct wr w = buf_room(&l->in, IN_MAX - l->in.n);

		assert_true(wr_room(&w) > 0); /* a line of theirs is never that long */
		e = loop_recv(l->scene->loop, l->fd, w.p, wr_room(&w), &got);
		if (!is_ok(e) || !got) {
			buf_wrote(&l->in, 0);
			if (e.code != ERR_LATER)
				line_close(l);
			return;
		}
		buf_wrote(&l->in, got);
		if (!lines(l))
			return;
	}
}

bool
line_open(struct line *l, struct scene *s, const struct addr *to)
{
	struct addr from = *to;

	l->scene = s;
	l->in = buf_init(IN_MAX);
	l->out = buf_init(OUT_MAX);
	l->fd = -1;
	l->literal = 0;
	from.ip[15] = (uint8_t)(10 + random_below(s->dice, 20));
	from.port = (uint16_t)(1024 + random_below(s->dice, 60000));
	l->from = from;
	if (!is_ok(sim_connect(s->loop, &from, to, &l->fd)))
		return false;
	assert_true(is_ok(loop_poll_open(&l->poll, s->loop, l->fd, told, l)));
	loop_poll_want(l->poll, LOOP_READ);
	if (!s->mended && random_below(s->dice, 4) == 0)
		loop_timer_set(s->loop, &l->cut, random_below(s->dice, CUT_WITHIN_MS), cut, l);
	return true;
}

void
line_say(struct line *l, struct bytes text)
{
	if (l->fd < 0)
		return;
	scene_show(l->scene, "C:", l, text);
	assert_true(buf_add(&l->out, text));
	loop_poll_want(l->poll, LOOP_READ | LOOP_WRITE);
}

void
line_sayf(struct line *l, const char *fmt, ...)
{
	char text[512];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	assert_true(n > 0 && (size_t)n < sizeof(text));
	line_say(l, (struct bytes){(const uint8_t *)text, (size_t)n});
}
