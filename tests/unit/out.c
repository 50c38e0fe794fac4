/* Outgoing mail from queue's word to the servers of a domain, over the virtual net. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first, and what they include */
#include "../out_rig.h"

#include <unistd.h>

#include <cmocka.h>

#define TWO_MX                                                                                     \
	{"x.test MX", "10 mx1.test;20 mx2.test"}, {"mx1.test A", "192.0.2.1"},                     \
	{                                                                                          \
		"mx2.test A", "192.0.2.2"                                                          \
	}

static const struct play_name two_mx[] = {TWO_MX, {NULL, NULL}};
static struct out_rig r;

static void
delivers(void **state)
{
	static const struct play_rule rules[] = {{"RCPT TO:<b1@", "550 5.1.1 nobody\r\n"},
	                                         {NULL, NULL}};
	struct rig_server *s;

	(void)state;
	rig_open(&r, "", two_mx);
	s = rig_server(&r, "192.0.2.1", 25, rules);
	assert_string_equal(rig_result(&r, "x.test", 3),
	                    "D2.0.0@mx1.test F5.1.1@mx1.test D2.0.0@mx1.test");
	assert_non_null(
	    strstr(s->sessions[0].sink.said,
	           "EHLO us.test\r\nMAIL FROM:<me@us.test> SIZE=24\r\nRCPT TO:<a0@x.test>"));
	assert_non_null(
	    strstr(s->sessions[0].sink.said, "DATA\r\nSubject: y\r\n\r\nhi\r\n..dot\r\n.\r\n"));
	assert_string_equal(r.sends[0].reply, "250 2.0.0 queued");
	rig_close(&r);
}

static void
the_next_server_where_one_does_not_serve(void **state)
{
	static const struct {
		struct play_rule rule; /* of the first server; NULL: it does not listen */
		const char *result;
	} rows[] = {
	    {{NULL, NULL}, "D2.0.0@mx2.test"},
	    {{"", "554 5.7.1 go away\r\n"}, "D2.0.0@mx2.test"},
	    {{"", NULL}, "D2.0.0@mx2.test"},
	    {{"", "220 us.test that is you\r\n"}, "D2.0.0@mx2.test"},
	    {{"EHLO", "421 busy\r\n\2"}, "D2.0.0@mx2.test"},
	    {{"MAIL", "451 4.3.0 later\r\n"}, "D2.0.0@mx2.test"},
	    {{"RCPT", "450 4.2.0 greylisted\r\n"}, "D2.0.0@mx2.test"},
	    {{"DATA", NULL}, "D2.0.0@mx2.test"},
	    {{"RCPT", "550 5.1.1 nobody\r\n"}, "F5.1.1@mx1.test"},
	    {{".", "451 4.7.1 later\r\n"}, "T4.7.1@mx1.test"},
	    {{".", NULL}, "T4.4.2@mx1.test"}, /* it may have it (attack 55) */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct play_rule rules[] = {rows[i].rule, {NULL, NULL}};

		rig_open(&r, "", two_mx);
		if (rows[i].rule.command)
			rig_server(&r, "192.0.2.1", 25, rules);
		rig_server(&r, "192.0.2.2", 25, NULL);
		assert_string_equal(rig_result(&r, "x.test", 1), rows[i].result);
		rig_close(&r);
	}
}

/* Failed only where all say so; deferred where one may take it yet. */
static void
no_server_serves(void **state)
{
	static const struct play_rule closed[] = {{"", "554 5.7.1 go away\r\n"}, {NULL, NULL}};
	static const struct play_rule circle[] = {{"", "220 us.test\r\n"}, {NULL, NULL}};

	(void)state;
	rig_open(&r, "", two_mx);
	assert_string_equal(rig_result(&r, "x.test", 2), "T4.4.1 T4.4.1");
	assert_non_null(strstr(r.sends[0].reply, "connect to mx2.test (192.0.2.2, port 25): "));
	rig_server(&r, "192.0.2.2", 25, closed);
	assert_string_equal(rig_result(&r, "x.test", 1),
	                    "T4.4.1"); /* the other one may be up again */
	rig_server(&r, "192.0.2.1", 25, closed);
	assert_string_equal(rig_result(&r, "x.test", 1), "F5.7.1@mx2.test");
	rig_close(&r);
	rig_open(&r, "", two_mx);
	rig_server(&r, "192.0.2.1", 25, circle);
	rig_server(&r, "192.0.2.2", 25, circle);
	assert_string_equal(rig_result(&r, "x.test", 1), "F5.4.6@mx2.test");
	rig_close(&r);
}

