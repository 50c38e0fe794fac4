/*
 * tls.c - our server against the library's own client and our own, in memory, in pieces of every
 * size; the private keys are reached through the signing function alone.
 */
#include "tls_client.h"

static void
talk(struct client *c, struct tls *t)
{
	static uint8_t big[50000], got[50000];
	struct wr w = wr_of(got, sizeof(got));
	uint8_t line[64];
	size_t n, done = 0;

	memset(big, 'x', sizeof(big));
	assert_int_equal(SSL_write(c->ssl, "a1 NOOP\r\n", 9), 9);
	assert_int_equal(to_server(c, t, &w), TLS_INPUT);
	assert_int_equal(w.p - got, 9);
	assert_memory_equal(got, "a1 NOOP\r\n", 9);
	assert_int_equal(tls_write(t, BYTES("a1 OK\r\n")), 7);
	to_client(c, t);
	assert_int_equal(SSL_read(c->ssl, line, sizeof(line)), 7);
	assert_memory_equal(line, "a1 OK\r\n", 7);

	/* More than a record, into a room smaller than one. */
	assert_int_equal(SSL_write(c->ssl, big, sizeof(big)), sizeof(big));
	while (done < sizeof(big)) {
		uint8_t piece[20000], *p = piece;
		struct rd in;
		enum tls_want want;
		int m = BIO_read(SSL_get_wbio(c->ssl), piece, sizeof(piece));

		in = rd_of((struct bytes){p, m > 0 ? (size_t)m : 0});
		do {
			w = wr_of(got, 1000);
			want = tls_step(t, &in, &w);
			for (const uint8_t *q = got; q < w.p; q++)
				assert_int_equal(*q, 'x');
			done += (size_t)(w.p - got);
		} while (want == TLS_ROOM);
		assert_int_equal(want, TLS_INPUT);
		assert_int_equal(rd_left(&in), 0);
	}
	for (done = 0; done < sizeof(big); done += n) {
		n = tls_write(t, (struct bytes){big + done, sizeof(big) - done});
		assert_true(n > 0 && tls_out(t).n <= TLS_OUT_MAX);
		to_client(c, t);
	}
	for (done = 0; done < sizeof(big); done += n) {
		int m = SSL_read(c->ssl, got, sizeof(got));

		assert_true(m > 0);
		n = (size_t)m;
	}
}

