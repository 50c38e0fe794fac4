/* keys.c - a private key is read from its folder alone, and signs what its purpose allows. */
#include "guard/keys.h"

#include "crypt/certificate.h"
#include "crypt/digest.h"
#include "crypt/sign.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

struct place {
	char dir[64];
	int folder;
	struct keys *keys;
	uint8_t pem[2][CERTIFICATE_MAX];
	struct bytes certificate[2]; /* of the keys "one" and "two" */
};

static void
put(struct place *p, const char *name, struct bytes text)
{
	int fd = openat(p->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.p, text.n), (ssize_t)text.n);
	close(fd);
}

static void
make(struct place *p, const char *name, int number)
{
	const struct bytes host = BYTES("mail.example.org");
	const struct certificate_subject subject = {
	    .common_name = host, .names = &host, .n = 1, .from = 1700000000, .days = 30};
	uint8_t room[SIGN_PEM_MAX];
	struct wr w = wr_of(room, sizeof(room)), c = wr_of(p->pem[number], CERTIFICATE_MAX);
	struct sign_key *key;

	assert_true(is_ok(sign_key_generate(&key)));
	assert_true(is_ok(sign_key_save(key, &w)));
	assert_true(is_ok(certificate_make(key, &subject, &c)));
	p->certificate[number] = wr_since(&c, p->pem[number]);
	put(p, name, wr_since(&w, room));
	sign_key_free(key);
}

