/*
 * tls_provider.c - an OpenSSL 3 provider whose keys sign by asking.
 *
 * Two key managers ("EC", "RSA") and their signatures.  A key here is the library's own public key
 * and, unless it came in by import, whom to ask.  All questions about the public part are handed on
 * to the library's key; the private part can neither be exported nor imported, so libssl, which
 * first tries the default provider, always comes back here to sign (EVP_DigestSignInit(3)).
 *
 * libssl signs whole messages with EVP_DigestSign(3), in TLS 1.2 and 1.3 both; nothing else is
 * offered, so a bare digest cannot be signed.
 */
#include "net/tls_provider.h"
#include "crypt/digest.h"
#include "crypt/sign.h"
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#define PROVIDER   "stead"
#define PROPERTIES "provider=" PROVIDER
#define REMOTE     "stead-remote" /* our own parameter: a struct remote */

struct remote {
	EVP_PKEY *public;
	tls_sign *sign; /* NULL: imported to be compared with, signs nothing */
	void *owner;
	uint32_t number;
};

struct signing {
	const struct remote *key;
	char digest[16];
	bool is_pss;
};

/* The context that holds nothing but this provider; made once, never freed. */
static OSSL_LIB_CTX *room;

static const struct name {
	const char *name, *alias;
	uint16_t ecdsa, pkcs1, pss; /* schemes of enum sign_scheme */
	const char *group;          /* the curve that goes with it in 1.3 */
} digests[] = {
    {"SHA256", "SHA2-256", SIGN_ECDSA_P256_SHA256, SIGN_RSA_PKCS1_SHA256, SIGN_RSA_PSS_SHA256,
     SN_X9_62_prime256v1},
    {"SHA384", "SHA2-384", SIGN_ECDSA_P384_SHA384, SIGN_RSA_PKCS1_SHA384, SIGN_RSA_PSS_SHA384,
     SN_secp384r1},
    {"SHA512", "SHA2-512", 0, SIGN_RSA_PKCS1_SHA512, SIGN_RSA_PSS_SHA512, ""},
};

/* ---- key managers ---- */

static void *
key_new(void *provider)
{
	(void)provider;
	return calloc(1, sizeof(struct remote));
}

static void
key_free(void *key)
{
	struct remote *k = key;

	if (!k)
		return;
	EVP_PKEY_free(k->public);
	free(k);
}

static int
key_has(const void *key, int selection)
{
	const struct remote *k = key;

	if (!k || !k->public)
		return 0;
	return !(selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) || k->sign != NULL;
}

static int
key_match(const void *a, const void *b, int selection)
{
	const struct remote *one = a, *other = b;

	(void)selection; /* there is only a public part to be compared */
	return one->public && other->public && EVP_PKEY_eq(one->public, other->public) == 1;
}

/* A public key of the default provider from its parameters. */
static int
import_public(struct remote *k, const char *type, const OSSL_PARAM params[])
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *copy = OSSL_PARAM_dup(params);
	int done;

	done = context && copy && EVP_PKEY_fromdata_init(context) > 0 &&
	       EVP_PKEY_fromdata(context, &k->public, EVP_PKEY_PUBLIC_KEY, copy) > 0;
	OSSL_PARAM_free(copy);
	EVP_PKEY_CTX_free(context);
	return done;
}

static int
key_import(void *key, const char *type, const OSSL_PARAM params[])
{
	const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, REMOTE);
	struct remote *k = key;

	if (k->public)
		return 0;
	if (!p)
		return import_public(k, type, params);
	if (p->data_type != OSSL_PARAM_OCTET_STRING || p->data_size != sizeof(*k))
		return 0;
	memcpy(k, p->data, sizeof(*k));
	if (EVP_PKEY_up_ref(k->public))
		return 1;
	k->public = NULL;
	return 0;
}

static int
ec_import(void *key, int selection, const OSSL_PARAM params[])
{
	(void)selection;
	return key_import(key, "EC", params);
}

static int
rsa_import(void *key, int selection, const OSSL_PARAM params[])
{
	(void)selection;
	return key_import(key, "RSA", params);
}

static const OSSL_PARAM *
ec_types(int selection)
{
	static const OSSL_PARAM types[] = {
	    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
	    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
	    OSSL_PARAM_octet_string(REMOTE, NULL, 0),
	    OSSL_PARAM_END,
	};

	(void)selection;
	return types;
}

