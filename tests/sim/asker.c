/* asker.c - see asker.h */
#include "asker.h"

#include "dns/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { TRIES = 3, AGAIN_MS = 8000, PAUSE_MS = 30 * 1000, SLACK_MS = 45 * 1000, PACKET = 1500 };
enum { QUESTIONS_MAX = 12, MOVING = 1 };

/* What the zones say; addresses as their last octet. */
static const struct question {
	const char *name;
	uint16_t type;
	enum dns_rcode rcode;
	unsigned records; /* of the type, in the answer */
	uint32_t octets;  /* a bit for the last octet of each address, counted from `first` */
	uint8_t first;
	uint32_t ttl; /* at most */
	bool alias, moving;
} questions[] = {
    {"www.ycp.edu.", DNS_TYPE_A, DNS_RCODE_NOERROR, 6, 0x3f, 11, 300, false, false},
    {"WEB.ycp.edu.", DNS_TYPE_A, DNS_RCODE_NOERROR, 6, 0x3f, 11, 3600, true, false},
    {"far.ycp.edu.", DNS_TYPE_A, DNS_RCODE_NOERROR, 1, 1, 7, 3600, true, false},
    {"moving.ycp.edu.", DNS_TYPE_A, DNS_RCODE_NOERROR, 1, 0, 100, INTERNET_MOVING_TTL, false, true},
    {"moving.ycp.edu.", DNS_TYPE_A, DNS_RCODE_NOERROR, 1, 0, 100, INTERNET_MOVING_TTL, false, true},
    {"www.ycp.edu.", DNS_TYPE_AAAA, DNS_RCODE_NOERROR, 0, 0, 0, 300, false, false},
    {"nothing.ycp.edu.", DNS_TYPE_A, DNS_RCODE_NXDOMAIN, 0, 0, 0, 300, false, false},
    {"nowhere.edu.", DNS_TYPE_MX, DNS_RCODE_NXDOMAIN, 0, 0, 0, 300, false, false},
    {"fakeplace.edu.", DNS_TYPE_MX, DNS_RCODE_NOERROR, 2, 0, 0, 600, false, false},
    {"web.ycp.edu.", DNS_TYPE_CNAME, DNS_RCODE_NOERROR, 1, 0, 0, 3600, false, false},
};

static void ask(void *owner);

static void
next(struct asker_client *a, bool answered)
{
	struct loop *loop = a->net->scene.loop;

	a->asked++;
	a->answered += answered;
	loop_timer_stop(loop, &a->timer);
	loop_poll_close(a->poll);
	loop_close_fd(loop, a->fd);
	a->fd = -1;
	a->question++;
	a->tries = 0;
	a->over = --a->left == 0;
	if (!a->over)
		loop_timer_set(loop, &a->timer, scene_chance(&a->net->scene, PAUSE_MS), ask, a);
}

/* ---- what is heard ---- */

/* Did it have this address at some time since then? */
static bool
had_address(const struct internet *net, unsigned number, uint64_t since_ms)
{
	if (number > net->moves)
		return false;
	return number == net->moves || net->moved_ms[number + 1] >= since_ms;
}

static void
check_address(struct asker_client *a, const struct question *q, const struct dns_record *r,
              uint32_t *octets)
{
	uint64_t now = loop_now_ms(a->net->scene.loop),
		 back = INTERNET_MOVING_TTL * 1000 + SLACK_MS;
	struct rd data = r->rdata;
	uint32_t ip = rd_u32(&data);
	uint8_t last = (uint8_t)ip;

	SCENE_MUST(&a->net->scene, !data.bad && last >= q->first && last < q->first + 32);
	if (q->moving)
		SCENE_MUST(&a->net->scene,
		           had_address(a->net, last - q->first, now > back ? now - back : 0));
	else
		*octets |= 1u << (last - q->first);
}

