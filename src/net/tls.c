/*
 * tls.c - a session: the library's own machine, with its two ends tied to memory.
 *
 * The library reads from the bytes that tls_step() was given, straight, and writes into a buffer
 * that owns nothing while it is empty; so an idle session holds what the library keeps, and some
 * 150 bytes of ours.
 */
#include "net/tls.h"
#include "base/buf.h"
#include "crypt/digest.h"
#include "net/tls_provider.h"
#include "net/tls_server.h"
#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define RECORD       16384         /* RFC 8446 5.1 */
#define RECORD_MORE  512           /* what a record can add to that, and an alert beside it */
#define FLIGHT       (1024 * 1024) /* our side of a handshake: the longest chain in DER */
#define NUISANCES    16            /* KeyUpdates and the like, and one more ... */
#define NUISANCE_PER 1048576       /* ... for so many plain bytes that came (attack 88) */
#define HOST_MAX     253

struct tls {
	SSL *ssl;
	struct buf out;        /* cipher bytes to be sent */
	struct rd *in;         /* cipher bytes that came, while tls_step() runs; else NULL */
	uint64_t came;         /* plain bytes */
	size_t handshake;      /* cipher bytes before its end */
	uint32_t nuisances;    /* messages that cost us work for nothing */
	bool is_open, is_shut; /* handshake done; we said close_notify */
	enum tls_want end;     /* TLS_CLOSED or TLS_BROKEN once it is, else TLS_INPUT */
	struct err error;
};

struct tls_client {
	SSL_CTX *context;
	bool verify;
};

/* The library's registration of our end; made once. */
static BIO_METHOD *method;

/* ---- the end that the library reads and writes ---- */

static int
end_read(BIO *bio, char *p, size_t n, size_t *got)
{
	struct tls *t = BIO_get_data(bio);
	size_t left = t->in ? rd_left(t->in) : 0;
	struct bytes b;

	BIO_clear_retry_flags(bio);
	*got = n < left ? n : left;
	if (*got == 0) {
		BIO_set_retry_read(bio);
		return 0;
	}
	b = rd_take(t->in, *got);
	memcpy(p, b.p, b.n);
	if (!t->is_open)
		t->handshake += b.n;
	return 1;
}

static int
end_write(BIO *bio, const char *p, size_t n, size_t *written)
{
	struct tls *t = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	*written = 0;
	if (!buf_add(&t->out, (struct bytes){(const uint8_t *)p, n}))
		return 0; /* not to be tried again: who has a full flight waiting reads nothing */
	*written = n;
	return 1;
}

static long
end_control(BIO *bio, int what, long n, void *p)
{
	(void)bio, (void)n, (void)p;
	return what == BIO_CTRL_FLUSH;
}

static struct err
end_start(void)
{
	int type = method ? 0 : BIO_get_new_index();

	if (method)
		return OK;
	if (type < 0)
		return ERR(ERR_LIBRARY, digest_library(), "tls: start");
	method = BIO_meth_new(type | BIO_TYPE_SOURCE_SINK, "memory of a session");
	if (!method || !BIO_meth_set_read_ex(method, end_read) ||
	    !BIO_meth_set_write_ex(method, end_write) || !BIO_meth_set_ctrl(method, end_control))
		return ERR(ERR_LIBRARY, digest_library(), "tls: start");
	return OK;
}

/* ---- a session ---- */

static void
on_nuisance(SSL *ssl)
{
	struct tls *t = SSL_get_app_data(ssl);

	if (t && t->is_open)
		t->nuisances++;
}

static enum tls_want
break_off(struct tls *t, struct err e)
{
	t->error = e;
	t->end = TLS_BROKEN;
	return t->end;
}

static struct err
session_new(struct tls **out, SSL_CTX *context)
{
	struct tls *t = calloc(1, sizeof(*t));
	BIO *bio;

	*out = NULL;
	if (!t)
		return ERR(ERR_MEMORY, 0, "tls: session");
	t->out = buf_init(FLIGHT);
	t->error = OK;
	t->ssl = SSL_new(context);
	bio = t->ssl ? BIO_new(method) : NULL;
	if (!bio) {
		SSL_free(t->ssl);
		free(t);
		return ERR(ERR_LIBRARY, digest_library(), "tls: session");
	}
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_app_data(t->ssl, t);
	*out = t;
	return OK;
}

