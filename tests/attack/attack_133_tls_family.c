/*
 * attack_133_tls_family.c - FTP's data connections: whether one resumes the TLS session of its
 * control connection is told apart from a full handshake, from a session of another client, and
 * from one that the same client has of another connection.
 */
#include "../unit/tls_client.h"

/* A client and a session of ours, talking. */
struct side {
	struct client c;
	struct tls *t;
};

static void
talk(struct side *s, struct tls_server *server, int version, bool tickets, SSL_SESSION *session)
{
	uint8_t room[16];

	*s = (struct side){.c = {.version = version, .host = hosts[P256], .session = session}};
	client_begin(&s->c);
	if (!tickets)
		SSL_set_options(s->c.ssl, SSL_OP_NO_TICKET);
	assert_true(is_ok(tls_new(&s->t, server)));
	(void)shake(&s->c, s->t);
	assert_true(tls_is_open(s->t));
	assert_int_equal(tls_write(s->t, BYTES("hi")), 2);
	to_client(&s->c, s->t);
	assert_int_equal(SSL_read(s->c.ssl, room, sizeof(room)), 2); /* with its ticket */
}

/* Its session for another connection; to be freed. */
static SSL_SESSION *
session_of(struct side *s)
{
	return SSL_get1_session(s->c.ssl);
}

static void
end(struct side *s)
{
	part(&s->c, s->t);
	client_end(&s->c);
	tls_free(s->t);
}

static struct tls_server *
families(void)
{
	struct tls_server *s = server("ftp", false, P256, P256);

	assert_true(is_ok(tls_server_families(s, BYTES("ftp-data"))));
	return s;
}

static void
play(int version, bool tickets)
{
	struct tls_server *s = families();
	SSL_SESSION *of_a, *of_b, *later;
	struct side a, b, data;

	talk(&a, s, version, tickets, NULL);
	talk(&b, s, version, tickets, NULL);
	of_a = session_of(&a);
	of_b = session_of(&b);
	assert_false(tls_is_of(a.t, a.t)); /* which resumed nothing */
	for (int i = 0; i < 3; i++) {      /* as often as the client likes */
		talk(&data, s, version, tickets, of_a);
		assert_true(tls_is_resumed(data.t));
		assert_true(tls_is_of(data.t, a.t));
		assert_false(tls_is_of(data.t, b.t));
		end(&data);
	}
	talk(&data, s, version, tickets, of_b);
	assert_true(tls_is_of(data.t, b.t) && !tls_is_of(data.t, a.t));
	later = session_of(&data); /* what came of it is of b, too */
	end(&data);
	talk(&data, s, version, tickets, later);
	assert_true(!tls_is_resumed(data.t) || tls_is_of(data.t, b.t));
	assert_false(tls_is_of(data.t, a.t));
	end(&data);
	SSL_SESSION_free(later);
	talk(&data, s, version, tickets, NULL);
	assert_false(tls_is_of(data.t, a.t) || tls_is_of(data.t, b.t));
	end(&data);

	SSL_SESSION_free(of_a);
	SSL_SESSION_free(of_b);
	end(&a);
	end(&b);
	tls_server_free(s);
}

static void
attack_133_of_this_session_only(void **state)
{
	(void)state;
	play(TLS1_3_VERSION, true);
	play(TLS1_2_VERSION, true);
	play(TLS1_2_VERSION, false);
}

/* A control connection that resumed one of before is of the same family, as its data is then. */
static void
attack_133_a_control_connection_resumes(void **state)
{
	struct tls_server *s = families();
	SSL_SESSION *old;
	struct side before, control, data;

	(void)state;
	talk(&before, s, TLS1_3_VERSION, true, NULL);
	old = session_of(&before);
	end(&before);
	talk(&control, s, TLS1_3_VERSION, true, old);
	assert_true(tls_is_resumed(control.t));
	talk(&data, s, TLS1_3_VERSION, true, old);
	assert_true(tls_is_of(data.t, control.t));
	SSL_SESSION_free(old);
	end(&data);
	end(&control);
	tls_server_free(s);
}

/* Who uses each ticket once gets another, with the next octets. */
static void
attack_133_another_ticket(void **state)
{
	struct tls_server *s = families();
	SSL_SESSION *first;
	struct side control, data;
	uint8_t room[16];

	(void)state;
	talk(&control, s, TLS1_3_VERSION, true, NULL);
	first = kept;
	assert_non_null(first);
	tls_new_ticket(control.t);
	assert_int_equal(tls_write(control.t, BYTES("more")), 4);
	to_client(&control.c, control.t);
	assert_int_equal(SSL_read(control.c.ssl, room, sizeof(room)), 4);
	assert_ptr_not_equal(kept, first);
	talk(&data, s, TLS1_3_VERSION, true, kept);
	assert_true(tls_is_of(data.t, control.t));
	end(&data);
	end(&control);
	tls_server_free(s);
}

static void
attack_133_without_families(void **state)
{
	struct tls_server *s = server("imap", false, P256, P256);
	struct side control, data;
	SSL_SESSION *session;

	(void)state;
	talk(&control, s, TLS1_3_VERSION, true, NULL);
	session = session_of(&control);
	talk(&data, s, TLS1_3_VERSION, true, session);
	assert_true(tls_is_resumed(data.t));
	assert_false(tls_is_of(data.t, control.t));
	SSL_SESSION_free(session);
	end(&data);
	end(&control);
	tls_server_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_133_of_this_session_only),
	    cmocka_unit_test(attack_133_a_control_connection_resumes),
	    cmocka_unit_test(attack_133_another_ticket),
	    cmocka_unit_test(attack_133_without_families),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
