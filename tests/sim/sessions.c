/* sessions.c - single sessions at both fronts, as scripts: what is said, and what must be heard. */
#include "line.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

struct script {
	struct world world;
	struct line line;
	char heard[65536]; /* the first octets of each line, as many as tell what it means */
	size_t n;
	bool over;
};

static void
heard(void *owner, struct bytes line)
{
	struct script *s = owner;
	size_t n = line.n < 4 ? line.n : 4;

	assert_true(s->n + n + 2 < sizeof(s->heard));
	memcpy(s->heard + s->n, line.p, n);
	s->n += n;
	s->heard[s->n] = 0;
}

static void
gone(void *owner)
{
	((struct script *)owner)->over = true;
}

static struct script *
begin(uint16_t port)
{
	struct script *s = calloc(1, sizeof(*s));
	struct addr at;

	assert_non_null(s);
	world_open(&s->world, 1);
	s->line.heard = heard;
	s->line.gone = gone;
	s->line.owner = s;
	at = site_at(&s->world.site, port);
	assert_true(line_open(&s->line, &s->world.scene, &at));
	loop_timer_stop(s->world.scene.loop, &s->line.cut);
	sim_run(s->world.scene.loop, 1000);
	return s;
}

static void
end(struct script *s)
{
	line_close(&s->line);
	sim_run(s->world.scene.loop, 600 * 1000);
	assert_int_equal(site_counter(&s->world.site, ROLE_SMTP, "sessions"), 0);
	assert_int_equal(site_counter(&s->world.site, ROLE_MAIL, "sessions"), 0);
	assert_int_equal(site_counter(&s->world.site, ROLE_BOX, "sessions"), 0);
	world_close(&s->world);
	free(s);
}

/* Says it, waits so long, and must have heard just this. */
static void
talk(struct script *s, const char *text, uint64_t ms, const char *expected)
{
	s->n = 0;
	s->heard[0] = 0;
	line_say(&s->line, bytes_of(text));
	sim_run(s->world.scene.loop, ms);
	if (strcmp(s->heard, expected) != 0)
		fail_msg("%.60s: %s, not %s", text, s->heard, expected);
}

static void
deliver(struct script *s, const char *rcpt, const char *text)
{
	char said[512];

	snprintf(said, sizeof(said), "MAIL FROM:<a@b.org>\r\nRCPT TO:<%s>\r\nDATA\r\n", rcpt);
	talk(s, said, 2000, "250 250 354 ");
	talk(s, text, 2000, "250 ");
}

/* ---- SMTP ---- */

/* RSET asks the driver nothing: what it counted must be forgotten all the same. */
static void
recipients_are_counted_anew_behind_rset(void **state)
{
	struct script *s = begin(25);
	char text[512];

	(void)state;
	talk(s, "HELO a\r\n", 1000, "250 ");
	for (int i = 0; i < 900; i++) { /* more than one word holds */
		snprintf(text, sizeof(text),
		         "MAIL FROM:<a@b.org>\r\nRCPT TO:<u2+%050d@example.org>\r\nRSET\r\n", i);
		s->n = 0;
		line_say(&s->line, bytes_of(text));
		sim_run(s->world.scene.loop, 300);
		if (s->over || strstr(s->heard, "452"))
			fail_msg("round %d: %s", i, s->heard);
		if (i % 50 == 49) /* so that RSET is no junk */
			deliver(s, "u0@example.org", "Subject: x\r\n\r\n.\r\n");
	}
	end(s);
}

/* Who is refused in the midst of a body may take his time with the next command. */
static void
no_rate_is_asked_for_behind_a_refused_body(void **state)
{
	struct script *s = begin(25);
	int i;

	(void)state;
	talk(s, "HELO a\r\nMAIL FROM:<a@b.org>\r\nRCPT TO:<u0@example.org>\r\nDATA\r\n", 2000,
	     "250 250 250 354 ");
	for (i = 0; i < 60; i++)
		line_say(&s->line, BYTES("Received: by x\r\n"));
	talk(s, "\r\n.\r\n", 2000, "554 ");
	talk(s, "", 60 * 1000, "");
	assert_false(s->over);
	deliver(s, "u0@example.org", "x\r\n.\r\n");
	talk(s, "", 60 * 1000, "");
	talk(s, "QUIT\r\n", 1000, "221 ");
	end(s);
}

