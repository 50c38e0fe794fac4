/* tls_client.c - both ends of TLS in one test, in memory. */
#include "tls_client.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <time.h>

struct sign_key *keys[KEYS];
static uint8_t pems[KEYS][CERTIFICATE_MAX];
struct bytes chains[KEYS];
const char *const hosts[KEYS] = {"one.example.org", "two.example.org", "rsa.example.org"};

SSL_SESSION *kept; /* the last ticket of any client */

struct asked asked;

struct err
sign(void *owner, uint32_t key, uint16_t scheme, struct bytes message, struct wr *signature)
{
	asked.calls++;
	asked.key = key;
	asked.scheme = scheme;
	if (asked.refuse)
		return ERR(ERR_GONE, 0, "the keys role is away");
	return sign_message(((struct sign_key **)owner)[key], SIGN_TLS, scheme, message, signature);
}

void
make_key(size_t i, EVP_PKEY *native)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct bytes name = bytes_of(hosts[i]);
	struct certificate_subject s = {
	    .common_name = name, .names = &name, .n = 1, .days = CERTIFICATE_DAYS, .serial = {1}};
	struct wr w = wr_of(pems[i], sizeof(pems[i]));
	char *p;
	long n;

	assert_true(PEM_write_bio_PKCS8PrivateKey(bio, native, NULL, NULL, 0, NULL, NULL));
	n = BIO_get_mem_data(bio, &p);
	assert_true(is_ok(sign_key_load(&keys[i], (struct bytes){(const uint8_t *)p, (size_t)n})));
	BIO_free(bio);
	EVP_PKEY_free(native);
	s.from = (int64_t)time(NULL) - 3600;
	assert_true(is_ok(certificate_make(keys[i], &s, &w)));
	chains[i] = wr_since(&w, pems[i]);
}

int
setup(void **state)
{
	(void)state;
	assert_true(is_ok(tls_start()));
	assert_true(is_ok(tls_start())); /* once more does nothing */
	make_key(P256, EVP_EC_gen("P-256"));
	make_key(P384, EVP_EC_gen("P-384"));
	make_key(RSA2048, EVP_RSA_gen(2048));
	return 0;
}

int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS; i++)
		sign_key_free(keys[i]);
	SSL_SESSION_free(kept);
	kept = NULL;
	return 0;
}

/* A server with the certificates from `first` to `last`. */
struct tls_server *
server(const char *protocol, bool strict, size_t first, size_t last)
{
	const struct bytes alpn[] = {BYTES("imap"), BYTES("x-other")};
	struct tls_server_conf conf = {
	    .protocol = bytes_of(protocol),
	    .alpn = alpn,
	    .alpn_n = COUNT(alpn),
	    .sni_strict = strict,
	    .sign = sign,
	    .owner = keys,
	};
	struct tls_server *s;

	assert_true(is_ok(tls_server_new(&s, &conf)));
	for (size_t i = first; i <= last; i++)
		assert_true(is_ok(tls_server_add(s, chains[i], (uint32_t)i)));
	return s;
}

/* ---- the library's client ---- */

static int
keep_new(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(kept);
	kept = session;
	return 1;
}

static void
on_alert(const SSL *ssl, int where, int value)
{
	struct client *c = SSL_get_app_data(ssl);

	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL)
		c->alert = value & 255;
}

