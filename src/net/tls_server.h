/*
 * tls_server.h - what tls.c needs of tls_server.c: contexts, made of a configuration.
 */
#ifndef NET_TLS_SERVER_H
#define NET_TLS_SERVER_H

#include "net/tls.h"

struct ssl_st;
struct ssl_ctx_st;

/* For a library's context to say that a session has seen one more message that costs us work. */
typedef void tls_server_nuisance(struct ssl_st *);

/* Once, as part of tls_start(). */
MUST_CHECK struct err tls_server_start(tls_server_nuisance *);
/* What TLS may be here: versions, suites, groups, options; for servers and clients. */
MUST_CHECK struct err tls_server_harden(struct ssl_ctx_st *);
/* What a session is made from; it keeps the server alive as long as the session. */
struct ssl_ctx_st *tls_server_context(struct tls_server *);

/* Which family its session is of; no bytes: of none. */
struct bytes tls_server_family(struct ssl_st *);

#define TLS_PROPERTIES "?provider=default"

#endif