/* Attack 47: also what is thrown away must come at a rate. */
static void
a_refused_body_has_to_come_as_well(void **state)
{
	struct script *s = begin(25);

	(void)state;
	talk(s, "HELO a\r\nMAIL FROM:<a@b.org>\r\nRCPT TO:<u0@example.org>\r\nDATA\r\n", 2000,
	     "250 250 250 354 ");
	for (int i = 0; i < 60; i++)
		line_say(&s->line, BYTES("Received: by x\r\n"));
	s->n = 0;
	for (int i = 0; i < 10; i++) {
		line_say(&s->line, BYTES("x\r\n"));
		sim_run(s->world.scene.loop, 3000);
	}
	assert_non_null(strstr(s->heard, "421"));
	end(s);
}

static void
a_message_waits_for_box(void **state)
{
	struct script *s = begin(25);

	(void)state;
	talk(s, "HELO a\r\nMAIL FROM:<a@b.org>\r\nRCPT TO:<u0@example.org>\r\nDATA\r\n", 2000,
	     "250 250 250 354 ");
	site_crash(&s->world.site, ROLE_BOX, 12 * 1000); /* longer than a window of the rate */
	talk(s, "x\r\n.\r\n", 11 * 1000, "");
	talk(s, "", 3000, "250 ");
	talk(s, "QUIT\r\n", 1000, "221 ");
	end(s);
}

static void
a_message_does_not_wait_for_ever(void **state)
{
	struct script *s = begin(25);

	(void)state;
	talk(s, "HELO a\r\nMAIL FROM:<a@b.org>\r\nRCPT TO:<u0@example.org>\r\nDATA\r\n", 2000,
	     "250 250 250 354 ");
	site_crash(&s->world.site, ROLE_BOX, 60 * 1000);
	talk(s, "x\r\n.\r\n", 14 * 1000, "");
	talk(s, "", 3000, "451 ");
	talk(s, "NOOP\r\n", 1000, "250 ");
	end(s);
}

/* ---- POP3 ---- */

static void
a_login_whose_listing_failed_is_given_back(void **state)
{
	struct script *s = begin(110);

	(void)state;
	talk(s, "USER u0\r\nPASS no\r\n", 2000, "+OK -ERR");
	talk(s, "USER u0@example.org\r\n", 1000, "+OK ");
	line_say(&s->line, BYTES("PASS secret0\r\n"));
	s->n = 0;
	while (!site_counter(&s->world.site, ROLE_BOX,
	                     "sessions")) /* the handle is there, the listing not */
		sim_run(s->world.scene.loop, 1);
	site_crash(&s->world.site, ROLE_BOX, 10);
	talk(s, "", 20 * 1000, "-ERR");
	talk(s, "USER u0@example.org\r\nPASS secret0\r\n", 3000, "+OK +OK ");
	talk(s, "QUIT\r\n", 1000, "+OK ");
	end(s);
}

static void
a_maildrop_has_one_session(void **state)
{
	struct script *s = begin(110);
	static struct script other;
	const struct addr at = site_at(&s->world.site, 110);

	(void)state;
	talk(s, "USER u0@example.org\r\nPASS secret0\r\n", 3000, "+OK +OK ");
	other.line = (struct line){.heard = heard, .gone = gone, .owner = &other};
	assert_true(line_open(&other.line, &s->world.scene, &at));
	loop_timer_stop(s->world.scene.loop, &other.line.cut);
	line_say(&other.line, BYTES("USER u0@example.org\r\nPASS secret0\r\n"));
	sim_run(s->world.scene.loop, 3000);
	assert_string_equal(other.heard, "+OK +OK -ERR");
	talk(s, "QUIT\r\n", 1000, "+OK ");
	line_say(&other.line, BYTES("USER u0@example.org\r\nPASS secret0\r\nQUIT\r\n"));
	sim_run(s->world.scene.loop, 3000);
	assert_string_equal(other.heard, "+OK +OK -ERR+OK +OK +OK ");
	line_close(&other.line);
	end(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(recipients_are_counted_anew_behind_rset),
	    cmocka_unit_test(no_rate_is_asked_for_behind_a_refused_body),
	    cmocka_unit_test(a_refused_body_has_to_come_as_well),
	    cmocka_unit_test(a_message_waits_for_box),
	    cmocka_unit_test(a_message_does_not_wait_for_ever),
	    cmocka_unit_test(a_login_whose_listing_failed_is_given_back),
	    cmocka_unit_test(a_maildrop_has_one_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
