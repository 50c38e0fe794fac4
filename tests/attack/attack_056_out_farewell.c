/*
 * Attack 56: a server that took a message sends the reply to QUIT octet by octet.  The connection
 * is closed in seconds all the same: else some hundred messages to such a server would keep all
 * the connections that there may be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first, and what they include */
#include "../out_rig.h"

#include <cmocka.h>

static const struct play_name dns[] = {
    {"x.test MX", "10 mx1.test"}, {"mx1.test A", "192.0.2.1"}, {NULL, NULL}};
static const struct play_rule farewell[] = {{"QUIT", "221-"}, {NULL, NULL}};

static struct out_rig r;

static void
attack_056_out_farewell(void **state)
{
	struct rig_server *s;
	int seconds = 0;

	(void)state;
	rig_open(&r, "", dns);
	s = rig_server(&r, "192.0.2.1", 25, farewell);
	s->stays = true;
	assert_string_equal(rig_result(&r, "x.test", 1), "D2.0.0@mx1.test");
	for (; s->sessions[0].conn && seconds < 120; seconds++) {
		sim_run(r.loop, 1000);
		if (strstr(s->sessions[0].sink.said, "QUIT\r\n") && s->sessions[0].conn &&
		    conn_state(s->sessions[0].conn) == CONN_OPEN)
			assert_true(conn_write(s->sessions[0].conn, BYTES("x")));
	}
	assert_in_range(seconds, 5, 30);
	rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(attack_056_out_farewell)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
