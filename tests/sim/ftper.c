/* ftper.c - see ftper.h */
#include "ftper.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { GREETING, USER, PASS, TYPE, EPSV, MOVE, MOVING, SIZE, QUIT };
enum { CONTENT_MAX = 150000, TRANSFERS = 5, PIECE = 16 * 1024, PAUSE_MS = 20 * 1000 };

static struct scene *
scene(const struct ftper *f)
{
	return f->site->scene;
}

#define MUST(f, claim) SCENE_MUST(scene(f), claim)

static void
content(const struct ftper *f, unsigned version, struct buf *out)
{
	struct random *r = random_seeded(scene(f)->seed * 1000 + f->number * 100 + version);
	size_t n = (size_t)random_below(r, random_below(r, 8) ? 3000 : CONTENT_MAX);
	struct wr w = buf_room(out, n + 1);
	uint8_t *start = w.p;

	while (wr_since(&w, start).n < n)
		wr_u8(&w, (uint8_t)random_below(r, 256));
	buf_wrote(out, n);
	random_close(r);
}

/* ---- the data connection ---- */

static void
data_close(struct ftper *f, bool cut)
{
	if (!f->poll)
		return;
	if (cut) /* or what was sent would count as all of it */
		sim_cut(scene(f)->loop, f->data);
	loop_poll_close(f->poll);
	loop_close_fd(scene(f)->loop, f->data);
	f->poll = NULL;
}

/* May it be the file?  Of no octets: one of that size. */
static bool
may_be(const struct ftper *f, struct bytes got)
{
	bool fits = false;

	for (unsigned version = 1; version <= f->version && !fits; version++) {
		struct buf b = buf_init(CONTENT_MAX + 1);

		if (f->may >> version & 1) {
			content(f, version, &b);
			fits = got.p ? bytes_eq(buf_bytes(&b), got) : b.n == got.n;
		}
		buf_free(&b);
	}
	return fits;
}

static void next(struct ftper *f);

/* Both the data and the answer are there. */
static void
look_whether_over(struct ftper *f)
{
	if (!f->ended || !f->said)
		return;
	if (!f->stores) {
		MUST(f, may_be(f, buf_bytes(&f->octets)));
		f->fetched++;
	}
	next(f);
}

static void
send_on(struct ftper *f)
{
	struct bytes rest = buf_bytes(&f->octets);
	struct err e = OK;
	size_t sent;

	while (is_ok(e) && rest.n) {
		e = loop_send(scene(f)->loop, f->data, &rest, 1, &sent);
		if (is_ok(e))
			buf_eat(&f->octets, sent);
		rest = buf_bytes(&f->octets);
	}
	if (rest.n && e.code == ERR_LATER)
		return;
	if (is_ok(e) && is_ok(loop_shutdown(scene(f)->loop, f->data)))
		f->ended = true;
	data_close(f, !f->ended);
}

static void
receive_on(struct ftper *f)
{
	struct err e = OK;
	size_t got = 1;

	while (is_ok(e) && got) {
		struct wr w = buf_room(&f->octets, PIECE);

		assert_true(wr_room(&w) == PIECE);
		e = loop_recv(scene(f)->loop, f->data, w.p, PIECE, &got);
		buf_wrote(&f->octets, is_ok(e) ? got : 0);
	}
	if (e.code == ERR_LATER)
		return;
	f->ended = is_ok(e);
	data_close(f, false);
	look_whether_over(f);
}

static void
told(void *owner, unsigned events)
{
	struct ftper *f = owner;

	(void)events;
	if (f->stores)
		send_on(f);
	else
		receive_on(f);
}

static bool
data_open(struct ftper *f, uint16_t port)
{
	const struct addr to = site_at(f->site, port);
	struct addr from = f->line.from;

	from.port = 0;
	f->ended = f->said = false;
	buf_free(&f->octets);
	if (!is_ok(sim_connect(scene(f)->loop, &from, &to, &f->data)))
		return false;
	assert_true(is_ok(loop_poll_open(&f->poll, scene(f)->loop, f->data, told, f)));
	return true;
}

/* ---- what it says ---- */

static void
go_on(void *owner)
{
	struct ftper *f = owner;

	f->stage = f->left ? EPSV : QUIT;
	line_sayf(&f->line, f->left ? "EPSV\r\n" : "QUIT\r\n");
}

static void
next(struct ftper *f)
{
	data_close(f, true);
	buf_free(&f->octets);
	loop_timer_set(scene(f)->loop, &f->pause, scene_chance(scene(f), PAUSE_MS), go_on, f);
}