static void
what_dns_says(void **state)
{
	static const struct play_name dns[] = {{"gone.test MX", "NXDOMAIN"},
	                                       {"null.test MX", "0 ."},
	                                       {"down.test MX", "?"},
	                                       {NULL, NULL}};

	(void)state;
	rig_open(&r, "", dns);
	assert_string_equal(rig_result(&r, "gone.test", 1), "F5.1.2");
	assert_string_equal(rig_result(&r, "null.test", 2), "F5.1.10 F5.1.10");
	assert_string_equal(rig_result(&r, "down.test", 1), "T4.4.3");
	assert_non_null(strstr(r.sends[2].reply, "no answer"));
	assert_string_equal(rig_result(&r, "[127.0.0.1]", 1), "F5.4.4");
	rig_close(&r);
}

static void
tls_where_it_is_offered(void **state)
{
	static const struct play_rule offers[] = {
	    {"EHLO", "250-mx.test\r\n250-PIPELINING\r\n250 STARTTLS\r\n"},
	    {"STARTTLS", "220 go on\r\n"},
	    {NULL, NULL}};
	struct rig_server *s;

	(void)state;
	rig_open(&r, "", two_mx);
	s = rig_server(&r, "192.0.2.1", 25, offers);
	assert_string_equal(rig_result(&r, "x.test", 1), "D2.0.0@mx1.test");
	assert_true(s->sessions[0].tls && s->n == 1);
	assert_non_null(strstr(s->sessions[0].sink.said, "STARTTLS\r\nEHLO us.test\r\nMAIL"));
	rig_close(&r);
}

/* A handshake that fails, in whatever way, is tried once more in plain. */
static void
plain_where_tls_fails(void **state)
{
	static const char *const replies[] = {"220 garbage follows\r\nnonsense\r\n",
	                                      "220 and off\r\n\2", NULL, "220 silence\r\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(replies); i++) {
		const struct play_rule rules[] = {{"EHLO", "250-mx.test\r\n250 STARTTLS\r\n"},
		                                  {"STARTTLS", replies[i]},
		                                  {"\x16", "hm\r\n"},
		                                  {NULL, NULL}};
		struct rig_server *s;

		rig_open(&r, "", two_mx);
		s = rig_server(&r, "192.0.2.1", 25, rules);
		assert_string_equal(rig_result(&r, "x.test", 1), "D2.0.0@mx1.test");
		assert_int_equal(s->n, 2);
		assert_null(strstr(s->sessions[1].sink.said, "STARTTLS"));
		rig_close(&r);
	}
}

static void
a_line_is_kept_for_a_moment(void **state)
{
	struct rig_server *s;

	(void)state;
	rig_open(&r, "", two_mx);
	s = rig_server(&r, "192.0.2.1", 25, NULL);
	assert_string_equal(rig_result(&r, "x.test", 1), "D2.0.0@mx1.test");
	assert_string_equal(rig_result(&r, "x.test", 1), "D2.0.0@mx1.test");
	assert_int_equal(s->n, 1);
	assert_int_equal(s->sessions[0].sink.messages, 2);
	sim_run(r.loop, OUT_KEEP_MS + 1000);
	assert_non_null(strstr(s->sessions[0].sink.said, "QUIT\r\n"));
	assert_string_equal(rig_result(&r, "x.test", 1), "D2.0.0@mx1.test");
	assert_int_equal(s->n, 2);
	rig_close(&r);
}

/* It ended while it was at rest, or just as it was used again: the message goes over a new one. */
static void
a_kept_line_that_ended(void **state)
{
	static const struct play_rule once[] = {{".", "250 2.0.0 ok\r\n421 idle\r\n\2"},
	                                        {NULL, NULL}};
	struct rig_server *s;

	(void)state;
	rig_open(&r, "", two_mx);
	s = rig_server(&r, "192.0.2.1", 25, once);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(rig_result(&r, "x.test", 1), "D2.0.0@mx1.test");
	assert_int_equal(s->n, 3);
	rig_close(&r);
}