void
client_begin(struct client *c)
{
	c->context = SSL_CTX_new(TLS_client_method());
	assert_non_null(c->context);
	c->alert = -1;
	SSL_CTX_set_security_level(c->context, 0);
	SSL_CTX_set_session_cache_mode(c->context,
	                               SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(c->context, keep_new);
	SSL_CTX_set_info_callback(c->context, on_alert);
	if (c->version) {
		SSL_CTX_set_min_proto_version(c->context, c->version);
		SSL_CTX_set_max_proto_version(c->context, c->version);
	}
	if (c->suites)
		assert_true(SSL_CTX_set_cipher_list(c->context, c->suites));
	c->ssl = SSL_new(c->context);
	SSL_set_app_data(c->ssl, c);
	SSL_set_bio(c->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	if (c->host) {
		char host[256]; /* the library's macro casts const away */

		assert_true(snprintf(host, sizeof(host), "%s", c->host) < 256);
		SSL_set_tlsext_host_name(c->ssl, host);
	}
	if (c->alpn.n)
		SSL_set_alpn_protos(c->ssl, c->alpn.p, (unsigned)c->alpn.n);
	if (c->session) { /* a copy: the library marks one of TLS 1.3 as used up */
		SSL_SESSION *copy = SSL_SESSION_dup(c->session);

		SSL_set_session(c->ssl, copy);
		SSL_SESSION_free(copy);
	}
	SSL_set_connect_state(c->ssl);
}

void
client_end(struct client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->context);
}

/* What the client has to say, to the server in pieces; plain bytes that come out are kept. */
enum tls_want
to_server(struct client *c, struct tls *t, struct wr *plain)
{
	enum tls_want want = TLS_INPUT;
	uint8_t piece[20000];
	size_t most = c->cut ? c->cut : sizeof(piece);
	int n;

	while ((n = BIO_read(SSL_get_wbio(c->ssl), piece, (int)most)) > 0) {
		struct rd in = rd_of((struct bytes){piece, (size_t)n});

		want = tls_step(t, &in, plain);
		if (want == TLS_INPUT)
			assert_int_equal(rd_left(&in), 0);
	}
	if (n <= 0) {
		struct rd none = rd_of(NO_BYTES);

		want = tls_step(t, &none, plain);
	}
	return want;
}

void
to_client(struct client *c, struct tls *t)
{
	struct bytes b = tls_out(t);
	size_t n = c->cut && c->cut < b.n ? c->cut : b.n;

	while (b.n) {
		n = n < b.n ? n : b.n;
		assert_int_equal(BIO_write(SSL_get_rbio(c->ssl), b.p, (int)n), n);
		tls_sent(t, n);
		b = tls_out(t);
	}
}

/* Both, until both are done or one refuses. */
enum tls_want
shake(struct client *c, struct tls *t)
{
	enum tls_want want = TLS_INPUT;
	struct wr none = wr_of(NULL, 0);

	for (int i = 0; i < 20 && want != TLS_BROKEN; i++) {
		(void)SSL_do_handshake(c->ssl);
		want = to_server(c, t, &none);
		to_client(c, t);
		if (SSL_is_init_finished(c->ssl) && tls_is_open(t))
			break;
	}
	(void)SSL_do_handshake(c->ssl);
	return want;
}

/* An orderly end, from the client first. */
void
part(struct client *c, struct tls *t)
{
	uint8_t room[16];
	struct wr w = wr_of(room, sizeof(room));

	SSL_shutdown(c->ssl);
	assert_int_equal(to_server(c, t, &w), TLS_CLOSED);
	tls_close(t);
	assert_int_equal(tls_write(t, BYTES("x")), 0);
	to_client(c, t);
	assert_int_equal(SSL_shutdown(c->ssl), 1);
}

/* One handshake; true when it came to its end, and *resumed whether by the ticket that was kept. */
bool
visit(struct tls_server *s, struct client *c, bool *resumed)
{
	uint8_t room[16];
	struct tls *t;
	bool open;

	client_begin(c);
	assert_true(is_ok(tls_new(&t, s)));
	(void)shake(c, t);
	open = tls_is_open(t) && SSL_is_init_finished(c->ssl);
	*resumed = open && tls_is_resumed(t);
	if (open) {
		assert_int_equal(tls_write(t, BYTES("hi")), 2);
		to_client(c, t);
		assert_int_equal(SSL_read(c->ssl, room, sizeof(room)), 2); /* with its ticket */
		if (c->version == TLS1_2_VERSION) /* a ticket made anew is told to nobody */
			keep_new(c->ssl, SSL_get1_session(c->ssl));
		part(c, t); /* the library drops tickets of sessions that were cut */
	}
	client_end(c);
	tls_free(t);
	return open;
}
