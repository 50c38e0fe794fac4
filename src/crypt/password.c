/*
 * password.c - hashes by crypt(3), verifiers of SCRAM-SHA-256.
 *
 * crypt(3) takes 511 bytes at most; what is longer goes through HMAC-SHA-256 first, so that each
 * byte counts.  bcrypt looks at 72: a longer password never opens a bcrypt hash (attack 95).
 */
#include "crypt/password.h"
#include <crypt.h>
#include <errno.h>
#include <stdlib.h>

#define VERSION        1
#define CRYPT_MOST     (CRYPT_MAX_PASSPHRASE_SIZE - 1)
#define ITERATIONS_MIN 4096 /* RFC 7677 4 */
#define ITERATIONS_MAX 10000000
#define ROUNDS_MAX     1000000 /* of SHA-crypt: half a second */
#define BCRYPT_MAX     14      /* likewise */

enum kind { YESCRYPT, SCRYPT, BCRYPT, SHA, MD5 };

/* Which foreign hashes are taken: how each begins, and how much stands behind its last "$". */
static const struct foreign {
	const char *prefix;
	enum kind kind;
	size_t tail;
	size_t longest; /* the most bytes of a password that it looks at */
} foreigns[] = {
    {"$y$", YESCRYPT, 43, PASSWORD_MAX},
    {"$gy$", YESCRYPT, 43, PASSWORD_MAX},
    {"$7$", SCRYPT, 43, PASSWORD_MAX},
    {"$2b$", BCRYPT, 53, 72},
    {"$2a$", BCRYPT, 53, 72},
    {"$2y$", BCRYPT, 53, 72},
    {"$6$", SHA, 86, PASSWORD_MAX},
    {"$5$", SHA, 43, PASSWORD_MAX},
    {"$1$", MD5, 22, PASSWORD_MAX},
};

static const struct foreign *
foreign_find(struct bytes hash)
{
	for (size_t i = 0; i < COUNT(foreigns); i++) {
		struct bytes prefix = bytes_of(foreigns[i].prefix);

		if (hash.n > prefix.n && memcmp(hash.p, prefix.p, prefix.n) == 0)
			return &foreigns[i];
	}
	return NULL;
}

/* Takes as many bytes as the text has: are they it? */
static bool
next_is(struct rd *r, const char *text)
{
	return bytes_eq(rd_take(r, strlen(text)), bytes_of(text));
}

/* A decimal number up to `max`, and the "$" behind it. */
static bool
number_fits(struct rd *r, uint32_t max)
{
	uint32_t v = 0;

	for (;;) {
		uint8_t c = rd_u8(r);

		if (c == '$')
			return true;
		if (c < '0' || c > '9')
			return false;
		v = v * 10 + (uint32_t)(c - '0');
		if (v > max)
			return false;
	}
}

/* Would the checker be done within a second or so, and within a GiB? */
static bool
cost_fits(const struct foreign *f, struct bytes hash)
{
	struct rd r = rd_of(hash);
	struct rd rounds;
	uint8_t n;

	(void)rd_take(&r, strlen(f->prefix));
	rounds = r;
	switch (f->kind) {
	case YESCRYPT: /* what crypt_gensalt() writes: "j", log2(N) - 1, r of 8 or 32 */
		if (rd_u8(&r) != 'j')
			return false;
		n = rd_u8(&r);
		if (!((n >= '0' && n <= '9') || (n >= 'A' && n <= 'F')))
			return false;
		n = rd_u8(&r);
		return (n == '5' || n == 'T') && next_is(&r, "$");
	case SCRYPT: /* log2(N), r of 32, p of 1 */
		n = rd_u8(&r);
		return ((n >= '0' && n <= '9') || (n >= 'A' && n <= 'G')) &&
		       next_is(&r, "U..../....");
	case BCRYPT:
		return number_fits(&r, BCRYPT_MAX);
	case SHA:
		return !next_is(&rounds, "rounds=") || number_fits(&rounds, ROUNDS_MAX);
	case MD5:
		return true;
	}
	return false;
}

static struct err
password_fits(struct bytes p)
{
	if (p.n > PASSWORD_MAX)
		return ERR(ERR_RANGE, 0, "password: too long");
	if (p.n == 0 || memchr(p.p, 0, p.n))
		return ERR(ERR_SYNTAX, 0, "password: empty, or with a NUL");
	return OK;
}

