/* certificate.c - X.509 certificates (RFC 5280): made for ourselves, and read. */
#include "crypt/certificate.h"
#include "crypt/digest.h"
#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>

#define CHAIN_MAX    262144 /* a chain in PEM; real ones have 4 to 12 KiB */
#define NAME_MAX_CN  64     /* ub-common-name, RFC 5280 appendix A.1 */
#define NAME_MAX_SAN 253

/* A name as subjectAltName holds it: printable ASCII, no white space. */
static bool
name_fits(struct bytes name, size_t max)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f)
			return false;
	return name.n > 0 && name.n <= max;
}

/* An IP address's 4 or 16 bytes when the name is one; else the name itself. */
static GENERAL_NAME *
general_name(struct bytes name)
{
	char text[NAME_MAX_SAN + 1];
	uint8_t address[16];
	GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_STRING *s;
	int type = GEN_DNS;

	memcpy(text, name.p, name.n);
	text[name.n] = 0;
	if (inet_pton(AF_INET6, text, address) == 1) {
		name = (struct bytes){address, 16};
		type = GEN_IPADD;
	} else if (inet_pton(AF_INET, text, address) == 1) {
		name = (struct bytes){address, 4};
		type = GEN_IPADD;
	}
	s = type == GEN_DNS ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
	if (!g || !s || !ASN1_STRING_set(s, name.p, (int)name.n)) {
		GENERAL_NAME_free(g);
		ASN1_STRING_free(s);
		return NULL;
	}
	GENERAL_NAME_set0_value(g, type, s);
	return g;
}

static bool
add_names(X509 *x, const struct certificate_subject *subject)
{
	GENERAL_NAMES *all = GENERAL_NAMES_new();
	bool done = all != NULL;

	for (size_t i = 0; done && i < subject->n; i++) {
		GENERAL_NAME *g = general_name(subject->names[i]);

		done = g && sk_GENERAL_NAME_push(all, g) > 0;
		if (!done)
			GENERAL_NAME_free(g);
	}
	done = done && X509_add1_ext_i2d(x, NID_subject_alt_name, all, 0, 0) == 1;
	GENERAL_NAMES_free(all);
	return done;
}

/* An extension in the library's configuration language; the values are our own literals. */
static bool
add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *ext;
	bool done;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, x, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	done = ext && X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	return done;
}

/* 20 bytes at most and positive (RFC 5280 4.1.2.2): ours have 16, the first bit cleared. */
static bool
set_serial(X509 *x, const uint8_t serial[CERTIFICATE_SERIAL])
{
	uint8_t positive[CERTIFICATE_SERIAL];
	BIGNUM *number;
	bool done;

	memcpy(positive, serial, sizeof(positive));
	positive[0] = (uint8_t)((positive[0] & 0x7f) | 0x40); /* never short, never zero */
	number = BN_bin2bn(positive, sizeof(positive), NULL);
	done = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
	BN_free(number);
	return done;
}

static bool
set_subject(X509 *x, struct bytes common_name)
{
	X509_NAME *name = X509_get_subject_name(x);

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name.p,
	                                  (int)common_name.n, -1, 0) &&
	       X509_set_issuer_name(x, name);
}

