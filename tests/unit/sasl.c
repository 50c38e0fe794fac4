/* sasl.c - exchanges, line by line, and SCRAM against a client that computes. */
#include "../play_sasl.h"

#include "base/base64.h"
#include "crypt/password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static const uint8_t nonce[SASL_NONCE] = "server nonce here";
#define SNONCE "c2VydmVyIG5vbmNlIGhlcmUA"
#define SERVER "r=CNONCE" SNONCE ",s=c2FsdCBvZiBzb21lYm9keQ==,i=4096"

static void
encode(struct wr *w, const char *text, size_t n)
{
	base64_encode(w, (struct bytes){(const uint8_t *)text, n});
}

/*
 * Messages as text, "|" between two, "~" for a NUL, "*" sent as it is, "!" in front: not encoded;
 * a first one of "-": there is no initial response.
 */
static const struct {
	enum sasl_mechanism mechanism;
	const char *client;
	const char *trace; /* challenges, questions, the end */
} talks[] = {
    /* PLAIN */
    {SASL_PLAIN, "~bob~secret", "[P bob secret]done"},
    {SASL_PLAIN, "-|~bob~secret", "()[P bob secret]done"},
    {SASL_PLAIN, "bob~bob~secret", "[P bob secret]done"},
    {SASL_PLAIN, "alice~bob~secret", "535"},
    {SASL_PLAIN, "bo~bob~secret", "535"},
    {SASL_PLAIN, "~bob~wrong", "[P bob wrong]535"},
    {SASL_PLAIN, "~eve~secret", "[P eve secret]535"},
    {SASL_PLAIN, "~later~x", "[P later x]454"},
    {SASL_PLAIN, "bob~secret", "501"},
    {SASL_PLAIN, "~bob", "501"},
    {SASL_PLAIN, "~bob~", "501"},
    {SASL_PLAIN, "~~secret", "501"},
    {SASL_PLAIN, "~bob~sec~ret", "501"},
    {SASL_PLAIN, "", "501"},
    {SASL_PLAIN, "-|", "()501"},
    {SASL_PLAIN, "-|*", "()501*"},
    {SASL_PLAIN, "!=", "501"},
    /* LOGIN */
    {SASL_LOGIN, "-|bob|secret", "(Username:)(Password:)[P bob secret]done"},
    {SASL_LOGIN, "bob|secret", "(Password:)[P bob secret]done"},
    {SASL_LOGIN, "-|bob|*", "(Username:)(Password:)501*"},
    {SASL_LOGIN, "-|bob|wrong", "(Username:)(Password:)[P bob wrong]535"},
    {SASL_LOGIN, "-||", "(Username:)(Password:)[P  ]535"},
    {SASL_LOGIN, "-|bob|!secret", "(Username:)(Password:)501"},
    /* SCRAM-SHA-256 */
    {SASL_SCRAM_SHA_256, "n,,n=bob,r=CNONCE|c=biws,r=CNONCE" SNONCE ",p=PROOF|",
     "[S bob](" SERVER ")[V n=bob,r=CNONCE," SERVER ",c=biws,r=CNONCE" SNONCE "](v=SIGNATURE)done"},
    {SASL_SCRAM_SHA_256, "-|y,,n=bob,r=CNONCE|c=eSws,r=CNONCE" SNONCE ",p=PROOF|",
     "()[S bob](" SERVER ")[V n=bob,r=CNONCE," SERVER ",c=eSws,r=CNONCE" SNONCE
     "](v=SIGNATURE)done"},
    {SASL_SCRAM_SHA_256,
     "n,a=bob,n=bob,r=CNONCE,x=ext|c=bixhPWJvYiw=,r=CNONCE" SNONCE ",y=ext,p=PROOF|",
     "[S bob](" SERVER ")[V n=bob,r=CNONCE,x=ext," SERVER ",c=bixhPWJvYiw=,r=CNONCE" SNONCE
     ",y=ext](v=SIGNATURE)done"},
    {SASL_SCRAM_SHA_256, "n,,n=a=2Cb=3Dc,r=CNONCE|*", "[S a,b=c](" SERVER ")501*"},
    {SASL_SCRAM_SHA_256, "n,,n=bob,r=CNONCE|c=biws,r=CNONCE" SNONCE ",p=PROOF|*",
     "[S bob](" SERVER ")[V n=bob,r=CNONCE," SERVER ",c=biws,r=CNONCE" SNONCE "](v=SIGNATURE)501*"},
    {SASL_SCRAM_SHA_256, "n,,n=bob,r=CNONCE|c=biws,r=CNONCE" SNONCE ",p=PROOF|x",
     "[S bob](" SERVER ")[V n=bob,r=CNONCE," SERVER ",c=biws,r=CNONCE" SNONCE "](v=SIGNATURE)501"},
    {SASL_SCRAM_SHA_256, "n,,n=later,r=CNONCE", "[S later]454"},
};

