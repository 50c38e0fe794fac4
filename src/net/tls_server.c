/*
 * tls_server.c - certificates, tickets, and the choice of both by what a client asks for.
 *
 * A server is a front context, from which sessions are made, and a context for each certificate, to
 * which a session turns when the name in its ClientHello is known.  All hang on the front, which
 * the library frees with the last session made from it: so a server may be replaced, and freed by
 * its owner, under thousands of handshakes (attack 90).
 *
 * Tickets (RFC 5077, RFC 8446 4.6.1) are sealed by two keys: the newest seals, both open.  Nothing
 * outside this process ever has them.  The id of a session's context is a digest of the protocol
 * and of the certificate, and is looked at before a ticket is taken: so one of another protocol or
 * host is followed by a full handshake (attack 87).
 */
#include "net/tls_server.h"
#include "crypt/certificate.h"
#include "crypt/digest.h"
#include "net/tls_provider.h"
#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define ECDSA_SCHEMES "ECDSA+SHA256:ECDSA+SHA384"
#define RSA_SCHEMES   "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512"
#define ALPN_MAX      256
#define TICKET_KEY    32
#define TICKET_NAME   16 /* as RFC 5077 4 has it */

struct ticket {
	uint8_t name[TICKET_NAME], cipher[TICKET_KEY], mac[TICKET_KEY];
};

struct tls_server {
	SSL_CTX *front; /* frees all of this with its own last reference */
	SSL_CTX *certs[TLS_CERTS_MAX];
	uint8_t ids[TLS_CERTS_MAX][DIGEST_SIZE];
	size_t n;
	struct ticket newest, before;
	uint8_t protocol[32], alpn[ALPN_MAX]; /* alpn: as on the wire */
	size_t protocol_n, alpn_n;
	bool sni_strict, families;
	tls_sign *sign;
	void *owner;
};

/* The library's registrations; made once. */
static int slot = -1; /* of a struct tls_server in its front, to be freed with it */
static tls_server_nuisance *on_nuisance;

/* The front's last reference is gone. */
static void
server_gone(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long n, void *arg)
{
	struct tls_server *s = data;

	(void)parent, (void)all, (void)index, (void)n, (void)arg;
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		SSL_CTX_free(s->certs[i]);
	digest_wipe(s, sizeof(*s));
	free(s);
}

/*
 * Messages that a peer may send at will and that make us compute: KeyUpdate, and each try at
 * renegotiation, which shows as the warning that answers it (attack 88).
 */
static void
watch(int writing, int version, int type, const void *p, size_t n, SSL *ssl, void *arg)
{
	const uint8_t *b = p;

	(void)version, (void)arg;
	if (!writing && type == SSL3_RT_HANDSHAKE && n >= 1 && b[0] == SSL3_MT_KEY_UPDATE)
		on_nuisance(ssl);
	if (writing && type == SSL3_RT_ALERT && n >= 2 && b[0] == SSL3_AL_WARNING &&
	    b[1] == SSL_AD_NO_RENEGOTIATION)
		on_nuisance(ssl);
}

/* ---- what the client asks for ---- */

/* The host name in a server_name extension (RFC 6066 3); no bytes: none.  False: malformed. */
static bool
hello_host(SSL *ssl, struct bytes *host)
{
	const unsigned char *p;
	size_t n;
	struct rd r, list;

	*host = NO_BYTES;
	if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n))
		return true;
	r = rd_of((struct bytes){p, n});
	list = rd_of(rd_bytes16(&r));
	if (rd_u8(&list) != TLSEXT_NAMETYPE_host_name)
		return false;
	*host = rd_bytes16(&list);
	return !r.bad && rd_left(&r) == 0 && !list.bad && rd_left(&list) == 0 && host->n > 0 &&
	       host->n <= TLSEXT_MAXLEN_host_name && !memchr(host->p, 0, host->n);
}