/* All but the signature. */
static bool
fill(X509 *x, const struct certificate_subject *subject, EVP_PKEY *key)
{
	time_t from = (time_t)subject->from;

	return X509_set_version(x, X509_VERSION_3) && set_serial(x, subject->serial) &&
	       X509_time_adj_ex(X509_getm_notBefore(x), 0, 0, &from) &&
	       X509_time_adj_ex(X509_getm_notAfter(x), (int)subject->days, 0, &from) &&
	       set_subject(x, subject->common_name) && X509_set_pubkey(x, key) &&
	       add_names(x, subject) &&
	       add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(x, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(x, NID_ext_key_usage, "serverAuth") &&
	       add_extension(x, NID_subject_key_identifier, "hash");
}

/* The next certificate of a chain; NULL with *bad false at its proper end. */
static X509 *
next_certificate(BIO *bio, bool *bad)
{
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	const unsigned char *p;
	long n = 0;
	X509 *x = NULL;

	if (!PEM_read_bio(bio, &name, &header, &data, &n)) {
		*bad = ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
	} else {
		p = data;
		if (strcmp(name, PEM_STRING_X509) == 0 && !*header)
			x = d2i_X509(NULL, &p, n);
		*bad = !x || p != data + n;
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(data, (size_t)n);
	ERR_clear_error();
	return x;
}

static int64_t
seconds(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) : 0;
}

struct err
certificate_make(const struct sign_key *k, const struct certificate_subject *subject,
                 struct wr *pem)
{
	X509 *x = NULL;
	BIO *bio = NULL;
	char *p = NULL;
	long n;
	struct err e = OK;

	if (!name_fits(subject->common_name, NAME_MAX_CN) || subject->n < 1 ||
	    subject->n > CERTIFICATE_NAMES_MAX || subject->days < 1 || subject->days > 36500)
		return ERR(ERR_RANGE, 0, "certificate: subject");
	for (size_t i = 0; i < subject->n; i++)
		if (!name_fits(subject->names[i], NAME_MAX_SAN))
			return ERR(ERR_RANGE, 0, "certificate: name");
	x = X509_new();
	bio = BIO_new(BIO_s_mem());
	if (!x || !bio || !fill(x, subject, sign_key_native(k)) ||
	    !X509_sign(x, sign_key_native(k), EVP_sha256()) || !PEM_write_bio_X509(bio, x)) {
		e = ERR(ERR_LIBRARY, digest_library(), "certificate: make");
		goto out;
	}
	n = BIO_get_mem_data(bio, &p);
	wr_bytes(pem, (struct bytes){(const uint8_t *)p, (size_t)n});
	if (pem->full)
		e = ERR(ERR_FULL, 0, "certificate: make");
out:
	BIO_free(bio);
	X509_free(x);
	return e;
}

struct err
certificate_chain_read(struct bytes pem, struct certificate_chain *out)
{
	BIO *bio;
	X509 *x;
	bool bad = false;

	*out = (struct certificate_chain){{NULL}, 0};
	if (pem.n == 0 || pem.n > CHAIN_MAX)
		return ERR(ERR_SYNTAX, 0, "certificate: no PEM");
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (!bio)
		return ERR(ERR_LIBRARY, digest_library(), "certificate: read");
	while (!bad && (x = next_certificate(bio, &bad))) {
		bad = bad || out->n == CERTIFICATE_CHAIN;
		if (bad)
			X509_free(x);
		else
			out->all[out->n++] = x;
	}
	BIO_free(bio);
	if (!bad && out->n)
		return OK;
	certificate_chain_free(out);
	return ERR(ERR_SYNTAX, 0, "certificate: not a chain in PEM");
}

void
certificate_chain_free(struct certificate_chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		X509_free(c->all[i]);
	c->n = 0;
}

struct err
certificate_read(struct bytes chain_pem, struct certificate *out)
{
	struct certificate_chain chain;
	struct err e = certificate_chain_read(chain_pem, &chain);

	*out = (struct certificate){0, 0, 0};
	if (!is_ok(e))
		return e;
	*out = (struct certificate){seconds(X509_get0_notBefore(chain.all[0])),
	                            seconds(X509_get0_notAfter(chain.all[0])), chain.n};
	certificate_chain_free(&chain);
	return OK;
}

struct err
certificate_check(struct bytes chain_pem, struct bytes public_der)
{
	const unsigned char *p = public_der.p;
	EVP_PKEY *key = NULL;
	struct certificate_chain chain;
	struct err e = certificate_chain_read(chain_pem, &chain);

	if (!is_ok(e))
		return e;
	if (public_der.n > 0 && public_der.n <= SIGN_PUBLIC_MAX)
		key = d2i_PUBKEY(NULL, &p, (long)public_der.n);
	if (!key)
		e = ERR(ERR_SYNTAX, digest_library(), "certificate: no public key");
	else if (EVP_PKEY_eq(X509_get0_pubkey(chain.all[0]), key) != 1)
		e = ERR(ERR_DENIED, 0, "certificate: of another key");
	ERR_clear_error();
	EVP_PKEY_free(key);
	certificate_chain_free(&chain);
	return e;
}
