/* The resolver's driver, on a virtual net with loss and delays, in front of our own dns drivers. */
#include "../resolve_tcp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HINTS ". 3600 NS ns.root.\nns.root. 3600 A 10.0.0.1\n"
#define SOA   "$TTL 300\n@ SOA ns a 1 2 3 4 60\n"

static const struct rig_zone zones[] = {
    {"10.0.0.1", ".",
     SOA "@ NS ns.root.\nns.root. A 10.0.0.1\ncom NS ns.com\nns.com A 10.0.0.2\n"
         "net NS ns.net\nns.net A 10.0.0.2\n"},
    {"10.0.0.2", "com.",
     SOA "@ NS ns\nns A 10.0.0.2\nexample NS ns.example\nns.example A 10.0.0.3\n"
         "example NS ns2.example.net.\ndead NS ns.dead\nns.dead A 10.0.0.66\n"},
    {"10.0.0.2", "net.", SOA "@ NS ns\nns A 10.0.0.2\nns2.example A 10.0.0.4\n"},
    {"10.0.0.3", "example.com.",
     SOA "@ NS ns\n@ NS ns2.example.net.\nns A 10.0.0.3\nwww CNAME host\nhost A 192.0.2.1\n"
         "$GENERATE 1-60 big TXT \"forty-texts-make-more-than-one-datagram-of-1232-octets-$\"\n"
         "$GENERATE 1-8 turn A 192.0.2.$\n$GENERATE 1-60 h$ A 192.0.2.$\n"},
    {"10.0.0.4", "example.com.",
     SOA "@ NS ns\n@ NS ns2.example.net.\nns A 10.0.0.3\nwww CNAME host\nhost A 192.0.2.1\n"
         "$GENERATE 1-60 big TXT \"forty-texts-make-more-than-one-datagram-of-1232-octets-$\"\n"
         "$GENERATE 1-8 turn A 192.0.2.$\n$GENERATE 1-60 h$ A 192.0.2.$\n"},
};

static const char www[] = "NOERROR\nan www.example.com. CNAME host.example.com.\n"
			  "an host.example.com. A 192.0.2.1\n";

static struct rig
open_rig(uint64_t seed)
{
	struct loop *loop;
	struct err e = loop_sim_open(&loop, seed);

	assert_true(is_ok(e));
	return rig_open(zones, COUNT(zones), HINTS, seed, NULL, loop);
}

static void
close_rig(struct rig *r)
{
	rig_close(r);
	assert_int_equal(sim_open_fds(r->loop), 0);
	loop_close(r->loop);
}

static void
test_asks(void **state)
{
	static const struct {
		const char *name, *type, *answer;
	} asks[] = {
	    {"www.example.com.", "A", www},
	    {"none.example.com.", "A",
	     "NXDOMAIN\nns example.com. SOA ns.example.com. a.example.com. 1 2 3 4 60\n"},
	    {"host.example.com.", "MX",
	     "NOERROR\nns example.com. SOA ns.example.com. a.example.com. 1 2 3 4 60\n"},
	    {"www.dead.com.", "A", "SERVFAIL\n"},
	    {"localhost.", "A", "NOERROR\nan localhost. A 127.0.0.1\n"},
	    {"x.localhost.", "AAAA", "NOERROR\nan x.localhost. AAAA ::1\n"},
	    {"x.invalid.", "A", "NXDOMAIN\n"},
	    {"1.0.0.127.in-addr.arpa.", "PTR",
	     "NOERROR\nan 1.0.0.127.in-addr.arpa. PTR localhost.\n"},
	    {"example.com.", "ANY", "NOERROR\nan example.com. HINFO \"RFC8482\" \"\"\n"},
	    {"example.com.", "AXFR", "NOTIMP\n"},
	};

	(void)state;
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct rig r = open_rig(seed);

		for (int twice = 0; twice < 2; twice++)
			for (size_t i = 0; i < COUNT(asks); i++)
				assert_string_equal(rig_ask(&r, asks[i].name, asks[i].type),
				                    asks[i].answer);
		close_rig(&r);
	}
}