static void
init(struct place *p)
{
	snprintf(p->dir, sizeof(p->dir), "/tmp/stead-keys-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	p->folder = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->folder >= 0);
	make(p, "one", 0);
	make(p, "two", 1);
	assert_true(is_ok(keys_open(&p->keys)));
}

static void
fini(struct place *p)
{
	static const char *const files[] = {"one", "two", "empty", "text", "large", "link"};

	keys_close(p->keys);
	keys_close(NULL);
	for (size_t i = 0; i < COUNT(files); i++)
		unlinkat(p->folder, files[i], 0);
	unlinkat(p->folder, "folder", AT_REMOVEDIR);
	close(p->folder);
	assert_int_equal(rmdir(p->dir), 0);
}

/* What TLS 1.3 has its server sign: RFC 8446 4.4.3. */
static struct bytes
handshake(uint8_t room[64 + 34 + 32])
{
	struct wr w = wr_of(room, 64 + 34 + 32);

	for (int i = 0; i < 64; i++)
		wr_u8(&w, ' ');
	wr_text(&w, "TLS 1.3, server CertificateVerify");
	wr_u8(&w, 0);
	for (int i = 0; i < 32; i++)
		wr_u8(&w, (uint8_t)i);
	assert_false(w.full);
	return wr_since(&w, room);
}

static struct err
sign(struct place *p, uint32_t key, uint16_t scheme, struct bytes message)
{
	uint8_t room[1024];
	struct wr w = wr_of(room, sizeof(room));
	struct err e = keys_sign(p->keys, key, scheme, message, &w);

	assert_true(is_ok(e) == (wr_since(&w, room).n > 0));
	return e;
}

static void
a_key_goes_with_its_certificate(void **state)
{
	uint8_t room[130];
	struct bytes message = handshake(room);
	struct place p;

	(void)state;
	init(&p);
	assert_int_equal(sign(&p, KEYS_TLS, SIGN_ECDSA_P256_SHA256, message).code, ERR_NOTFOUND);
	assert_int_equal(keys_load_tls(p.keys, p.folder, BYTES("two"), p.certificate[0]).code,
	                 ERR_DENIED);
	assert_int_equal(sign(&p, KEYS_TLS, SIGN_ECDSA_P256_SHA256, message).code, ERR_NOTFOUND);
	assert_true(is_ok(keys_load_tls(p.keys, p.folder, BYTES("one"), p.certificate[0])));
	assert_true(is_ok(sign(&p, KEYS_TLS, SIGN_ECDSA_P256_SHA256, message)));
	/* replaced, and then not: the one before stays */
	assert_true(is_ok(keys_load_tls(p.keys, p.folder, BYTES("two"), p.certificate[1])));
	assert_int_equal(keys_load_tls(p.keys, p.folder, BYTES("two"), p.certificate[0]).code,
	                 ERR_DENIED);
	assert_true(is_ok(sign(&p, KEYS_TLS, SIGN_ECDSA_P256_SHA256, message)));
	fini(&p);
}

static void
only_handshakes_are_signed(void **state)
{
	uint8_t room[130];
	struct bytes message = handshake(room);
	struct place p;

	(void)state;
	init(&p);
	assert_true(is_ok(keys_load_tls(p.keys, p.folder, BYTES("one"), p.certificate[0])));
	assert_int_equal(sign(&p, 1, SIGN_ECDSA_P256_SHA256, message).code, ERR_NOTFOUND);
	assert_int_equal(sign(&p, UINT32_MAX, SIGN_ECDSA_P256_SHA256, message).code, ERR_NOTFOUND);
	assert_int_equal(sign(&p, KEYS_TLS, SIGN_ECDSA_P384_SHA384, message).code, ERR_DENIED);
	assert_int_equal(sign(&p, KEYS_TLS, SIGN_RSA_PSS_SHA256, message).code, ERR_DENIED);
	assert_int_equal(sign(&p, KEYS_TLS, 0, message).code, ERR_DENIED);
	assert_int_equal(sign(&p, KEYS_TLS, SIGN_ECDSA_P256_SHA256, BYTES("a contract")).code,
	                 ERR_DENIED);
	assert_int_equal(sign(&p, KEYS_TLS, SIGN_ECDSA_P256_SHA256, NO_BYTES).code, ERR_DENIED);
	fini(&p);
}

static void
without_a_certificate_no_key_is_needed(void **state)
{
	struct place p;

	(void)state;
	init(&p);
	assert_true(is_ok(keys_load_tls(p.keys, p.folder, BYTES("nowhere"), NO_BYTES)));
	assert_int_equal(sign(&p, KEYS_TLS, SIGN_ECDSA_P256_SHA256, NO_BYTES).code, ERR_NOTFOUND);
	fini(&p);
}

static void
what_is_no_key_in_the_folder_is_refused(void **state)
{
	static uint8_t large[64 * 1024];
	static char long_name[300];
	struct place p;
	static const struct {
		const char *name;
		int code;
	} rows[] = {
	    {"nowhere", ERR_NOTFOUND}, {"", ERR_NOTFOUND},
	    {"../one", ERR_NOTFOUND},  {"/etc/passwd", ERR_NOTFOUND},
	    {"./one", ERR_NOTFOUND},   {long_name, ERR_NOTFOUND},
	    {"empty", ERR_SYNTAX},     {"text", ERR_SYNTAX},
	    {"large", ERR_SYNTAX},     {"link", ERR_IO},
	    {"folder", ERR_IO},        {"..", ERR_IO},
	};

	(void)state;
	init(&p);
	for (size_t i = 0; i < sizeof(long_name) - 1; i++)
		long_name[i] = 'x';
	put(&p, "empty", NO_BYTES);
	put(&p, "text", BYTES("-----BEGIN PRIVATE KEY-----\nnone\n-----END PRIVATE KEY-----\n"));
	put(&p, "large", (struct bytes){large, sizeof(large)});
	assert_int_equal(symlinkat("one", p.folder, "link"), 0);
	assert_int_equal(mkdirat(p.folder, "folder", 0700), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e =
		    keys_load_tls(p.keys, p.folder, bytes_of(rows[i].name), p.certificate[0]);

		if (e.code != rows[i].code)
			fail_msg("row %zu: %d, %s", i, e.code, e.why);
	}
	assert_int_equal(keys_load_tls(p.keys, p.folder, NO_BYTES, p.certificate[0]).code,
	                 ERR_NOTFOUND);
	assert_int_equal(keys_load_tls(p.keys, p.folder, BYTES("one"), BYTES("no PEM")).code,
	                 ERR_SYNTAX);
	fini(&p);
}

static void
a_signature_needs_room(void **state)
{
	uint8_t room[130], small[8];
	struct bytes message = handshake(room);
	struct wr w = wr_of(small, sizeof(small));
	struct place p;

	(void)state;
	init(&p);
	assert_true(is_ok(keys_load_tls(p.keys, p.folder, BYTES("one"), p.certificate[0])));
	assert_int_equal(keys_sign(p.keys, KEYS_TLS, SIGN_ECDSA_P256_SHA256, message, &w).code,
	                 ERR_FULL);
	fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_key_goes_with_its_certificate),
	    cmocka_unit_test(only_handshakes_are_signed),
	    cmocka_unit_test(without_a_certificate_no_key_is_needed),
	    cmocka_unit_test(what_is_no_key_in_the_folder_is_refused),
	    cmocka_unit_test(a_signature_needs_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