/* The password as crypt(3) takes it: a text of at most CRYPT_MOST bytes and its NUL. */
static struct err
password_text(struct bytes password, char text[CRYPT_MAX_PASSPHRASE_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t sum[DIGEST_SIZE];
	struct err e;

	if (password.n <= CRYPT_MOST) {
		memcpy(text, password.p, password.n);
		text[password.n] = 0;
		return OK;
	}
	e = digest_hmac(BYTES("stead: a password longer than crypt(3) takes"), password, sum);
	for (size_t i = 0; i < sizeof(sum); i++) {
		text[2 * i] = digits[sum[i] >> 4];
		text[2 * i + 1] = digits[sum[i] & 15];
	}
	text[2 * sizeof(sum)] = 0;
	digest_wipe(sum, sizeof(sum));
	return e;
}

/* crypt(3) of the password with the setting (a hash will do) into `hash`. */
static struct err
password_hash(struct bytes password, const char *setting, char hash[PASSWORD_HASH_MAX])
{
	char text[CRYPT_MAX_PASSPHRASE_SIZE];
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *made;
	struct err e;

	if (!data)
		return ERR(ERR_MEMORY, 0, "password: crypt");
	e = password_text(password, text);
	if (!is_ok(e))
		goto out;
	made = crypt_rn(text, setting, data, sizeof(*data));
	if (!made || strlen(made) >= PASSWORD_HASH_MAX) {
		e = ERR(errno == ENOMEM ? ERR_MEMORY : ERR_LIBRARY, errno, "password: crypt");
		goto out;
	}
	memcpy(hash, made, strlen(made) + 1);
out:
	digest_wipe(text, sizeof(text));
	digest_wipe(data, sizeof(*data));
	free(data);
	return e;
}

/* StoredKey and ServerKey, RFC 5802 3. */
static struct err
scram_make(struct bytes password, struct password_record *r)
{
	uint8_t salted[DIGEST_SIZE], client_key[DIGEST_SIZE];
	struct err e;

	e = digest_pbkdf2(password, (struct bytes){r->salt, sizeof(r->salt)}, r->iterations,
	                  salted);
	if (is_ok(e))
		e = digest_hmac((struct bytes){salted, sizeof(salted)}, BYTES("Client Key"),
		                client_key);
	if (is_ok(e))
		e = digest_sha256((struct bytes){client_key, sizeof(client_key)}, r->stored_key);
	if (is_ok(e))
		e = digest_hmac((struct bytes){salted, sizeof(salted)}, BYTES("Server Key"),
		                r->server_key);
	digest_wipe(salted, sizeof(salted));
	digest_wipe(client_key, sizeof(client_key));
	return e;
}

static void
unpack_field(struct rd *r, uint8_t *out, size_t n)
{
	struct bytes b = rd_take(r, n);

	if (b.n)
		memcpy(out, b.p, b.n);
}

struct err
password_make(struct bytes password, unsigned cost, const uint8_t random[PASSWORD_RANDOM],
              struct password_record *out)
{
	char salt[PASSWORD_SALT], setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct err e = password_fits(password);

	*out = (struct password_record){.has_scram = true, .iterations = PASSWORD_ITERATIONS};
	if (!is_ok(e))
		return e;
	if (cost < PASSWORD_COST_MIN || cost > PASSWORD_COST_MAX)
		return ERR(ERR_RANGE, 0, "password: cost");
	memcpy(salt, random, PASSWORD_SALT);
	memcpy(out->salt, random + PASSWORD_SALT, PASSWORD_SALT);
	if (!crypt_gensalt_rn("$y$", cost, salt, sizeof(salt), setting, sizeof(setting)))
		return ERR(ERR_LIBRARY, errno, "password: gensalt");
	e = password_hash(password, setting, out->hash);
	if (is_ok(e))
		e = scram_make(password, out);
	return e;
}

struct err
password_import(struct bytes hash, struct password_record *out)
{
	const struct foreign *f = foreign_find(hash);
	size_t tail = 0;

	*out = (struct password_record){0};
	if (!f || hash.n >= PASSWORD_HASH_MAX || memchr(hash.p, 0, hash.n))
		return ERR(ERR_SYNTAX, 0, "password: not a hash that is known");
	while (tail < hash.n && hash.p[hash.n - tail - 1] != '$')
		tail++;
	memcpy(out->hash, hash.p, hash.n);
	if (tail != f->tail || crypt_checksalt(out->hash) == CRYPT_SALT_INVALID) {
		*out = (struct password_record){0};
		return ERR(ERR_SYNTAX, 0, "password: not a whole hash");
	}
	if (!cost_fits(f, hash)) {
		*out = (struct password_record){0};
		return ERR(ERR_RANGE, 0, "password: a hash too dear to check");
	}
	return OK;
}

struct err
password_dummy(unsigned cost, const uint8_t random[PASSWORD_RANDOM], struct password_record *out)
{
	uint8_t secret[PASSWORD_RANDOM];
	struct err e;

	/* Its password is made of the same random bytes, by a way that nobody goes back. */
	e = digest_hmac((struct bytes){random, PASSWORD_RANDOM}, BYTES("nobody's password"),
	                secret);
	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] |= 1; /* no NUL */
	if (is_ok(e))
		e = password_make((struct bytes){secret, sizeof(secret)}, cost, random, out);
	digest_wipe(secret, sizeof(secret));
	return e;
}