/* What a refused call of the library means. */
static enum tls_want
refused(struct tls *t, int answer)
{
	switch (SSL_get_error(t->ssl, answer)) {
	case SSL_ERROR_WANT_READ:
		return TLS_INPUT;
	case SSL_ERROR_ZERO_RETURN:
		t->end = TLS_CLOSED;
		return t->end;
	}
	return break_off(t, ERR(ERR_LIBRARY, digest_library(), "tls: session"));
}

/* TLS_INPUT: goes on, or waits for more. */
static enum tls_want
shake_hands(struct tls *t)
{
	int answer = SSL_do_handshake(t->ssl);

	if (answer == 1) {
		t->is_open = true;
		return TLS_INPUT;
	}
	if (t->handshake > TLS_HANDSHAKE_MAX)
		return break_off(t, ERR(ERR_RANGE, 0, "tls: a handshake too long"));
	return refused(t, answer);
}

/* Plain bytes until the room is full or no more are there. */
static enum tls_want
read_plain(struct tls *t, struct rd *cipher, struct wr *plain)
{
	size_t got;
	int answer;

	while (wr_room(plain)) {
		ERR_clear_error();
		answer = SSL_read_ex(t->ssl, plain->p, wr_room(plain), &got);
		if (t->nuisances > NUISANCES + t->came / NUISANCE_PER)
			return break_off(t, ERR(ERR_DENIED, 0, "tls: a flood of KeyUpdates"));
		if (!answer)
			return refused(t, answer);
		(void)wr_take(plain, got);
		t->came += got;
	}
	return SSL_pending(t->ssl) > 0 || rd_left(cipher) ? TLS_ROOM : TLS_INPUT;
}

struct err
tls_start(void)
{
	struct err e = digest_start();

	if (!is_ok(e))
		return e;
	if (!OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS, NULL))
		return ERR(ERR_LIBRARY, digest_library(), "tls: start");
	e = end_start();
	if (is_ok(e))
		e = tls_server_start(on_nuisance);
	if (is_ok(e))
		e = tls_provider_start();
	return e;
}

struct err
tls_new(struct tls **out, struct tls_server *s)
{
	struct err e = session_new(out, tls_server_context(s));

	if (is_ok(e))
		SSL_set_accept_state((*out)->ssl);
	return e;
}

void
tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	buf_free(&t->out);
	free(t);
}

enum tls_want
tls_step(struct tls *t, struct rd *cipher, struct wr *plain)
{
	enum tls_want want = TLS_INPUT;

	if (t->end != TLS_INPUT)
		return t->end;
	ERR_clear_error();
	t->in = cipher;
	if (!t->is_open)
		want = shake_hands(t);
	if (t->is_open)
		want = read_plain(t, cipher, plain);
	t->in = NULL;
	return want;
}

size_t
tls_write(struct tls *t, struct bytes plain)
{
	size_t done = 0, n;

	if (!t->is_open || t->is_shut || t->end == TLS_BROKEN)
		return 0;
	while (done < plain.n && t->out.n + RECORD + RECORD_MORE <= TLS_OUT_MAX) {
		n = plain.n - done < RECORD ? plain.n - done : RECORD;
		ERR_clear_error();
		if (!SSL_write_ex(t->ssl, plain.p + done, n, &n)) {
			(void)break_off(t, ERR(ERR_LIBRARY, digest_library(), "tls: write"));
			break;
		}
		done += n;
	}
	return done;
}

void
tls_close(struct tls *t)
{
	if (!t->is_open || t->is_shut || t->end == TLS_BROKEN)
		return;
	t->is_shut = true;
	(void)SSL_shutdown(t->ssl); /* half of it: the peer's close_notify comes by tls_step() */
	ERR_clear_error();
}

struct bytes
tls_out(const struct tls *t)
{
	return buf_bytes(&t->out);
}

void
tls_sent(struct tls *t, size_t n)
{
	buf_eat(&t->out, n);
}

bool
tls_is_open(const struct tls *t)
{
	return t->is_open;
}

bool
tls_is_resumed(const struct tls *t)
{
	return SSL_session_reused(t->ssl);
}

bool
tls_is_of(const struct tls *data, const struct tls *control)
{
	struct bytes mine = tls_server_family(data->ssl), its = tls_server_family(control->ssl);

	return data->is_open && tls_is_resumed(data) && mine.n && bytes_eq(mine, its);
}