static void
check(struct asker_client *a, struct dns_msg *m)
{
	const struct question *q = &questions[a->question % COUNT(questions)];
	struct scene *scene = &a->net->scene;
	unsigned records = 0, aliases = 0;
	uint32_t octets = 0;
	struct dns_record r;

	SCENE_MUST(scene, (m->flags & 15) == (unsigned)q->rcode);
	while (dns_msg_next(m, &r)) {
		if (r.section != DNS_ANSWER)
			continue;
		SCENE_MUST(scene, r.ttl <= q->ttl);
		SCENE_MUST(scene, r.type == q->type || (q->alias && r.type == DNS_TYPE_CNAME));
		aliases += r.type == DNS_TYPE_CNAME && r.type != q->type;
		records += r.type == q->type;
		if (r.type == DNS_TYPE_A)
			check_address(a, q, &r, &octets);
	}
	SCENE_MUST(scene, !m->r.bad);
	if (records != q->records || octets != q->octets || aliases != (unsigned)q->alias)
		scene_broken(scene, "%s %u: %u records, octets %x, %u aliases", q->name, q->type,
		             records, (unsigned)octets, aliases);
}

static void
told(void *owner, unsigned events)
{
	struct asker_client *a = owner;
	uint8_t room[PACKET];
	struct loop_dgram d = {.p = room, .cap = sizeof(room)};
	struct dns_msg m;
	size_t got;

	(void)events;
	if (!is_ok(loop_dgram_recv(a->net->scene.loop, a->fd, &d, 1, &got)) || !got)
		return;
	SCENE_MUST(&a->net->scene, !d.cut && dns_msg_open(&m, (struct bytes){room, d.n}));
	scene_note(&a->net->scene, (struct bytes){room, d.n});
	scene_show(&a->net->scene, "DNS:", a, (struct bytes){room, d.n});
	if (m.id != a->id)
		return;
	SCENE_MUST(&a->net->scene, (m.flags & DNS_FLAG_QR) && (m.flags & DNS_FLAG_RA) &&
	                               !(m.flags & (DNS_FLAG_TC | DNS_FLAG_AA)));
	if ((m.flags & 15) == DNS_RCODE_SERVFAIL) {
		next(a, false);
		return;
	}
	check(a, &m);
	next(a, true);
}

/* ---- what is asked ---- */

static void
send(struct asker_client *a)
{
	const struct question *q = &questions[a->question % COUNT(questions)];
	uint8_t room[PACKET];
	struct dns_writer w;
	struct dname name;
	struct bytes packet;
	struct loop_dgram d = {.peer = site_at(&a->net->ycp, 53), .p = room};
	size_t sent;

	assert_null(dname_parse_text(&name, bytes_of(q->name), DNAME_ROOT));
	dns_writer_ask(&w, room, sizeof(room), a->id, DNS_FLAG_RD, dname_bytes(&name), q->type, 1,
	               scene_chance(&a->net->scene, 2) ? 1232 : 0, false);
	packet = dns_writer_finish(&w);
	d.n = packet.n;
	assert_true(is_ok(loop_dgram_send(a->net->scene.loop, a->fd, &d, 1, &sent)));
}

/* The same question again, or gives up. */
static void
again(void *owner)
{
	struct asker_client *a = owner;

	if (a->tries++ == TRIES) {
		next(a, false);
		return;
	}
	send(a);
	loop_timer_set(a->net->scene.loop, &a->timer, AGAIN_MS, again, a);
}

static void
ask(void *owner)
{
	struct asker_client *a = owner;
	struct scene *scene = &a->net->scene;
	struct addr to = site_at(&a->net->ycp, 53), from = scene_addr("192.0.2.99", 1);

	from.port = (uint16_t)(1024 + scene_chance(scene, 60000));
	while (!is_ok(loop_dgram_open(scene->loop, &from, &to, &a->fd)))
		from.port++;
	assert_true(is_ok(loop_poll_open(&a->poll, scene->loop, a->fd, told, a)));
	loop_poll_want(a->poll, LOOP_READ);
	a->id = (uint16_t)random_u64(scene->dice);
	again(a);
}

void
asker_start(struct asker_client *a, struct internet *net, bool all, uint64_t within_ms)
{
	*a = (struct asker_client){.net = net, .fd = -1};
	a->question = all ? 0 : scene_chance(&net->scene, COUNT(questions));
	a->left = all ? COUNT(questions) : 1 + scene_chance(&net->scene, QUESTIONS_MAX);
	loop_timer_set(net->scene.loop, &a->timer, random_below(net->scene.dice, within_ms), ask,
	               a);
}