static const OSSL_PARAM *
rsa_types(int selection)
{
	static const OSSL_PARAM types[] = {
	    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
	    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
	    OSSL_PARAM_octet_string(REMOTE, NULL, 0),
	    OSSL_PARAM_END,
	};

	(void)selection;
	return types;
}

/* Public parts only: asked for a private one, libssl must turn back to this provider. */
static int
key_export(void *key, int selection, OSSL_CALLBACK *give, void *owner)
{
	const struct remote *k = key;

	if (!k->public || ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) && k->sign))
		return 0;
	return EVP_PKEY_export(k->public, EVP_PKEY_PUBLIC_KEY, give, owner);
}

static int
key_params(void *key, OSSL_PARAM params[])
{
	const struct remote *k = key;

	return k->public && EVP_PKEY_get_params(k->public, params);
}

static const OSSL_PARAM *
key_gettable(void *provider)
{
	static const OSSL_PARAM gettable[] = {
	    OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
	    OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
	    OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
	    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
	    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
	    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
	    OSSL_PARAM_END,
	};

	(void)provider;
	return gettable;
}

static const char *
ec_operation(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "ECDSA" : "EC";
}

static const char *
rsa_operation(int operation)
{
	(void)operation;
	return "RSA";
}

/* ---- signatures ---- */

static void *
signing_new(void *provider, const char *properties)
{
	(void)provider, (void)properties;
	return calloc(1, sizeof(struct signing));
}

static int
signing_set(void *context, const OSSL_PARAM params[])
{
	struct signing *s = context;
	const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	int mode = 0;

	if (p && p->data_type == OSSL_PARAM_UTF8_STRING) {
		s->is_pss = strcmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0;
		if (!s->is_pss && strcmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) != 0)
			return 0;
	} else if (p) {
		if (!OSSL_PARAM_get_int(p, &mode))
			return 0;
		s->is_pss = mode == RSA_PKCS1_PSS_PADDING;
		if (!s->is_pss && mode != RSA_PKCS1_PADDING)
			return 0;
	}
	return 1; /* the salt is as long as the digest in all of TLS (RFC 8446 4.2.3) */
}

static const OSSL_PARAM *
signing_settable(void *context, void *provider)
{
	static const OSSL_PARAM settable[] = {
	    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
	    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
	    OSSL_PARAM_END,
	};

	(void)context, (void)provider;
	return settable;
}

static int
signing_init(void *context, const char *digest, void *key, const OSSL_PARAM params[])
{
	struct signing *s = context;

	if (!digest || strlen(digest) >= sizeof(s->digest) || !key_has(key, EVP_PKEY_KEYPAIR))
		return 0;
	*s = (struct signing){.key = key};
	memcpy(s->digest, digest, strlen(digest));
	return !params || signing_set(s, params);
}

/* The SignatureScheme; 0: there is none for this key and digest. */
static uint16_t
signing_scheme(const struct signing *s)
{
	char group[64] = "";

	for (size_t i = 0; i < COUNT(digests); i++) {
		const struct name *d = &digests[i];

		if (OPENSSL_strcasecmp(s->digest, d->name) != 0 &&
		    OPENSSL_strcasecmp(s->digest, d->alias) != 0)
			continue;
		if (EVP_PKEY_is_a(s->key->public, "RSA"))
			return s->is_pss ? d->pss : d->pkcs1;
		if (!EVP_PKEY_get_group_name(s->key->public, group, sizeof(group), NULL))
			return 0;
		return strcmp(group, d->group) == 0 ? d->ecdsa : 0;
	}
	return 0;
}

static int
signing_sign(void *context, unsigned char *out, size_t *n, size_t room_n,
             const unsigned char *message, size_t message_n)
{
	const struct signing *s = context;
	uint16_t scheme = signing_scheme(s);
	struct wr w = wr_of(out, room_n);
	struct err e;

	if (!out) {
		*n = (size_t)EVP_PKEY_get_size(s->key->public);
		return 1;
	}
	if (!scheme)
		return 0;
	e = s->key->sign(s->key->owner, s->key->number, scheme, (struct bytes){message, message_n},
	                 &w);
	if (!is_ok(e) || w.full)
		return 0;
	*n = (size_t)(w.p - out);
	return *n > 0;
}

/* ---- the provider ---- */