/* The certificate with this name; `n` when there is none. */
static size_t
certificate_find(const struct tls_server *s, struct bytes host)
{
	size_t i;

	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	for (i = 0; host.n && i < s->n; i++)
		if (X509_check_host(SSL_CTX_get0_certificate(s->certs[i]), (const char *)host.p,
		                    host.n, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1)
			return i;
	return s->n;
}

/* The first that is looked at in a ClientHello: before tickets, versions and suites. */
static int
on_hello(SSL *ssl, int *alert, void *arg)
{
	const struct tls_server *s = arg;
	struct bytes host;
	size_t i;

	*alert = SSL_AD_DECODE_ERROR;
	if (!hello_host(ssl, &host))
		return SSL_CLIENT_HELLO_ERROR;
	i = host.n ? certificate_find(s, host) : 0;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	if (i == s->n && (s->sni_strict || s->n == 0))
		return SSL_CLIENT_HELLO_ERROR;
	if (i == s->n)
		i = 0;
	*alert = SSL_AD_INTERNAL_ERROR;
	if (s->n == 0 || !SSL_set_SSL_CTX(ssl, s->certs[i]) ||
	    !SSL_set_session_id_context(ssl, s->ids[i], DIGEST_SIZE))
		return SSL_CLIENT_HELLO_ERROR;
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* The name was looked at in on_hello(); this tells the client, and the session, that it counts. */
static int
on_host(SSL *ssl, int *alert, void *arg)
{
	(void)ssl, (void)alert, (void)arg;
	return SSL_TLSEXT_ERR_OK;
}

/* Only comes when the client offers something; nothing in common ends it (RFC 7301 3.2). */
static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in,
        unsigned in_n, void *arg)
{
	const struct tls_server *s = arg;
	struct rd ours = rd_of((struct bytes){s->alpn, s->alpn_n});

	(void)ssl;
	while (rd_left(&ours)) {
		struct bytes name = rd_bytes8(&ours);
		struct rd theirs = rd_of((struct bytes){in, in_n});

		while (rd_left(&theirs)) {
			struct bytes offered = rd_bytes8(&theirs);

			if (!theirs.bad && bytes_eq(name, offered)) {
				*out = name.p;
				*out_n = (unsigned char)name.n;
				return SSL_TLSEXT_ERR_OK;
			}
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* ---- tickets ---- */

static struct err
ticket_make(struct ticket *t)
{
	if (RAND_bytes(t->name, sizeof(t->name)) != 1 ||
	    RAND_priv_bytes(t->cipher, sizeof(t->cipher)) != 1 ||
	    RAND_priv_bytes(t->mac, sizeof(t->mac)) != 1)
		return ERR(ERR_LIBRARY, digest_library(), "tls: ticket key");
	return OK;
}

static int
ticket_mac(EVP_MAC_CTX *mac, struct ticket *t)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, t->mac, sizeof(t->mac)),
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params);
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3): -1 fault, 0 unknown, 1 good, 2 good but make it anew. */
static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
          EVP_MAC_CTX *mac, int sealing)
{
	struct tls_server *s = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct bytes given = {name, TICKET_NAME};
	struct ticket *t = &s->newest;

	if (sealing) {
		memcpy(name, t->name, TICKET_NAME);
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1 ||
		    !EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, t->cipher, iv) ||
		    !ticket_mac(mac, t))
			return -1;
		return 1;
	}
	if (!bytes_eq(given, (struct bytes){t->name, TICKET_NAME}))
		t = &s->before;
	if (!bytes_eq(given, (struct bytes){t->name, TICKET_NAME}))
		return 0;
	if (!ticket_mac(mac, t) ||
	    !EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, t->cipher, iv))
		return -1;
	return t == &s->newest ? 1 : 2;
}

/* ---- families ---- */

#define FAMILY 16

/*
 * Names the family of a session that begins one; a resumed session, and what is made of it, has the
 * name already.  The name is in the session itself, so a sealed ticket brings it back.
 */
static bool
family_found(SSL_SESSION *session)
{
	uint8_t name[FAMILY];
	void *p = NULL;
	size_t n = 0;

	if (SSL_SESSION_get0_ticket_appdata(session, &p, &n) && n == FAMILY)
		return true;
	return RAND_bytes(name, sizeof(name)) == 1 &&
	       SSL_SESSION_set1_ticket_appdata(session, name, sizeof(name));
}

/* Before a ticket is sealed. */
static int
on_new_ticket(SSL *ssl, void *arg)
{
	(void)arg;
	return family_found(SSL_get_session(ssl));
}

/* A session of TLS 1.2 that is kept here, since its client takes no tickets. */
static int
on_new_session(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	(void)family_found(session);
	return 0; /* no reference is kept */
}