/* Loss and delay, from a seed: what is there is found. */
static void
test_weather(void **state)
{
	static const struct sim_weather weather = {
	    .delay_min_ms = 5, .delay_max_ms = 150, .lose_ppm = 120000};

	(void)state;
	for (uint64_t seed = 0; seed < 30; seed++) {
		struct rig r = open_rig(seed);
		const char *text = "";

		sim_weather(r.loop, &weather);
		for (int tries = 0; tries < 6 && strcmp(text, www) != 0; tries++) {
			text = rig_ask(&r, "www.example.com.", "A"); /* the client's are lost too */
			sim_run(r.loop, 6000); /* a failure is remembered for five seconds */
		}
		assert_string_equal(text, www);
		close_rig(&r);
	}
}

/* Recursion is said to be available, and that nothing is authoritative. */
static void
test_flags(void **state)
{
	struct rig r = open_rig(1);
	struct bytes answer;

	(void)state;
	rig_send(&r, r.udp, rig_packet(&r, "www.example.com.", "A", 4711, KIT_RD));
	answer = rig_receive(&r, r.udp, 10000);
	assert_int_equal(rig_octet(answer, 0) << 8 | rig_octet(answer, 1), 4711);
	assert_int_equal(rig_octet(answer, 2) << 8 | rig_octet(answer, 3),
	                 DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA);
	close_rig(&r);
}

/* Truncated over UDP, whole over TCP; and many questions over one connection. */
static void
test_tcp(void **state)
{
	struct rig r = open_rig(2);
	uint8_t seen[50] = {0}, id;
	struct bytes answer;
	int fd;

	(void)state;
	assert_string_equal(rig_ask(&r, "big.example.com.", "TXT"), "NOERROR tc\n");
	fd = rig_connect(&r, &r.me);
	rig_write(&r, fd, rig_packet(&r, "big.example.com.", "TXT", 1, KIT_RD));
	answer = rig_frame(&r, fd);
	assert_true(answer.n > DNS_UDP_MAX);
	for (uint16_t i = 0; i < COUNT(seen); i++) {
		char name[32];

		snprintf(name, sizeof(name), "h%u.example.com.", i + 1u);
		rig_write(&r, fd, rig_packet(&r, name, "A", i, KIT_RD));
	}
	for (size_t i = 0; i < COUNT(seen); i++) {
		answer = rig_frame(&r, fd);
		id = rig_octet(answer, 1);
		assert_true(answer.n > DNS_HEADER && id < COUNT(seen));
		assert_int_equal(seen[id]++, 0);
		assert_int_equal(rig_octet(answer, answer.n - 12), id + 1); /* before OPT */
	}
	loop_close_fd(r.loop, fd);
	close_rig(&r);
}

static void
test_idle_connection_ends(void **state)
{
	struct rig r = open_rig(3);
	uint8_t c;
	size_t got = 1;
	uint64_t left = RESOLVE_IDLE_MS + 5000;
	int fd = rig_connect(&r, &r.me);

	(void)state;
	assert_true(loop_wait(r.loop, fd, LOOP_READ, &left));
	assert_true(is_ok(loop_recv(r.loop, fd, &c, 1, &got)));
	assert_int_equal(got, 0);
	loop_close_fd(r.loop, fd);
	close_rig(&r);
}

/* Sets are handed out in turning order, from the cache too. */
static void
test_turns(void **state)
{
	struct rig r = open_rig(4);
	char first[64], *begin;
	unsigned seen = 0;

	(void)state;
	for (int i = 0; i < 8; i++) {
		begin = strstr(rig_ask(&r, "turn.example.com.", "A"), "192.0.2.");
		assert_non_null(begin);
		snprintf(first, sizeof(first), "%s", begin + strlen("192.0.2."));
		seen |= 1u << atoi(first);
	}
	assert_int_equal(seen, 0x1fe);
	close_rig(&r);
}