static void
move(struct ftper *f, struct bytes line)
{
	struct bytes port = line;
	uint64_t number;

	text_cut(&port, '|');
	text_cut(&port, '|');
	text_cut(&port, '|');
	MUST(f, text_u64(text_cut(&port, '|'), UINT16_MAX, &number));
	f->left--;
	if (!data_open(f, (uint16_t)number)) {
		line_close(&f->line);
		return;
	}
	f->stores = scene_chance(scene(f), 2);
	f->stage = MOVE;
	line_sayf(&f->line, "%s file-%u\r\n", f->stores ? "STOR" : "RETR", f->number);
	if (f->stores) { /* what comes of it is not known until it is told */
		f->version++;
		f->may |= 1u << f->version;
	}
}

/* ---- what it hears ---- */

/* 150: the data may go. */
static void
moves(struct ftper *f)
{
	f->stage = MOVING;
	if (f->stores) {
		content(f, f->version, &f->octets);
		loop_poll_want(f->poll, LOOP_WRITE);
	} else {
		loop_poll_want(f->poll, LOOP_READ);
	}
}

static void
moved(struct ftper *f, int code)
{
	bool none = !f->stores && code == 550;

	MUST(f, none || code == 226 || code == 425 || code == 426 || code == 450 || code == 451);
	MUST(f, !none || f->may & 1);
	if (code == 226 && f->stores) {
		MUST(f, f->ended);
		f->may = 1u << f->version;
		f->stored++;
	}
	if (f->stores && (code == 426 || f->stage == MOVE)) /* nothing was changed */
		f->may &= ~(1u << f->version);
	if (code == 226 && f->poll) {
		f->said = true; /* and the end of the data is on its way */
		return;
	}
	f->said = code == 226;
	if (f->said)
		look_whether_over(f);
	else
		next(f);
}

static void
sized(struct ftper *f, struct bytes line, int code)
{
	struct bytes text = {line.p + 4, line.n - 4};
	uint64_t n;

	MUST(f, code == 213 || code == 550 || code == 450);
	if (code == 213) {
		MUST(f, text_u64(text, UINT64_MAX, &n));
		MUST(f, may_be(f, (struct bytes){NULL, (size_t)n}));
	}
	MUST(f, code != 550 || f->may & 1);
	next(f);
}

static void
answered(struct ftper *f, struct bytes line, int code)
{
	switch (f->stage) {
	case GREETING:
		MUST(f, code == 220);
		f->stage = USER;
		line_sayf(&f->line, "USER %s\r\n", f->site->conf.people[0].address);
		break;
	case USER:
		MUST(f, code == 331);
		f->stage = PASS;
		line_sayf(&f->line, "PASS %s\r\n", f->site->conf.people[0].password);
		break;
	case PASS:
		MUST(f, code == 230);
		f->stage = TYPE;
		line_sayf(&f->line, "TYPE I\r\n");
		break;
	case TYPE:
		MUST(f, code == 200);
		f->stage = SIZE;
		line_sayf(&f->line, "SIZE file-%u\r\n", f->number);
		break;
	case SIZE:
		sized(f, line, code);
		break;
	case EPSV:
		MUST(f, code == 229);
		move(f, line);
		break;
	case MOVE:
		if (code == 150)
			moves(f);
		else
			moved(f, code);
		break;
	case MOVING:
		moved(f, code);
		break;
	default:
		MUST(f, code == 221);
		f->well = true;
		line_close(&f->line);
		break;
	}
}

static void
heard(void *owner, struct bytes line)
{
	struct ftper *f = owner;
	int code;

	MUST(f, line.n >= 4 && line.p[3] == ' ');
	code = (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + line.p[2] - '0';
	/* auth or box cannot tell; or box has begun anew, and knows the login no more */
	if (code == 421)
		line_close(&f->line);
	else
		answered(f, line, code);
}

static void
gone(void *owner)
{
	struct ftper *f = owner;

	loop_timer_stop(scene(f)->loop, &f->pause);
	data_close(f, true);
	buf_free(&f->octets);
	f->over = true;
}

static void
start(void *owner)
{
	struct ftper *f = owner;
	const struct addr to = site_at(f->site, 21);

	if (!line_open(&f->line, scene(f), &to))
		f->over = true;
}

void
ftper_start(struct ftper *f, struct site *site, unsigned number, uint64_t within_ms)
{
	*f = (struct ftper){.site = site, .number = number, .may = 1, .line = {.fd = -1}};
	f->octets = buf_init(2 * CONTENT_MAX);
	f->line.heard = heard;
	f->line.gone = gone;
	f->line.owner = f;
	f->left = 1 + scene_chance(scene(f), TRANSFERS);
	loop_timer_set(scene(f)->loop, &f->start, scene_chance(scene(f), (unsigned)within_ms),
	               start, f);
}

void
ftper_again(struct ftper *f)
{
	MUST(f, f->over);
	f->over = f->well = false;
	f->left = 1 + scene_chance(scene(f), TRANSFERS);
	f->stage = GREETING;
	loop_timer_set(scene(f)->loop, &f->start, 0, start, f);
}