static void
every_key_and_version_in_pieces_of_every_size(void **state)
{
	static const struct {
		size_t key;
		int version;
		uint16_t scheme;
		const char *name;
	} cases[] = {
	    {P256, TLS1_3_VERSION, SIGN_ECDSA_P256_SHA256, "TLSv1.3"},
	    {P256, TLS1_2_VERSION, SIGN_ECDSA_P256_SHA256, "TLSv1.2"},
	    {P384, TLS1_3_VERSION, SIGN_ECDSA_P384_SHA384, "TLSv1.3"},
	    {P384, TLS1_2_VERSION, SIGN_ECDSA_P384_SHA384, "TLSv1.2"},
	    {RSA2048, TLS1_3_VERSION, SIGN_RSA_PSS_SHA256, "TLSv1.3"},
	    {RSA2048, TLS1_2_VERSION, SIGN_RSA_PSS_SHA256, "TLSv1.2"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tls_server *s = server("imaps", true, cases[i].key, cases[i].key);

		for (size_t cut = 0; cut < 24; cut++) {
			struct client c = {.version = cases[i].version,
			                   .host = hosts[cases[i].key],
			                   .alpn = BYTES("\4imap"),
			                   .cut = cut};
			struct tls *t;

			asked.calls = 0;
			client_begin(&c);
			assert_true(is_ok(tls_new(&t, s)));
			assert_int_equal(shake(&c, t), TLS_INPUT);
			assert_true(tls_is_open(t));
			assert_false(tls_is_resumed(t));
			assert_int_equal(asked.calls, 1);
			assert_int_equal(asked.key, cases[i].key);
			assert_int_equal(asked.scheme, cases[i].scheme);
			assert_string_equal(tls_version(t), cases[i].name);
			assert_string_equal(tls_suite(t), SSL_get_cipher_name(c.ssl));
			assert_true(bytes_eq(tls_alpn(t), BYTES("imap")));
			assert_true(bytes_eq(tls_host(t), bytes_of(c.host)));
			talk(&c, t);
			part(&c, t);
			client_end(&c);
			tls_free(t);
		}
		tls_server_free(s);
	}
	tls_free(NULL);
	tls_server_free(NULL);
}

/* A client of TLS 1.2 that knows PKCS #1 only. */
static void
old_rsa_in_1_2(void **state)
{
	struct tls_server *s = server("imaps", true, RSA2048, RSA2048);
	struct client c = {.version = TLS1_2_VERSION};
	char only[] = "RSA+SHA384";
	struct tls *t;

	(void)state;
	client_begin(&c);
	assert_true(SSL_set1_sigalgs_list(c.ssl, only));
	assert_true(is_ok(tls_new(&t, s)));
	assert_int_equal(shake(&c, t), TLS_INPUT);
	assert_true(tls_is_open(t));
	assert_int_equal(asked.scheme, SIGN_RSA_PKCS1_SHA384);
	talk(&c, t);
	client_end(&c);
	tls_free(t);
	tls_server_free(s);
}

static void
tickets_rotate(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	(void)state;
	for (size_t i = 0; i < COUNT(versions); i++) {
		struct tls_server *s = server("imaps", true, P256, P256);
		struct client c = {.version = versions[i], .host = hosts[P256]};
		SSL_SESSION *first;
		bool resumed;

		assert_true(visit(s, &c, &resumed));
		assert_false(resumed);
		first = kept;
		SSL_SESSION_up_ref(first);
		c.session = first;
		asked.calls = 0;
		assert_true(visit(s, &c, &resumed));
		assert_true(resumed);
		assert_int_equal(asked.calls, 0);
		assert_true(is_ok(tls_server_rotate(s)));
		assert_true(visit(s, &c, &resumed));
		assert_true(resumed);
		c.session = kept; /* it was made anew, with the newest key */
		SSL_SESSION_up_ref(kept);
		assert_true(is_ok(tls_server_rotate(s)));
		assert_true(visit(s, &c, &resumed));
		assert_true(resumed);
		SSL_SESSION_free(c.session);
		c.session = first; /* two rotations old */
		assert_true(visit(s, &c, &resumed));
		assert_false(resumed);
		assert_int_equal(asked.calls, 1);
		SSL_SESSION_free(first);
		tls_server_free(s);
	}
}

static void
a_refused_signature_ends_the_handshake(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	(void)state;
	for (size_t i = 0; i < COUNT(versions); i++) {
		struct tls_server *s = server("imaps", true, P256, P256);
		struct client c = {.version = versions[i]};
		struct tls *t;

		client_begin(&c);
		assert_true(is_ok(tls_new(&t, s)));
		asked.refuse = true;
		assert_int_equal(shake(&c, t), TLS_BROKEN);
		asked.refuse = false;
		assert_false(tls_is_open(t));
		assert_int_equal(tls_error(t).code, ERR_LIBRARY);
		assert_true(strlen(tls_reason(t)) > 0);
		assert_int_equal(c.alert, SSL_AD_INTERNAL_ERROR);
		assert_int_equal(tls_write(t, BYTES("x")), 0);
		client_end(&c);
		tls_free(t);
		tls_server_free(s);
	}
}

static void
what_is_not_tls_is_refused(void **state)
{
	static const char *const texts[] = {
	    "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
	    "EHLO example.org\r\n",
	    "\x80\x2e\x01\x03\x03\x01\x05\x01\x01\x01\x10 SSL 2 in form, and of its whole length",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct tls_server *s = server("imaps", true, P256, P256);
		struct wr none = wr_of(NULL, 0);
		struct rd in = rd_of(bytes_of(texts[i]));
		struct tls *t;

		assert_true(is_ok(tls_new(&t, s)));
		assert_int_equal(tls_step(t, &in, &none), TLS_BROKEN);
		assert_int_equal(tls_step(t, &in, &none), TLS_BROKEN);
		assert_true(strlen(tls_reason(t)) > 0);
		tls_free(t);
		tls_server_free(s);
	}
}

static void
broken_certificates_are_refused(void **state)
{
	struct tls_server *s = server("imaps", true, P256, P256);

	(void)state;
	assert_int_equal(tls_server_add(s, NO_BYTES, 0).code, ERR_SYNTAX);
	assert_int_equal(tls_server_add(s, BYTES("x"), 0).code, ERR_SYNTAX);
	assert_int_equal(
	    tls_server_add(s, (struct bytes){chains[P256].p, chains[P256].n / 2}, 0).code,
	    ERR_SYNTAX);
	for (size_t i = 1; i < TLS_CERTS_MAX; i++)
		assert_true(is_ok(tls_server_add(s, chains[P384], P384)));
	assert_int_equal(tls_server_add(s, chains[P384], P384).code, ERR_FULL);
	tls_server_free(s);
}

/* Our client with our server; the peer's certificate is checked when there are roots. */
static void
our_own_client(void **state)
{
	static const struct {
		const char *name;
		int root; /* -1: none */
		bool good;
	} cases[] = {
	    {"one.example.org", -1, true},    {"one.example.org", P256, true},
	    {"two.example.org", P256, false}, {"one.example.org", P384, false},
	    {"192.0.2.1", -1, true},          {"192.0.2.1", P256, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tls_server *s = server("imaps", false, P256, P256);
		struct tls_client *c;
		struct tls *a, *b;
		uint8_t room[64];
		struct wr w = wr_of(room, sizeof(room));
		enum tls_want one = TLS_INPUT, other = TLS_INPUT;

		assert_true(is_ok(
		    tls_client_new(&c, cases[i].root < 0 ? NO_BYTES : chains[cases[i].root])));
		assert_true(is_ok(tls_new_client(&a, c, bytes_of(cases[i].name), BYTES("imap"))));
		assert_true(is_ok(tls_new(&b, s)));
		for (int turn = 0; turn < 5; turn++) {
			struct rd in = rd_of(tls_out(b));

			one = tls_step(a, &in, &w);
			tls_sent(b, tls_out(b).n);
			in = rd_of(tls_out(a));
			other = tls_step(b, &in, &w);
			tls_sent(a, tls_out(a).n);
		}
		assert_int_equal(tls_is_open(a), cases[i].good);
		assert_int_equal(one, cases[i].good ? TLS_INPUT : TLS_BROKEN);
		if (cases[i].good) {
			struct rd in;

			assert_int_equal(other, TLS_INPUT);
			assert_int_equal(tls_write(a, BYTES("hello")), 5);
			tls_close(a);
			in = rd_of(tls_out(a));
			assert_int_equal(tls_step(b, &in, &w), TLS_CLOSED);
			assert_memory_equal(room, "hello", 5);
		}
		tls_free(a);
		tls_free(b);
		tls_client_free(c);
		tls_server_free(s);
	}
	{
		struct tls_client *c;

		assert_int_equal(tls_client_new(&c, BYTES("no PEM")).code, ERR_SYNTAX);
		assert_null(c);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_key_and_version_in_pieces_of_every_size),
	    cmocka_unit_test(old_rsa_in_1_2),
	    cmocka_unit_test(tickets_rotate),
	    cmocka_unit_test(a_refused_signature_ends_the_handshake),
	    cmocka_unit_test(what_is_not_tls_is_refused),
	    cmocka_unit_test(broken_certificates_are_refused),
	    cmocka_unit_test(our_own_client),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