/* From the hosts file; complaints have their places; what was wrong changes nothing. */
static void
test_files(void **state)
{
	static const char hosts[] = "# ours\n192.0.2.80 box.home box # comment\n"
				    "192.0.2.81 box.home\r\n2001:db8::5\tbox.home\n";
	struct rig r = open_rig(5);
	char room[512] = "";
	struct wr told = wr_of(room, sizeof(room) - 1);
	struct err e = resolve_hosts(r.resolve, BYTES("hosts"), bytes_of(hosts), &told);

	(void)state;
	assert_true(is_ok(e));
	assert_string_equal(rig_ask(&r, "BOX.home.", "A"),
	                    "NOERROR\nan BOX.home. A 192.0.2.80\nan BOX.home. A "
	                    "192.0.2.81\n");
	assert_string_equal(rig_ask(&r, "80.2.0.192.in-addr.arpa.", "PTR"),
	                    "NOERROR\nan 80.2.0.192.in-addr.arpa. PTR box.home.\n");
	assert_string_equal(rig_ask(&r, "box.", "MX"), "NOERROR\n");
	e = resolve_hosts(r.resolve, BYTES("hosts"), BYTES("192.0.2.1 a\n  bad b\n"), &told);
	assert_int_equal(e.code, ERR_SYNTAX);
	e = resolve_hosts(r.resolve, BYTES("hosts"), BYTES("192.0.2.1 a b..c\n"), &told);
	assert_int_equal(e.code, ERR_SYNTAX);
	e = resolve_hosts(r.resolve, BYTES("hosts"), BYTES("192.0.2.1\n"), &told);
	assert_int_equal(e.code, ERR_SYNTAX);
	e = resolve_hints(r.resolve, BYTES("hints"), BYTES(". NS a.b.\n"), &told);
	assert_int_equal(e.code, ERR_SYNTAX);
	e = resolve_hints(r.resolve, BYTES("hints"), BYTES(". 1 NS a.b.\nc. 1 NS a.b.\n"), &told);
	assert_int_equal(e.code, ERR_SYNTAX);
	*told.p = 0;
	assert_non_null(strstr(room, "hosts:2:3: not an address\n"));
	assert_non_null(strstr(room, "hosts:1:13: "));
	assert_non_null(strstr(room, "hosts:1:1: an address without a name\n"));
	assert_non_null(strstr(room, "hints:1:"));
	assert_non_null(strstr(room, "hints:2:"));
	assert_string_equal(rig_ask(&r, "box.home.", "AAAA"),
	                    "NOERROR\nan box.home. AAAA 2001:db8::5\n");
	assert_string_equal(rig_ask(&r, "www.example.com.", "A"), www);
	close_rig(&r);
}

static void
drained(void *owner)
{
	*(bool *)owner = true;
}

/* Who waits is answered, who comes then is not. */
static void
test_drain(void **state)
{
	struct rig r = open_rig(6);
	bool done = false;
	int fd = rig_connect(&r, &r.me);

	(void)state;
	rig_write(&r, fd, rig_packet(&r, "h1.example.com.", "A", 1, KIT_RD));
	rig_send(&r, r.udp, rig_packet(&r, "www.example.com.", "A", 4711, KIT_RD));
	while (rig_count(&r, "waiting") < 2)
		sim_run(r.loop, 1);
	resolve_drain(r.resolve, drained, &done);
	assert_false(done);
	assert_string_equal(rig_show(rig_receive(&r, r.udp, 10000)), www);
	assert_true(rig_frame(&r, fd).n > 0);
	loop_close_fd(r.loop, fd);
	sim_run(r.loop, 20000);
	assert_true(done);
	assert_string_equal(rig_ask(&r, "www.example.com.", "A"), "");
	close_rig(&r);
}

/* ---- words ---- */

struct heard {
	bool came;
	struct err e;
	char text[512];
};

