/*
 * A server, or somebody on the way, sends replies behind "220" to STARTTLS, before the handshake: they
 * are not taken for what the server says in TLS (as CVE-2021-38371 was).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first, and what they include */
#include "../out_rig.h"

#include <cmocka.h>

static const struct play_name dns[] = {
    {"x.test MX", "10 mx.test"}, {"mx.test A", "192.0.2.1"}, {NULL, NULL}};
static struct out_rig r;

static void
attack_085_replies_before_the_handshake(void **state)
{
	static const struct play_rule rules[] = {
	    {"EHLO", "250-mx.test\r\n250 STARTTLS\r\n"},
	    {"STARTTLS",
	     "220 go on\r\n250-mx.test\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n354 go\r\n"
	     "250 2.0.0 yours\r\n"},
	    {NULL, NULL}};
	struct rig_server *s;

	(void)state;
	rig_open(&r, "", dns);
	s = rig_server(&r, "192.0.2.1", 25, rules);
	assert_string_equal(rig_result(&r, "x.test", 2), "D2.0.0@mx.test D2.0.0@mx.test");
	assert_string_equal(r.sends[0].reply, "250 2.0.0 queued");
	assert_int_equal(s->n, 1);
	assert_true(s->sessions[0].tls);
	assert_int_equal(s->sessions[0].sink.messages, 1);
	rig_close(&r);
}

/* The same where it arrives in pieces of any size: TLS in the end, or plain, but never both. */
static void
attack_085_in_pieces(void **state)
{
	static const struct play_rule rules[] = {
	    {"EHLO", "250-mx.test\r\n250 STARTTLS\r\n"},
	    {"STARTTLS", "220 go on\r\n250 mx.test\r\n250 ok\r\n"},
	    {NULL, NULL}};
	const struct sim_weather pieces = {.delay_max_ms = 20};

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct rig_server *s;

		rig_open(&r, "", dns);
		sim_weather(r.loop, &pieces);
		s = rig_server(&r, "192.0.2.1", 25, rules);
		for (int k = 0; k <= i; k++) /* another weather each time */
			(void)rig_result(&r, "y.test", 1);
		assert_string_equal(rig_result(&r, "x.test", 1), "D2.0.0@mx.test");
		assert_int_equal(s->sessions[s->n - 1].sink.messages, 1);
		for (size_t k = 0; k + 1 < s->n; k++)
			assert_int_equal(s->sessions[k].sink.messages, 0);
		rig_close(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_085_replies_before_the_handshake),
	    cmocka_unit_test(attack_085_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