static void
a_large_body_by_descriptor(void **state)
{
	enum { SIZE = 3 << 20 };
	struct snap_draft draft;
	struct rig_server *s;
	struct rig_send *send;
	int fd;

	(void)state;
	rig_open(&r, "", two_mx);
	s = rig_server(&r, "192.0.2.1", 25, NULL);
	RIG_OK(snap_make(&draft, "body", SIZE));
	for (size_t i = 0; i < SIZE; i += 8)
		memcpy(draft.p + i, "..line\r\n", 8);
	RIG_OK(snap_seal(&draft, SIZE, &fd));
	send = rig_send_body(&r, "x.test", 1, (struct bytes){NULL, SIZE}, 8, 16, fd);
	for (int i = 0; i < 600 && !send->done; i++)
		sim_run(r.loop, 1000);
	assert_string_equal(send->results, "F5.3.4@mx1.test"); /* it says SIZE 1000000 */
	s->rules = (const struct play_rule[]){{"EHLO", "250 mx.test\r\n"}, {NULL, NULL}};
	sim_run(r.loop, 2 * OUT_KEEP_MS);
	send = rig_send_body(&r, "x.test", 1, (struct bytes){NULL, SIZE}, 8, 16, fd);
	close(fd);
	for (int i = 0; i < 600 && !send->done; i++)
		sim_run(r.loop, 1000);
	assert_string_equal(send->results, "D2.0.0@mx1.test");
	assert_int_equal(s->sessions[1].sink.messages, 1);
	assert_non_null(strstr(s->sessions[1].sink.said, "DATA\r\n...line\r\n...line\r\n"));
	rig_close(&r);
}

static void
seven_bits_where_the_server_takes_no_more(void **state)
{
	static const char body[] =
	    "Subject: y\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
	    "charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4\r\n";
	static const struct play_rule takes[] = {{"EHLO", "250-mx.test\r\n250 8BITMIME\r\n"},
	                                         {NULL, NULL}};
	uint64_t header = sizeof(body) - 1 - 4;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rig_server *s;
		struct rig_send *send;
		const char *said;

		rig_open(&r, "", two_mx);
		s = rig_server(&r, "192.0.2.1", 25, i ? takes : NULL);
		send = rig_send_body(&r, "x.test", 1, bytes_of(body), 0, header, -1);
		sim_run(r.loop, 5000);
		assert_string_equal(send->results, "D2.0.0@mx1.test");
		said = s->sessions[0].sink.said;
		assert_int_equal(strstr(said, " BODY=8BITMIME\r\n") != NULL, i);
		assert_int_equal(strchr(said, '\xc3') != NULL, i);
		assert_int_equal(strstr(said, "=C3=A4") != NULL, !i);
		rig_close(&r);
	}
}

static void
a_server_that_says_nothing(void **state)
{
	static const struct play_rule mute[] = {{"", ""}, {NULL, NULL}};
	static const struct play_rule mute_rcpt[] = {
	    {"EHLO", "250 mx.test\r\n"}, {"RCPT", ""}, {NULL, NULL}};
	uint64_t before, bound;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		bound = i ? 300 * 1000 : OUT_OPENS_MS;
		rig_open(&r, "", two_mx);
		rig_server(&r, "192.0.2.1", 25, i ? mute_rcpt : mute);
		before = loop_now_ms(r.loop);
		assert_string_equal(rig_result(&r, "x.test", 1), "T4.4.1");
		assert_in_range(loop_now_ms(r.loop) - before, bound, bound + 10000);
		rig_close(&r);
	}
}

static void
a_relay(void **state)
{
	static const struct play_name dns[] = {{"relay.test A", "127.0.0.9"}, {NULL, NULL}};
	struct rig_server *s;

	(void)state;
	rig_open(&r, "relay.test:2525", dns);
	s = rig_server(&r, "127.0.0.9", 2525, NULL);
	assert_string_equal(rig_result(&r, "x.test", 1), "D2.0.0@relay.test");
	assert_string_equal(rig_result(&r, "y.test", 1), "D2.0.0@relay.test");
	assert_int_equal(s->n, 1); /* one line for all domains */
	rig_close(&r);
}

