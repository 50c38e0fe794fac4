/*
 * tls.h - TLS as a machine without sockets: cipher bytes go in, plain bytes come out, and the other
 * way round.
 *
 * A server's private key is never in this process: each handshake asks the function given in the
 * configuration for one signature.  TLS 1.2 and 1.3 with ephemeral keys and AEAD suites only; no
 * renegotiation, no compression, no early data.  A client that names a protocol (ALPN) or a host
 * (SNI) that is not ours is refused (attack 86); tickets are sealed with keys that live and rotate
 * here and are good for one protocol and one certificate (attack 87).
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/bytes.h"
#include "base/err.h"

#define TLS_CERTS_MAX     64    /* certificates a server */
#define TLS_HANDSHAKE_MAX 32768 /* cipher bytes that a peer may send before it is done */
#define TLS_OUT_MAX       69632 /* cipher bytes that may wait in tls_out() */

/*
 * Loads and seeds all that the library would otherwise load, open or seed later.  Once, before
 * cage_seal(); the functions below need it.
 */
MUST_CHECK struct err tls_start(void);

/*
 * Signs `message` with key number `key`, by the SignatureScheme of RFC 8446 4.2.3 (crypt/sign.h).
 * May block; called from tls_step().  Anything but OK ends that handshake.
 */
typedef struct err tls_sign(void *owner, uint32_t key, uint16_t scheme, struct bytes message,
                            struct wr *signature);

struct tls_server_conf {
	struct bytes protocol;    /* "imaps": tickets are good for it only; at most 32 bytes */
	const struct bytes *alpn; /* the names that a client may offer; one of them must be ours */
	size_t alpn_n;            /* 0: whoever offers any is refused */
	bool sni_strict;          /* an unknown host name is refused; else it gets the first one */
	tls_sign *sign;           /* with `owner`, must outlive every session */
	void *owner;
};

struct tls_server; /* opaque; what it was made from is not needed after */
MUST_CHECK struct err tls_server_new(struct tls_server **out, const struct tls_server_conf *);
/*
 * Adds a certificate: the leaf first, then what leads to the root, in PEM; `key` is the number of
 * its private key.  The first one added is for clients that name no host.  Answers: ERR_SYNTAX no
 * certificates, ERR_RANGE a key of a kind not taken here, ERR_FULL more than TLS_CERTS_MAX.
 */
MUST_CHECK struct err tls_server_add(struct tls_server *, struct bytes chain_pem, uint32_t key);
/*
 * New ticket keys; those made by the one before the last are worth nothing from now on.  To be called
 * as often as TLS_ROTATE says.
 */
MUST_CHECK struct err tls_server_rotate(struct tls_server *);
#define TLS_ROTATE 14400 /* seconds; a ticket lives for at most two of them */
/*
 * For FTP: connections that belong to another one.  From now on tls_is_of() can tell; `alpn` is one
 * more name that a client may offer.  Also keeps TLS 1.2 sessions of clients without tickets, as
 * many as TLS_KEPT.
 */
MUST_CHECK struct err tls_server_families(struct tls_server *, struct bytes alpn);
#define TLS_KEPT 1024
/* Sessions that are under way stay whole; NULL does nothing. */
void tls_server_free(struct tls_server *);

struct tls_client; /* opaque */
/*
 * `roots` are certificates in PEM that a server's must lead to; with no bytes any certificate is
 * taken.  Answers: ERR_SYNTAX no certificates.
 */
MUST_CHECK struct err tls_client_new(struct tls_client **out, struct bytes roots);
void tls_client_free(struct tls_client *);

/* ---- a session ---- */

enum tls_want {
	TLS_INPUT,  /* cipher bytes from the peer */
	TLS_ROOM,   /* more room for plain bytes, some are waiting; no more input before */
	TLS_CLOSED, /* the peer said close_notify: the plain bytes are whole (attack 89) */
	TLS_BROKEN, /* an alert, a forgery or a limit: send what tls_out() has, then close */
};

struct tls; /* opaque */
MUST_CHECK struct err tls_new(struct tls **out, struct tls_server *);
/* To a server of this name (SNI, and the name in its certificate); `alpn` may be no bytes. */
MUST_CHECK struct err tls_new_client(struct tls **out, struct tls_client *, struct bytes name,
                                     struct bytes alpn);
void tls_free(struct tls *);

/*
 * Eats cipher bytes, writes plain ones, and returns what it wants next; cipher bytes to be sent may
 * be waiting in tls_out() afterwards, whatever it returns.  While it wants room it eats nothing.
 * The peer's socket may end only after TLS_CLOSED: an end before is a cut (attack 89).
 */
enum tls_want tls_step(struct tls *, struct rd *cipher, struct wr *plain);
/* Encrypts as many bytes as may wait in tls_out() and says how many; 0 before the handshake's end. */
size_t tls_write(struct tls *, struct bytes plain);
/* Says close_notify; nothing can be written afterwards. */
void tls_close(struct tls *);

/* Cipher bytes to be sent, good until the next call of a function with this session. */
struct bytes tls_out(const struct tls *);
/* The first n of them are sent. */
void tls_sent(struct tls *, size_t n);

bool tls_is_open(const struct tls *);    /* the handshake is done */
bool tls_is_resumed(const struct tls *); /* by a ticket */
/*
 * Did `data` resume the TLS session of `control`, or one that came of it?  A ticket that the same
 * client has from elsewhere does not count, nor has any other client one (attack 133).
 */
bool tls_is_of(const struct tls *data, const struct tls *control);
/*
 * Has one more ticket go out with what is written next: clients that use a ticket of TLS 1.3 once,
 * as RFC 8446 C.4 would have it, need one for each of their data connections.
 */
void tls_new_ticket(const struct tls *);
/* Why it is TLS_BROKEN; sys is the library's number, and tls_reason() its words, a literal. */
struct err tls_error(const struct tls *);
const char *tls_reason(const struct tls *);
/* "TLSv1.3", "TLS_AES_128_GCM_SHA256"; "" before the handshake's end. */
const char *tls_version(const struct tls *);
const char *tls_suite(const struct tls *);
/* What the peers agreed on, or the client asked for; no bytes: nothing. */
struct bytes tls_alpn(const struct tls *);
struct bytes tls_host(const struct tls *);

#endif