/* One message as the line that carries it. */
static struct bytes
line_of(struct bytes text, uint8_t *room, size_t size)
{
	struct wr w = wr_of(room, size);
	uint8_t plain[4096];
	size_t n = 0;

	if (bytes_eq(text, BYTES("*")))
		return text;
	if (text.n && text.p[0] == '!')
		return (struct bytes){text.p + 1, text.n - 1};
	for (size_t i = 0; i < text.n; i++) {
		static const char proof[] = "PROOF";
		struct bytes rest = {text.p + i, text.n - i};

		if (rest.n >= 5 && memcmp(rest.p, proof, 5) == 0) {
			struct wr p = wr_of(plain + n, sizeof(plain) - n);

			encode(&p, PLAY_PROOF, 32);
			n = (size_t)(p.p - plain);
			i += 4;
		} else {
			plain[n++] = text.p[i] == '~' ? 0 : text.p[i];
		}
	}
	base64_encode(&w, (struct bytes){plain, n});
	assert_false(w.full);
	return wr_since(&w, room);
}

static void
trace_challenge(struct sasl *x, struct wr *trace)
{
	uint8_t room[SASL_CHALLENGE_MAX];
	struct wr w = wr_of(room, sizeof(room));

	sasl_challenge(x, &w);
	assert_false(w.full);
	wr_text(trace, "(");
	assert_true(base64_decode(trace, wr_since(&w, room)));
	wr_text(trace, ")");
}

/* Answers what is asked until a challenge or an end, and notes it all. */
static enum sasl_want
settle(struct sasl *x, enum sasl_want want, struct wr *trace)
{
	static const char *const failures[] = {[SASL_BY_PASSWORD] = "535",
	                                       [SASL_BY_SYNTAX] = "501",
	                                       [SASL_BY_CLIENT] = "501*",
	                                       [SASL_BY_US] = "454"};

	while (want == SASL_PASSWORD || want == SASL_SALT || want == SASL_PROOF) {
		wr_text(trace, want == SASL_PASSWORD ? "[P " : want == SASL_SALT ? "[S " : "[V ");
		wr_bytes(trace, want == SASL_PROOF ? sasl_message(x) : sasl_name(x));
		if (want == SASL_PASSWORD) {
			wr_text(trace, " ");
			wr_bytes(trace, sasl_password(x));
		}
		wr_text(trace, "]");
		sasl_play_answer(x);
		want = sasl_want(x);
	}
	if (want == SASL_CHALLENGE)
		trace_challenge(x, trace);
	else
		wr_text(trace, want == SASL_DONE ? "done" : failures[sasl_failure(x)]);
	return want;
}

static bool
next_message(const char **client, struct bytes *out)
{
	const char *end;

	if (!*client)
		return false;
	end = strchr(*client, '|');
	*out = (struct bytes){(const uint8_t *)*client,
	                      end ? (size_t)(end - *client) : strlen(*client)};
	*client = end ? end + 1 : NULL;
	return true;
}