struct bytes
tls_server_family(SSL *ssl)
{
	SSL_SESSION *session = SSL_get_session(ssl);
	void *p = NULL;
	size_t n = 0;

	if (!session || !SSL_SESSION_get0_ticket_appdata(session, &p, &n) || n != FAMILY)
		return NO_BYTES;
	return (struct bytes){p, n};
}

struct err
tls_server_families(struct tls_server *s, struct bytes alpn)
{
	struct wr w = wr_of(s->alpn + s->alpn_n, sizeof(s->alpn) - s->alpn_n);

	wr_bytes8(&w, alpn);
	if (w.full)
		return ERR(ERR_RANGE, 0, "tls: too many names");
	s->alpn_n = (size_t)(w.p - s->alpn);
	if (!SSL_CTX_set_session_ticket_cb(s->front, on_new_ticket, NULL, NULL))
		return ERR(ERR_LIBRARY, digest_library(), "tls: families");
	s->families = true;
	/* a session id is told if the certificate's context keeps sessions, and kept in the front's */
	SSL_CTX_set_session_cache_mode(s->front, SSL_SESS_CACHE_SERVER);
	for (size_t i = 0; i < s->n; i++)
		SSL_CTX_set_session_cache_mode(s->certs[i], SSL_SESS_CACHE_SERVER);
	SSL_CTX_sess_set_cache_size(s->front, TLS_KEPT);
	SSL_CTX_sess_set_new_cb(s->front, on_new_session);
	return OK;
}

/* ---- contexts ---- */

struct err
tls_server_harden(SSL_CTX *c)
{
	/* Not const, because the library's macros cast it away. */
	char groups[] = "X25519:P-256:P-384";
	char schemes[] = ECDSA_SCHEMES ":" RSA_SCHEMES;

	SSL_CTX_set_security_level(c, 2);
	SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	                           SSL_OP_PRIORITIZE_CHACHA | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_msg_callback(c, watch);
	/* RFC 9325 4.2: ephemeral keys and AEAD only; the suites of 1.3 are all of that kind. */
	if (!SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) ||
	    !SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20") ||
	    !SSL_CTX_set1_groups_list(c, groups) || !SSL_CTX_set1_sigalgs_list(c, schemes))
		return ERR(ERR_LIBRARY, digest_library(), "tls: settings");
	return OK;
}

/*
 * What a key may sign with.  In TLS 1.2 a curve is not bound to a digest (RFC 8446 4.2.3); here it
 * is, so a SignatureScheme says all that there is to say.
 */
static bool
bind_schemes(SSL_CTX *c, EVP_PKEY *key)
{
	char rsa[] = RSA_SCHEMES, p256[] = "ECDSA+SHA256", p384[] = "ECDSA+SHA384";
	char *list = EVP_PKEY_is_a(key, "RSA") ? rsa : EVP_PKEY_get_bits(key) == 256 ? p256 : p384;

	return SSL_CTX_set1_sigalgs_list(c, list);
}

/* A context with one certificate; it takes the key by reference. */
static struct err
certificate_context(SSL_CTX **out, struct tls_server *s, const struct certificate_chain *chain,
                    EVP_PKEY *key)
{
	SSL_CTX *c = SSL_CTX_new_ex(NULL, TLS_PROPERTIES, TLS_server_method());
	struct err e;

	if (!c)
		return ERR(ERR_LIBRARY, digest_library(), "tls: context");
	SSL_CTX_set_app_data(c, s);
	SSL_CTX_set_alpn_select_cb(c, on_alpn, s); /* asked of the context that was turned to */
	e = tls_server_harden(c);
	if (!is_ok(e))
		goto out;
	if (s->families)
		SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_SERVER);
	if (!bind_schemes(c, key) || SSL_CTX_use_certificate(c, chain->all[0]) != 1 ||
	    SSL_CTX_use_PrivateKey(c, key) != 1) {
		e = ERR(ERR_RANGE, digest_library(), "tls: certificate");
		goto out;
	}
	for (size_t i = 1; i < chain->n; i++) {
		if (SSL_CTX_add1_chain_cert(c, chain->all[i]) != 1) {
			e = ERR(ERR_RANGE, digest_library(), "tls: chain");
			goto out;
		}
	}
	*out = c;
	return OK;
out:
	SSL_CTX_free(c);
	return e;
}