void
tls_new_ticket(const struct tls *t)
{
	if (t->is_open && !t->is_shut && t->end == TLS_INPUT &&
	    SSL_version(t->ssl) == TLS1_3_VERSION)
		(void)SSL_new_session_ticket(t->ssl); /* without it there is a full handshake */
}

struct err
tls_error(const struct tls *t)
{
	return t->error;
}

const char *
tls_reason(const struct tls *t)
{
	const char *text = NULL;

	if (t->error.code == ERR_LIBRARY && t->error.sys > 0)
		text = ERR_reason_error_string((unsigned long)t->error.sys);
	return text ? text : err_text(t->error);
}

const char *
tls_version(const struct tls *t)
{
	return t->is_open ? SSL_get_version(t->ssl) : "";
}

const char *
tls_suite(const struct tls *t)
{
	return t->is_open ? SSL_get_cipher_name(t->ssl) : "";
}

struct bytes
tls_alpn(const struct tls *t)
{
	const unsigned char *p = NULL;
	unsigned n = 0;

	SSL_get0_alpn_selected(t->ssl, &p, &n);
	return n ? (struct bytes){p, n} : NO_BYTES;
}

struct bytes
tls_host(const struct tls *t)
{
	const char *name = SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name);

	return name ? bytes_of(name) : NO_BYTES;
}

/* ---- clients ---- */

static struct err
roots_add(SSL_CTX *context, struct bytes roots)
{
	BIO *bio = BIO_new_mem_buf(roots.p, (int)roots.n);
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	X509 *x;
	size_t n = 0;
	bool done = bio != NULL;

	while (done && (x = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL))) {
		done = X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
		n++;
	}
	BIO_free(bio);
	ERR_clear_error();
	if (!done)
		return ERR(ERR_LIBRARY, 0, "tls: roots");
	return n ? OK : ERR(ERR_SYNTAX, 0, "tls: no roots in PEM");
}

struct err
tls_client_new(struct tls_client **out, struct bytes roots)
{
	struct tls_client *c = calloc(1, sizeof(*c));
	struct err e;

	*out = NULL;
	if (!c)
		return ERR(ERR_MEMORY, 0, "tls: client");
	c->verify = roots.n > 0;
	c->context = SSL_CTX_new_ex(NULL, TLS_PROPERTIES, TLS_client_method());
	if (!c->context)
		e = ERR(ERR_LIBRARY, digest_library(), "tls: client");
	else
		e = tls_server_harden(c->context);
	if (is_ok(e) && c->verify) {
		SSL_CTX_set_verify(c->context, SSL_VERIFY_PEER, NULL);
		e = roots.n <= INT32_MAX ? roots_add(c->context, roots)
		                         : ERR(ERR_SYNTAX, 0, "tls: roots");
	}
	if (!is_ok(e)) {
		tls_client_free(c);
		return e;
	}
	*out = c;
	return OK;
}

void
tls_client_free(struct tls_client *c)
{
	if (!c)
		return;
	SSL_CTX_free(c->context);
	free(c);
}

/* Whom we mean: an address is checked in the certificate only, RFC 6066 3 has no SNI for it. */
static bool
name_peer(const struct tls_client *c, SSL *ssl, struct bytes name)
{
	char text[HOST_MAX + 1];
	uint8_t address[16];

	if (name.n == 0 || name.n > HOST_MAX || memchr(name.p, 0, name.n))
		return false;
	memcpy(text, name.p, name.n);
	text[name.n] = 0;
	if (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1)
		return !c->verify || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), text);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set_tlsext_host_name(ssl, text) && (!c->verify || SSL_set1_host(ssl, text));
}

struct err
tls_new_client(struct tls **out, struct tls_client *c, struct bytes name, struct bytes alpn)
{
	uint8_t wire[256];
	struct wr w = wr_of(wire, sizeof(wire));
	struct err e = session_new(out, c->context);

	if (!is_ok(e))
		return e;
	SSL_set_connect_state((*out)->ssl);
	wr_bytes8(&w, alpn);
	if (name_peer(c, (*out)->ssl, name) && !w.full &&
	    (alpn.n == 0 || SSL_set_alpn_protos((*out)->ssl, wire, (unsigned)(w.p - wire)) == 0))
		return OK;
	tls_free(*out);
	*out = NULL;
	return ERR(ERR_LIBRARY, digest_library(), "tls: client");
}