static void
play(enum sasl_mechanism mechanism, const char *client, struct wr *trace)
{
	struct sasl *x = sasl_new(mechanism, nonce);
	uint8_t room[8192];
	struct bytes text, line;
	enum sasl_want want;

	assert_non_null(x);
	assert_true(next_message(&client, &text));
	if (bytes_eq(text, BYTES("-"))) {
		want = sasl_begin(x, NULL);
	} else {
		line = text.n ? line_of(text, room, sizeof(room)) : BYTES("=");
		want = sasl_begin(x, &line);
	}
	want = settle(x, want, trace);
	while (want == SASL_CHALLENGE && next_message(&client, &text)) {
		uint8_t *copy;

		line = line_of(text, room, sizeof(room));
		copy = malloc(line.n + 1); /* of its own size, and gone before the answer */
		assert_non_null(copy);
		memcpy(copy, line.p, line.n);
		want = sasl_line(x, (struct bytes){copy, line.n});
		free(copy);
		want = settle(x, want, trace);
	}
	assert_null(want == SASL_CHALLENGE ? NULL : client);
	sasl_free(x);
}

static void
exchanges(void **state)
{
	uint8_t room[8192], want_room[8192];

	(void)state;
	for (size_t i = 0; i < COUNT(talks); i++) {
		struct wr trace = wr_of(room, sizeof(room)),
			  want = wr_of(want_room, sizeof(want_room));
		const char *mark = strstr(talks[i].trace, "SIGNATURE");

		play(talks[i].mechanism, talks[i].client, &trace);
		if (mark) {
			wr_bytes(&want, (struct bytes){(const uint8_t *)talks[i].trace,
			                               (size_t)(mark - talks[i].trace)});
			encode(&want, PLAY_SIGNATURE, 32);
			wr_text(&want, mark + strlen("SIGNATURE"));
		} else {
			wr_text(&want, talks[i].trace);
		}
		wr_u8(&trace, 0);
		wr_u8(&want, 0);
		assert_string_equal(room, want_room);
	}
}

static void
mechanisms_have_names(void **state)
{
	enum sasl_mechanism m = SASL_PLAIN;

	(void)state;
	assert_true(sasl_mechanism(BYTES("scram-sha-256"), &m) && m == SASL_SCRAM_SHA_256);
	assert_true(sasl_mechanism(BYTES("Plain"), &m) && m == SASL_PLAIN);
	assert_true(sasl_mechanism(BYTES("LOGIN"), &m) && m == SASL_LOGIN);
	assert_false(sasl_mechanism(BYTES("SCRAM-SHA-256-PLUS"), &m));
	assert_false(sasl_mechanism(BYTES("CRAM-MD5"), &m));
	assert_false(sasl_mechanism(NO_BYTES, &m));
}

/* ---- a client that computes (RFC 5802 3) ---- */

static struct bytes
all(const uint8_t d[DIGEST_SIZE])
{
	return (struct bytes){d, DIGEST_SIZE};
}

static void
proof_of(struct bytes password, const struct password_record *r, struct bytes message,
         uint8_t proof[DIGEST_SIZE])
{
	uint8_t salted[DIGEST_SIZE], client[DIGEST_SIZE], stored[DIGEST_SIZE];
	struct bytes salt = {r->salt, sizeof(r->salt)};

	assert_true(is_ok(digest_pbkdf2(password, salt, r->iterations, salted)));
	assert_true(is_ok(digest_hmac(all(salted), BYTES("Client Key"), client)));
	assert_true(is_ok(digest_sha256(all(client), stored)));
	assert_true(is_ok(digest_hmac(all(stored), message, proof)));
	for (size_t i = 0; i < DIGEST_SIZE; i++)
		proof[i] ^= client[i];
}

