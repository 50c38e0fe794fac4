/*
 * Attacks 86 to 90: other protocols, other hosts, old tickets, old versions, floods, cuts and
 * exchanged certificates, against the TLS session without a socket.
 */
#include "../unit/tls_client.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static struct bytes
wire(const char *text)
{
	return text ? bytes_of(text) : NO_BYTES;
}

static void
attack_086_alpn(void **state)
{
	static const struct {
		const char *offer, *agreed;
		int alert;
	} cases[] = {
	    {NULL, "", -1},
	    {"\4imap", "imap", -1},
	    {"\10http/1.1\4imap", "imap", -1},
	    {"\10http/1.1", "", SSL_AD_NO_APPLICATION_PROTOCOL},
	    {"\2h2\10http/1.1", "", SSL_AD_NO_APPLICATION_PROTOCOL},
	    {"\4IMAP", "", SSL_AD_NO_APPLICATION_PROTOCOL},
	    {"\3ima", "", SSL_AD_NO_APPLICATION_PROTOCOL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases) * COUNT(versions); i++) {
		size_t k = i / COUNT(versions);
		struct tls_server *s = server("imaps", true, P256, P256);
		struct client c = {.version = versions[i % COUNT(versions)],
		                   .alpn = wire(cases[k].offer)};
		struct tls *t;

		client_begin(&c);
		assert_true(is_ok(tls_new(&t, s)));
		(void)shake(&c, t);
		assert_int_equal(tls_is_open(t), cases[k].alert < 0);
		assert_int_equal(c.alert, cases[k].alert);
		assert_true(bytes_eq(tls_alpn(t), bytes_of(cases[k].agreed)));
		client_end(&c);
		tls_free(t);
		tls_server_free(s);
	}
}

static void
attack_086_sni(void **state)
{
	static const struct {
		const char *host;
		bool strict;
		int alert;
		uint32_t key; /* whose certificate it is */
	} cases[] = {
	    {NULL, true, -1, P256},
	    {"one.example.org", true, -1, P256},
	    {"two.example.org", true, -1, P384},
	    {"TWO.example.org", true, -1, P384},
	    {"two.example.org.", true, -1, P384},
	    {"three.example.org", true, SSL_AD_UNRECOGNIZED_NAME, 0},
	    {"example.org", true, SSL_AD_UNRECOGNIZED_NAME, 0},
	    {".", true, SSL_AD_UNRECOGNIZED_NAME, 0},
	    {"three.example.org", false, -1, P256},
	    {"two.example.org", false, -1, P384},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases) * COUNT(versions); i++) {
		size_t k = i / COUNT(versions);
		struct tls_server *s = server("imaps", cases[k].strict, P256, P384);
		struct client c = {.version = versions[i % COUNT(versions)], .host = cases[k].host};
		struct tls *t;

		client_begin(&c);
		assert_true(is_ok(tls_new(&t, s)));
		asked.calls = 0;
		(void)shake(&c, t);
		assert_int_equal(tls_is_open(t), cases[k].alert < 0);
		assert_int_equal(c.alert, cases[k].alert);
		assert_int_equal(asked.calls, cases[k].alert < 0);
		if (asked.calls)
			assert_int_equal(asked.key, cases[k].key);
		client_end(&c);
		tls_free(t);
		tls_server_free(s);
	}
}

/* A ticket is good where it was made: same protocol, same certificate, same process. */
static void
attack_087_ticket(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(versions); i++) {
		struct tls_server *imaps = server("imaps", false, P256, P384);
		struct tls_server *https = server("https", false, P256, P384);
		struct client c = {.version = versions[i], .host = hosts[P256]};
		bool resumed;

		assert_true(visit(imaps, &c, &resumed));
		c.session = kept;
		SSL_SESSION_up_ref(kept);
		assert_true(visit(imaps, &c, &resumed));
		assert_true(resumed);
		assert_true(visit(https, &c, &resumed));
		assert_false(resumed);
		/* Another host of the same server, whose ticket keys are the same. */
		c.host = hosts[P384];
		asked.calls = 0;
		assert_true(visit(imaps, &c, &resumed));
		assert_false(resumed);
		assert_int_equal(asked.key, P384);
		SSL_SESSION_free(c.session);
		tls_server_free(imaps);
		tls_server_free(https);
	}
}