/* The id of sessions with this certificate in this protocol. */
static struct err
session_id(const struct tls_server *s, X509 *leaf, uint8_t id[DIGEST_SIZE])
{
	uint8_t both[sizeof(s->protocol) + DIGEST_SIZE] = {0};
	unsigned n = 0;

	memcpy(both, s->protocol, s->protocol_n);
	if (!X509_digest(leaf, EVP_sha256(), both + sizeof(s->protocol), &n))
		return ERR(ERR_LIBRARY, digest_library(), "tls: certificate");
	return digest_sha256((struct bytes){both, sizeof(both)}, id);
}

static void
protocol_set(struct tls_server *s, const struct tls_server_conf *conf)
{
	struct wr w = wr_of(s->alpn, sizeof(s->alpn));

	for (size_t i = 0; i < conf->alpn_n; i++)
		wr_bytes8(&w, conf->alpn[i]);
	assert(!w.full && conf->protocol.n <= sizeof(s->protocol)); /* our own lists */
	s->alpn_n = (size_t)(w.p - s->alpn);
	s->protocol_n = conf->protocol.n;
	memcpy(s->protocol, conf->protocol.p, conf->protocol.n);
}

struct err
tls_server_start(tls_server_nuisance *nuisance)
{
	on_nuisance = nuisance;
	if (slot < 0)
		slot = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, server_gone);
	return slot < 0 ? ERR(ERR_LIBRARY, digest_library(), "tls: start") : OK;
}

struct ssl_ctx_st *
tls_server_context(struct tls_server *s)
{
	return s->front;
}

struct err
tls_server_new(struct tls_server **out, const struct tls_server_conf *conf)
{
	struct tls_server *s = calloc(1, sizeof(*s));
	struct err e;

	*out = NULL;
	if (!s)
		return ERR(ERR_MEMORY, 0, "tls: server");
	s->sni_strict = conf->sni_strict;
	s->sign = conf->sign;
	s->owner = conf->owner;
	protocol_set(s, conf);
	e = ticket_make(&s->newest);
	if (is_ok(e))
		e = ticket_make(&s->before);
	if (!is_ok(e))
		goto out;
	s->front = SSL_CTX_new_ex(NULL, TLS_PROPERTIES, TLS_server_method());
	if (!s->front || !SSL_CTX_set_ex_data(s->front, slot, s)) {
		e = ERR(ERR_LIBRARY, digest_library(), "tls: server");
		SSL_CTX_free(s->front);
		goto out;
	}
	/* From here on s goes with its front. */
	e = tls_server_harden(s->front);
	if (!is_ok(e)) {
		SSL_CTX_free(s->front);
		return e;
	}
	SSL_CTX_set_app_data(s->front, s);
	SSL_CTX_set_client_hello_cb(s->front, on_hello, s);
	SSL_CTX_set_tlsext_servername_callback(s->front, on_host);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(s->front, on_ticket);
	SSL_CTX_set_timeout(s->front, 2 * TLS_ROTATE);
	SSL_CTX_set_num_tickets(s->front, 1);
	*out = s;
	return OK;
out:
	digest_wipe(s, sizeof(*s));
	free(s);
	return e;
}

struct err
tls_server_add(struct tls_server *s, struct bytes chain_pem, uint32_t key)
{
	struct certificate_chain chain;
	EVP_PKEY *remote = NULL, *public;
	struct err e;

	if (s->n == TLS_CERTS_MAX)
		return ERR(ERR_FULL, 0, "tls: certificates");
	e = certificate_chain_read(chain_pem, &chain);
	if (!is_ok(e))
		return e;
	public = X509_get0_pubkey(chain.all[0]);
	e = public ? tls_provider_key(&remote, public, s->sign, s->owner, key)
	           : ERR(ERR_RANGE, digest_library(), "tls: key");
	if (is_ok(e))
		e = session_id(s, chain.all[0], s->ids[s->n]);
	if (is_ok(e))
		e = certificate_context(&s->certs[s->n], s, &chain, remote);
	if (is_ok(e))
		s->n++;
	EVP_PKEY_free(remote);
	certificate_chain_free(&chain);
	return e;
}

struct err
tls_server_rotate(struct tls_server *s)
{
	struct ticket fresh;
	struct err e = ticket_make(&fresh);

	if (is_ok(e)) {
		s->before = s->newest;
		s->newest = fresh;
	}
	digest_wipe(&fresh, sizeof(fresh));
	return e;
}

void
tls_server_free(struct tls_server *s)
{
	if (s)
		SSL_CTX_free(s->front);
}