static void
word_answered(void *owner, struct err e, struct chan_word *w)
{
	struct heard *h = owner;
	struct wr out = wr_of(h->text, sizeof(h->text) - 1);
	struct talk_resolve_ask_answer a;

	h->came = true;
	h->e = e;
	if (!is_ok(e))
		return;
	assert_true(talk_resolve_ask_answer_get(&w->body, &a));
	wr_printf(&out, "%u %u %s ", a.code, a.rcode, a.ttl > 50 ? "ttl" : "0");
	if (a.canonical.n)
		dname_to_text(&out, a.canonical);
	for (struct rd rd = rd_of(a.records); rd_left(&rd);) {
		wr_text(&out, " ");
		text_hex(&out, rd_bytes16(&rd));
	}
	*out.p = 0;
}

static void
word_came(void *owner, const struct peer *p, struct chan_word *w)
{
	struct rig *r = owner;
	struct talk_resolve_ask ask;

	if (talk_resolve_ask_get(&w->body, &ask))
		resolve_word(r->resolve, peers_asker(p, w), &ask);
}

static void
chan_word_ignored(void *owner, struct chan *c, struct chan_word *w)
{
	(void)owner;
	(void)c;
	(void)w;
}

static void
chan_gone_ignored(void *owner, struct chan *c, struct err e)
{
	(void)owner;
	(void)c;
	(void)e;
}

static void
test_words(void **state)
{
	static const struct peers_handlers handlers = {.word = word_came};
	static const struct chan_handlers chan_handlers = {chan_word_ignored, chan_gone_ignored};
	static const struct {
		const char *name;
		uint16_t type;
		const char *answer;
	} asks[] = {
	    {"www.example.com.", DNS_TYPE_A, "0 0 ttl host.example.com. c0000201"},
	    {"www.example.com.", DNS_TYPE_MX, "0 0 ttl host.example.com."},
	    {"no.example.com.", DNS_TYPE_MX, "0 3 ttl no.example.com."},
	    {"localhost.", DNS_TYPE_A, "0 0 ttl localhost. 7f000001"},
	    {"www.dead.com.", DNS_TYPE_A, "9 0 0 www.dead.com."},
	    {"a.", DNS_TYPE_AXFR, "3 0 0 "},
	};
	struct loop *loop;
	struct peers *peers;
	struct chan *chan;
	struct rig r;
	int fd[2];

	(void)state;
	assert_true(is_ok(loop_sim_open(&loop, 1)));
	assert_true(is_ok(peers_open(&peers, loop, ROLE_RESOLVE, &handlers, &r)));
	r = rig_open(zones, COUNT(zones), HINTS, 1, peers, loop);
	assert_true(is_ok(loop_pair(loop, LOOP_MESSAGES, fd)));
	assert_true(is_ok(peers_add(peers, ROLE_OUT, 0, fd[0])));
	assert_true(
	    is_ok(chan_open(&chan, loop, fd[1], ROLE_OUT, ROLE_RESOLVE, &chan_handlers, NULL)));
	for (size_t i = 0; i < COUNT(asks); i++) {
		struct heard h = {.came = false};
		struct chan_ask ask = {.chan = NULL};
		struct dname d;
		const struct talk_resolve_ask word = {.name = kit_name(&d, asks[i].name),
		                                      .type = asks[i].type};

		assert_true(is_ok(chan_ask(chan, &ask, talk_resolve_ask_out(&word), -1, 20000,
		                           word_answered, &h)));
		for (int n = 0; n < 20000 && !h.came; n++)
			sim_run(loop, 1);
		assert_true(h.came && is_ok(h.e));
		assert_string_equal(h.text, asks[i].answer);
	}
	chan_close(chan);
	rig_close(&r);
	peers_close(peers);
	assert_int_equal(sim_open_fds(loop), 0);
	loop_close(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_asks),
	    cmocka_unit_test(test_weather),
	    cmocka_unit_test(test_flags),
	    cmocka_unit_test(test_tcp),
	    cmocka_unit_test(test_idle_connection_ends),
	    cmocka_unit_test(test_turns),
	    cmocka_unit_test(test_files),
	    cmocka_unit_test(test_drain),
	    cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