static void
attack_088_old_versions_and_weak_suites(void **state)
{
	static const struct {
		int version;
		const char *suites;
		int alert;
	} cases[] = {
	    {TLS1_VERSION, "ALL", SSL_AD_PROTOCOL_VERSION},
	    {TLS1_1_VERSION, "ALL", SSL_AD_PROTOCOL_VERSION},
	    {TLS1_2_VERSION, "AES128-GCM-SHA256", SSL_AD_HANDSHAKE_FAILURE},
	    {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA", SSL_AD_HANDSHAKE_FAILURE},
	    {TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA384", SSL_AD_HANDSHAKE_FAILURE},
	    {TLS1_2_VERSION, "AECDH-AES128-SHA", SSL_AD_HANDSHAKE_FAILURE},
	    {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tls_server *s = server("imaps", true, P256, P256);
		struct client c = {.version = cases[i].version, .suites = cases[i].suites};
		struct tls *t;

		client_begin(&c);
		assert_true(is_ok(tls_new(&t, s)));
		assert_int_equal(shake(&c, t), cases[i].alert < 0 ? TLS_INPUT : TLS_BROKEN);
		assert_int_equal(tls_is_open(t), cases[i].alert < 0);
		assert_int_equal(c.alert, cases[i].alert);
		client_end(&c);
		tls_free(t);
		tls_server_free(s);
	}
}

/* A few KeyUpdates are a client's right; thousands for nothing are not. */
static void
attack_088_key_updates(void **state)
{
	static const int kinds[] = {SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED};

	(void)state;
	for (size_t k = 0; k < COUNT(kinds); k++) {
		struct tls_server *s = server("imaps", true, P256, P256);
		struct client c = {.version = TLS1_3_VERSION};
		uint8_t room[64];
		struct tls *t;
		int n;

		client_begin(&c);
		assert_true(is_ok(tls_new(&t, s)));
		assert_int_equal(shake(&c, t), TLS_INPUT);
		for (n = 0; n < 1000; n++) {
			struct wr w = wr_of(room, sizeof(room));

			assert_true(SSL_key_update(c.ssl, kinds[k]));
			assert_true(SSL_write(c.ssl, "x", 1) == 1);
			if (to_server(&c, t, &w) == TLS_BROKEN)
				break;
			to_client(&c, t);
			(void)SSL_read(c.ssl, room, sizeof(room));
		}
		assert_in_range(n, 8, 64);
		assert_int_equal(tls_error(t).code, ERR_DENIED);
		client_end(&c);
		tls_free(t);
		tls_server_free(s);
	}
}

static void
attack_088_renegotiation(void **state)
{
	struct tls_server *s = server("imaps", true, P256, P256);
	struct client c = {.version = TLS1_2_VERSION};
	uint8_t room[64];
	struct wr w = wr_of(room, sizeof(room));
	struct tls *t;

	(void)state;
	client_begin(&c);
	assert_true(is_ok(tls_new(&t, s)));
	assert_int_equal(shake(&c, t), TLS_INPUT);
	asked.calls = 0;
	assert_true(SSL_renegotiate(c.ssl));
	(void)SSL_do_handshake(c.ssl);
	(void)to_server(&c, t, &w);
	assert_int_equal(asked.calls, 0);
	to_client(&c, t);
	assert_true(SSL_do_handshake(c.ssl) <= 0); /* it was told no */
	client_end(&c);
	tls_free(t);
	tls_server_free(s);
}

/* A ClientHello of 60 KiB is not waited for. */
static void
attack_088_large_hello(void **state)
{
	static uint8_t alpn[60000];
	struct wr w = wr_of(alpn, sizeof(alpn));
	struct tls_server *s = server("imaps", true, P256, P256);
	struct client c = {.version = TLS1_3_VERSION};
	struct tls *t;

	(void)state;
	while (wr_room(&w) > 255) {
		uint8_t *p;

		wr_u8(&w, 250);
		p = wr_take(&w, 250);
		memset(p, 'x', 250);
	}
	c.alpn = wr_since(&w, alpn);
	client_begin(&c);
	assert_true(is_ok(tls_new(&t, s)));
	assert_int_equal(shake(&c, t), TLS_BROKEN);
	assert_int_equal(tls_error(t).code, ERR_RANGE);
	client_end(&c);
	tls_free(t);
	tls_server_free(s);
}

/* Only what ends in close_notify is whole: cut at each byte, and with each byte changed. */
static void
attack_089_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(versions); i++) {
		for (size_t at = 0;; at++) {
			for (int flip = 0; flip < 2; flip++) {
				struct tls_server *s = server("imaps", true, P256, P256);
				struct client c = {.version = versions[i]};
				uint8_t flight[256], room[64];
				struct wr w = wr_of(room, sizeof(room));
				struct tls *t;
				struct rd in;
				enum tls_want want;
				int n;

				client_begin(&c);
				assert_true(is_ok(tls_new(&t, s)));
				assert_int_equal(shake(&c, t), TLS_INPUT);
				assert_int_equal(SSL_write(c.ssl, "QUIT\r\n", 6), 6);
				SSL_shutdown(c.ssl);
				n = BIO_read(SSL_get_wbio(c.ssl), flight, sizeof(flight));
				assert_true(n > 0);
				if (flip && at < (size_t)n)
					flight[at] ^= 0x40;
				in = rd_of((struct bytes){flight, flip ? (size_t)n : at});
				want = tls_step(t, &in, &w);
				client_end(&c);
				tls_free(t);
				tls_server_free(s);
				if (at >= (size_t)n) {
					assert_int_equal(want, TLS_CLOSED);
					goto next;
				}
				assert_int_not_equal(want, TLS_CLOSED);
			}
		}
	next:;
	}
}

/* Sessions of an old server live on while new ones come; a broken certificate changes nothing. */
static void
attack_090_swap(void **state)
{
	enum { CLIENTS = 50 };
	static struct client clients[CLIENTS];
	struct tls *all[CLIENTS];
	struct tls_server *now = server("imaps", true, P256, P256), *next;
	const struct tls_server_conf conf = {
	    .protocol = BYTES("imaps"), .sign = sign, .owner = keys};
	uint8_t room[64];

	(void)state;
	for (size_t i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){.version = versions[i % 2]};
		client_begin(&clients[i]);
		assert_true(is_ok(tls_new(&all[i], now)));
		(void)SSL_do_handshake(clients[i].ssl); /* half a handshake */
		if (i % 5 != 4)
			continue;
		/* A broken one is refused, and the one that works stays. */
		assert_true(is_ok(tls_server_new(&next, &conf)));
		assert_int_equal(tls_server_add(next, BYTES("-----BEGIN CERTIFICATE-----"), 0).code,
		                 ERR_SYNTAX);
		tls_server_free(next);
		next = server("imaps", true, P256, P256);
		tls_server_free(now);
		now = next;
	}
	tls_server_free(now);
	for (size_t i = 0; i < CLIENTS; i++) {
		struct wr w = wr_of(room, sizeof(room));

		assert_int_equal(shake(&clients[i], all[i]), TLS_INPUT);
		assert_true(tls_is_open(all[i]));
		assert_int_equal(SSL_write(clients[i].ssl, "x", 1), 1);
		assert_int_equal(to_server(&clients[i], all[i], &w), TLS_INPUT);
		assert_int_equal(w.p - room, 1);
		client_end(&clients[i]);
		tls_free(all[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_086_alpn),
	    cmocka_unit_test(attack_086_sni),
	    cmocka_unit_test(attack_087_ticket),
	    cmocka_unit_test(attack_088_old_versions_and_weak_suites),
	    cmocka_unit_test(attack_088_key_updates),
	    cmocka_unit_test(attack_088_renegotiation),
	    cmocka_unit_test(attack_088_large_hello),
	    cmocka_unit_test(attack_089_cut),
	    cmocka_unit_test(attack_090_swap),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