struct err
password_check(const struct password_record *r, struct bytes password)
{
	const struct foreign *f = foreign_find(bytes_of(r->hash));
	char hash[PASSWORD_HASH_MAX];
	struct err e;
	bool same;

	if (!is_ok(password_fits(password)) || !f)
		return ERR(ERR_DENIED, 0, "password");
	e = password_hash(password, r->hash, hash);
	if (!is_ok(e))
		return e;
	same = digest_eq(bytes_of(hash), bytes_of(r->hash));
	digest_wipe(hash, sizeof(hash));
	if (!same || password.n > f->longest)
		return ERR(ERR_DENIED, 0, "password");
	return OK;
}

struct err
password_scram(const struct password_record *r, struct bytes auth_message, struct bytes proof,
               uint8_t signature[DIGEST_SIZE])
{
	uint8_t key[DIGEST_SIZE], stored[DIGEST_SIZE];
	struct bytes want = {r->stored_key, DIGEST_SIZE};
	struct err e;

	memset(signature, 0, DIGEST_SIZE);
	if (!r->has_scram || proof.n != DIGEST_SIZE)
		return ERR(ERR_DENIED, 0, "scram");
	e = digest_hmac(want, auth_message, key); /* ClientSignature */
	for (size_t i = 0; i < DIGEST_SIZE; i++)
		key[i] ^= proof.p[i]; /* ClientKey, if the proof is one */
	if (is_ok(e))
		e = digest_sha256((struct bytes){key, sizeof(key)}, stored);
	digest_wipe(key, sizeof(key));
	if (!is_ok(e))
		return e;
	if (!digest_eq(want, (struct bytes){stored, sizeof(stored)}))
		return ERR(ERR_DENIED, 0, "scram");
	return digest_hmac((struct bytes){r->server_key, DIGEST_SIZE}, auth_message, signature);
}

void
password_pack(struct wr *w, const struct password_record *r)
{
	wr_u8(w, VERSION);
	wr_bytes16(w, bytes_of(r->hash));
	wr_u8(w, r->has_scram);
	if (!r->has_scram)
		return;
	wr_u32(w, r->iterations);
	wr_bytes(w, (struct bytes){r->salt, sizeof(r->salt)});
	wr_bytes(w, (struct bytes){r->stored_key, sizeof(r->stored_key)});
	wr_bytes(w, (struct bytes){r->server_key, sizeof(r->server_key)});
}

struct err
password_unpack(struct rd *r, struct password_record *out)
{
	uint8_t version = rd_u8(r);
	struct bytes hash = rd_bytes16(r);
	uint8_t has_scram = rd_u8(r);
	bool bad = version != VERSION || has_scram > 1 || hash.n == 0 ||
	           hash.n >= PASSWORD_HASH_MAX || memchr(hash.p, 0, hash.n);

	*out = (struct password_record){.has_scram = has_scram == 1};
	if (!bad)
		memcpy(out->hash, hash.p, hash.n);
	if (!bad && out->has_scram) {
		out->iterations = rd_u32(r);
		unpack_field(r, out->salt, sizeof(out->salt));
		unpack_field(r, out->stored_key, sizeof(out->stored_key));
		unpack_field(r, out->server_key, sizeof(out->server_key));
		bad = out->iterations < ITERATIONS_MIN || out->iterations > ITERATIONS_MAX;
	}
	if (bad || r->bad) {
		*out = (struct password_record){0};
		return ERR(ERR_CORRUPT, 0, "password: unpack");
	}
	return OK;
}