static enum sasl_want
send_line(struct sasl *x, struct bytes message)
{
	uint8_t room[4096];
	struct wr w = wr_of(room, sizeof(room));

	base64_encode(&w, message);
	return sasl_line(x, wr_since(&w, room));
}

/* The whole exchange with the record of `right`, by who knows `said`. */
static enum sasl_want
scram(struct bytes right, struct bytes said)
{
	static const uint8_t salts[PASSWORD_RANDOM] = {1, 2, 3, 4};
	struct sasl *x = sasl_new(SASL_SCRAM_SHA_256, nonce);
	uint8_t text[1024], message[1024], proof[DIGEST_SIZE], signature[DIGEST_SIZE];
	struct wr w = wr_of(text, sizeof(text)), m = wr_of(message, sizeof(message));
	struct password_record r;
	enum sasl_want want;
	struct err e;

	assert_true(is_ok(password_make(right, PASSWORD_COST_MIN, salts, &r)));
	assert_int_equal(sasl_begin(x, NULL), SASL_CHALLENGE);
	assert_int_equal(send_line(x, BYTES("n,,n=bob,r=CNONCE")), SASL_SALT);
	sasl_salt(x, (struct bytes){r.salt, sizeof(r.salt)}, r.iterations);
	assert_int_equal(sasl_want(x), SASL_CHALLENGE);
	wr_text(&m, "n=bob,r=CNONCE,r=CNONCE" SNONCE ",s=");
	base64_encode(&m, (struct bytes){r.salt, sizeof(r.salt)});
	wr_printf(&m, ",i=%u,c=biws,r=CNONCE" SNONCE, (unsigned)r.iterations);
	proof_of(said, &r, wr_since(&m, message), proof);
	wr_text(&w, "c=biws,r=CNONCE" SNONCE ",p=");
	base64_encode(&w, all(proof));
	assert_int_equal(send_line(x, wr_since(&w, text)), SASL_PROOF);
	assert_true(bytes_eq(sasl_message(x), wr_since(&m, message)));
	e = password_scram(&r, sasl_message(x), sasl_proof(x), signature);
	if (is_ok(e))
		sasl_signature(x, all(signature));
	else
		sasl_answer(x, SASL_DENIED);
	want = sasl_want(x);
	if (want == SASL_CHALLENGE)
		want = sasl_line(x, NO_BYTES);
	sasl_free(x);
	return want;
}

static void
scram_knows_who_knows_the_password(void **state)
{
	(void)state;
	assert_int_equal(scram(BYTES("secret"), BYTES("secret")), SASL_DONE);
	assert_int_equal(scram(BYTES("secret"), BYTES("Secret")), SASL_FAILED);
}

/* The longest of each that is taken, and one octet more. */
static void
limits(void **state)
{
	uint8_t message[SASL_NAME_MAX + SASL_SECRET_MAX + 4], room[4096];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		size_t name = SASL_NAME_MAX + (i == 1), secret = SASL_SECRET_MAX + (i == 2);
		struct sasl *x = sasl_new(SASL_PLAIN, nonce);
		struct wr w = wr_of(room, sizeof(room));
		struct bytes line;

		memset(message, 'x', sizeof(message));
		message[0] = message[1 + name] = 0;
		base64_encode(&w, (struct bytes){message, 2 + name + secret});
		line = wr_since(&w, room);
		assert_true(line.n <= SASL_LINE_MAX);
		assert_int_equal(sasl_begin(x, &line), i && i < 3 ? SASL_FAILED : SASL_PASSWORD);
		if (i && i < 3)
			assert_int_equal(sasl_failure(x), SASL_BY_PASSWORD);
		else
			assert_int_equal(sasl_password(x).n, SASL_SECRET_MAX);
		sasl_free(x);
	}
	sasl_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(exchanges),
	    cmocka_unit_test(mechanisms_have_names),
	    cmocka_unit_test(scram_knows_who_knows_the_password),
	    cmocka_unit_test(limits),
	};

	if (!is_ok(digest_start()))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