static void
as_many_as_there_is_room_for(void **state)
{
	static const struct play_rule mute[] = {{"", ""}, {NULL, NULL}};
	size_t deferred = 0;

	(void)state;
	rig_open(&r, "", two_mx);
	rig_server(&r, "192.0.2.1", 25, mute);
	for (size_t i = 0; i < OUT_DESTINATION + 5; i++)
		rig_send(&r, "x.test", 2);
	sim_run(r.loop, 2000);
	for (size_t i = 0; i < r.n_sends; i++) {
		deferred += r.sends[i].done;
		if (r.sends[i].done)
			assert_string_equal(r.sends[i].results, ""); /* not tried */
	}
	assert_int_equal(deferred, 5);
	rig_close(&r);
}

static void
five_hundred_recipients(void **state)
{
	static const struct play_rule wordy[] = {
	    {"RCPT",
	     "550 5.1.1 nobody of this name has ever been seen here, nor do we think that "
	     "anybody of this name will ever be seen here, whatever the weather may be\r\n"},
	    {NULL, NULL}};
	struct rig_send *s;

	(void)state;
	rig_open(&r, "", two_mx);
	rig_server(&r, "192.0.2.1", 25, wordy);
	s = rig_send(&r, "x.test", SPOOL_RCPTS_MAX);
	sim_run(r.loop, 5000);
	assert_true(s->done);
	assert_memory_equal(s->results, "F5.1.1@mx1.test F5.1.1@mx1.test ", 32);
	assert_string_equal(s->reply,
	                    "550 5.1.1 nobody of this name has ever been seen here, nor do we");
	rig_close(&r);
}

static void
drained(void *owner)
{
	((struct out_rig *)owner)->drained = true;
}

static void
drains(void **state)
{
	static const struct play_rule mute[] = {{"", ""}, {NULL, NULL}};
	struct rig_send *s, *late;

	(void)state;
	rig_open(&r, "", two_mx);
	rig_server(&r, "192.0.2.1", 25, mute);
	s = rig_send(&r, "x.test", 1);
	sim_run(r.loop, 1000);
	assert_false(s->done);
	out_drain(r.out, drained, &r);
	late = rig_send(&r, "y.test", 1);
	sim_run(r.loop, 8000);
	assert_true(s->done && late->done && r.drained);
	assert_string_equal(s->results, "T4.4.2@mx1.test");
	assert_string_equal(late->results, ""); /* not tried */
	rig_close(&r);
}

/* Nothing is known of the place: no results, and queue tries again soon. */
static void
one_of_our_own_is_away(void **state)
{
	struct rig_server *s;

	(void)state;
	rig_open(&r, "", two_mx);
	s = rig_server(&r, "192.0.2.1", 25, NULL);
	dial_drain(r.dial, drained, &r);
	assert_string_equal(rig_result(&r, "x.test", 2), "");
	assert_true(r.drained);
	assert_int_equal(s->n, 0);
	chan_close(r.resolve);
	r.resolve = NULL;
	assert_string_equal(rig_result(&r, "y.test", 1), "");
	rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(delivers),
	    cmocka_unit_test(the_next_server_where_one_does_not_serve),
	    cmocka_unit_test(no_server_serves),
	    cmocka_unit_test(what_dns_says),
	    cmocka_unit_test(tls_where_it_is_offered),
	    cmocka_unit_test(plain_where_tls_fails),
	    cmocka_unit_test(a_line_is_kept_for_a_moment),
	    cmocka_unit_test(a_kept_line_that_ended),
	    cmocka_unit_test(a_large_body_by_descriptor),
	    cmocka_unit_test(seven_bits_where_the_server_takes_no_more),
	    cmocka_unit_test(a_server_that_says_nothing),
	    cmocka_unit_test(a_relay),
	    cmocka_unit_test(as_many_as_there_is_room_for),
	    cmocka_unit_test(five_hundred_recipients),
	    cmocka_unit_test(drains),
	    cmocka_unit_test(one_of_our_own_is_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