#define FN(number, function)                                                                       \
	{                                                                                          \
		number, (void (*)(void))function                                                   \
	}

#define KEY_FUNCTIONS                                                                              \
	FN(OSSL_FUNC_KEYMGMT_NEW, key_new), FN(OSSL_FUNC_KEYMGMT_FREE, key_free),                  \
	    FN(OSSL_FUNC_KEYMGMT_HAS, key_has), FN(OSSL_FUNC_KEYMGMT_MATCH, key_match),            \
	    FN(OSSL_FUNC_KEYMGMT_EXPORT, key_export),                                              \
	    FN(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_params),                                          \
	    FN(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable)

static const OSSL_DISPATCH ec_keys[] = {
    KEY_FUNCTIONS,
    FN(OSSL_FUNC_KEYMGMT_IMPORT, ec_import),
    FN(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, ec_types),
    FN(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, ec_types),
    FN(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, ec_operation),
    {0, NULL},
};

static const OSSL_DISPATCH rsa_keys[] = {
    KEY_FUNCTIONS,
    FN(OSSL_FUNC_KEYMGMT_IMPORT, rsa_import),
    FN(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, rsa_types),
    FN(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, rsa_types),
    FN(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, rsa_operation),
    {0, NULL},
};

static const OSSL_DISPATCH signatures[] = {
    FN(OSSL_FUNC_SIGNATURE_NEWCTX, signing_new),
    FN(OSSL_FUNC_SIGNATURE_FREECTX, free),
    FN(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, signing_init),
    FN(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, signing_sign),
    FN(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, signing_set),
    FN(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, signing_settable),
    {0, NULL},
};

static const OSSL_ALGORITHM *
provider_query(void *provider, int operation, int *no_cache)
{
	static const OSSL_ALGORITHM keys[] = {
	    {"EC:id-ecPublicKey:1.2.840.10045.2.1", PROPERTIES, ec_keys, NULL},
	    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", PROPERTIES, rsa_keys, NULL},
	    {NULL, NULL, NULL, NULL},
	};
	static const OSSL_ALGORITHM signs[] = {
	    {"ECDSA", PROPERTIES, signatures, NULL},
	    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", PROPERTIES, signatures, NULL},
	    {NULL, NULL, NULL, NULL},
	};

	(void)provider;
	*no_cache = 0;
	if (operation == OSSL_OP_KEYMGMT)
		return keys;
	return operation == OSSL_OP_SIGNATURE ? signs : NULL;
}

static int
provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
              void **provider)
{
	static const OSSL_DISPATCH functions[] = {
	    FN(OSSL_FUNC_PROVIDER_QUERY_OPERATION, provider_query),
	    {0, NULL},
	};
	static char nothing; /* the library takes NULL for a failure */

	(void)handle, (void)in;
	*out = functions;
	*provider = &nothing;
	return 1;
}

struct err
tls_provider_start(void)
{
	if (room)
		return OK;
	room = OSSL_LIB_CTX_new();
	if (room && OSSL_PROVIDER_add_builtin(room, PROVIDER, provider_init) &&
	    OSSL_PROVIDER_load(room, PROVIDER))
		return OK;
	OSSL_LIB_CTX_free(room);
	room = NULL;
	return ERR(ERR_LIBRARY, digest_library(), "tls: provider");
}

struct err
tls_provider_key(struct evp_pkey_st **out, struct evp_pkey_st *public, tls_sign *sign, void *owner,
                 uint32_t number)
{
	struct remote remote = {public, sign, owner, number};
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_octet_string(REMOTE, &remote, sizeof(remote)),
	    OSSL_PARAM_construct_end(),
	};
	const char *type = EVP_PKEY_is_a(public, "RSA") ? "RSA" : "EC";
	EVP_PKEY_CTX *context;
	int done;

	*out = NULL;
	if (!EVP_PKEY_is_a(public, type))
		return ERR(ERR_RANGE, 0, "tls: a kind of key that is not taken");
	context = EVP_PKEY_CTX_new_from_name(room, type, PROPERTIES);
	done = context && EVP_PKEY_fromdata_init(context) > 0 &&
	       EVP_PKEY_fromdata(context, out, EVP_PKEY_KEYPAIR, params) > 0;
	EVP_PKEY_CTX_free(context);
	if (done)
		return OK;
	return ERR(ERR_LIBRARY, digest_library(), "tls: key");
}
