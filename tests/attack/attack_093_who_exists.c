/*
 * attack_093_who_exists.c - a wrong password and a name that nobody has: the same words, and the
 * same work.  Work is what is asked of libcrypt and libcrypto, which this program stands before.
 */
#include "guard/logins.h"

#include "base/random.h"
#include "crypt/password.h"

#include "../play_smtp.h"
#include "../store_rig.h"

#include <crypt.h>
#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

static struct wr work; /* each call with the sizes that decide what it costs */
static uint8_t work_room[1 << 14];

static void *
next(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	assert_non_null(f);
	return f;
}

char *
crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
	char *(*real)(const char *, const char *, void *, int);

	*(void **)&real = next("crypt_rn");
	wr_printf(&work, "crypt %zu %.7s\n", strlen(phrase), setting);
	return real(phrase, setting, data, size);
}

unsigned char *
HMAC(const EVP_MD *md, const void *key, int key_n, const unsigned char *d, size_t n,
     unsigned char *out, unsigned int *out_n)
{
	unsigned char *(*real)(const EVP_MD *, const void *, int, const unsigned char *, size_t,
	                       unsigned char *, unsigned int *);

	*(void **)&real = next("HMAC");
	wr_printf(&work, "hmac %d %zu\n", key_n, n);
	return real(md, key, key_n, d, n, out, out_n);
}

int
EVP_Digest(const void *d, size_t n, unsigned char *out, unsigned int *out_n, const EVP_MD *md,
           ENGINE *engine)
{
	int (*real)(const void *, size_t, unsigned char *, unsigned int *, const EVP_MD *,
	            ENGINE *);

	*(void **)&real = next("EVP_Digest");
	wr_printf(&work, "digest %zu\n", n);
	return real(d, n, out, out_n, md, engine);
}

struct place {
	struct rig rig;
	struct random *random;
	struct logins *l;
};

static void
stored(void *owner, struct err e)
{
	*(bool *)owner = is_ok(e);
}

/* alice has a password that was seen here; all other names have none. */
static void
init(struct place *p)
{
	bool set = false;

	work = wr_of(work_room, sizeof(work_room));
	rig_init(&p->rig, STORE_MEMORY, 1);
	rig_open(&p->rig);
	p->random = random_seeded(2);
	assert_true(
	    is_ok(logins_open(&p->l, p->rig.s, p->random, PASSWORD_COST_MIN, BYTES("a.org"))));
	logins_set(p->l, BYTES("alice@a.org"), 7, BYTES("secret"), stored, &set);
	while (store_pending(p->rig.s))
		assert_true(is_ok(store_turn(p->rig.s)));
	assert_true(set);
}

static void
fini(struct place *p)
{
	logins_close(p->l);
	rig_fini(&p->rig);
	random_close(p->random);
}

static const struct names {
	const char *there, *not_there;
} names[] = {{"alice@a.org", "alicf@a.org"}, {"alice", "ALICF"}, {"Alice@A.org", "alice@b.org"}};

typedef enum err_code try_fn(struct place *, struct bytes name);

static enum err_code
by_password(struct place *p, struct bytes name)
{
	uint64_t account = 0;

	return (enum err_code)logins_check(p->l, name, BYTES("wrong"), &account).code;
}

static enum err_code
by_scram(struct place *p, struct bytes name)
{
	uint8_t signature[DIGEST_SIZE];
	uint64_t account = 0;

	return (enum err_code)logins_scram(p->l, name, BYTES("n=alice,r=x,r=xy,s=,i=1,c=biws,r=xy"),
	                                   BYTES("an octet string of 32 octets ..."), &account,
	                                   signature)
	    .code;
}

static enum err_code
by_salt(struct place *p, struct bytes name)
{
	uint8_t salt[LOGINS_SALT];
	uint32_t iterations = 0;
	struct err e = logins_salt(p->l, name, salt, &iterations);

	assert_int_equal(iterations, PASSWORD_ITERATIONS);
	return (enum err_code)e.code;
}

/* The work of one try, as text, and what it was answered. */
static struct bytes
work_of(struct place *p, try_fn *try, const char *name, enum err_code *code)
{
	uint8_t *start = work.p;

	*code = try(p, bytes_of(name));
	assert_false(work.full);
	return wr_since(&work, start);
}

static void
attack_093_the_same_work(void **state)
{
	static try_fn *const tries[] = {by_password, by_scram, by_salt};
	struct place p;

	(void)state;
	init(&p);
	for (size_t t = 0; t < COUNT(tries); t++)
		for (size_t i = 0; i < COUNT(names); i++) {
			enum err_code there, not_there;
			struct bytes a = work_of(&p, tries[t], names[i].there, &there);
			struct bytes b = work_of(&p, tries[t], names[i].not_there, &not_there);

			assert_true(a.n > 0);
			assert_true(bytes_eq(a, b));
			assert_int_equal(there, not_there);
			assert_int_equal(there, tries[t] == by_salt ? 0 : ERR_DENIED);
		}
	fini(&p);
}

/* The salt of a name is its own and stays, whoever it is and however it is written. */
static void
attack_093_salts_of_nobody(void **state)
{
	static const struct names same[] = {
	    {"nobody@a.org", "NOBODY"}, {"alice@a.org", "Alice"}, {"nobody@b.org", "Nobody@B.org"}};
	uint8_t salts[2 * COUNT(same)][LOGINS_SALT];
	uint32_t iterations;
	struct place p;

	(void)state;
	init(&p);
	for (size_t i = 0; i < COUNT(same); i++) {
		assert_true(
		    is_ok(logins_salt(p.l, bytes_of(same[i].there), salts[2 * i], &iterations)));
		logins_close(p.l); /* another life of the role */
		assert_true(
		    is_ok(logins_open(&p.l, p.rig.s, p.random, PASSWORD_COST_MIN, BYTES("a.org"))));
		assert_true(is_ok(
		    logins_salt(p.l, bytes_of(same[i].not_there), salts[2 * i + 1], &iterations)));
		assert_memory_equal(salts[2 * i], salts[2 * i + 1], LOGINS_SALT);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(salts[2 * i], salts[2 * j], LOGINS_SALT);
	}
	fini(&p);
}

static const char *const logins[][2] = {
    /* bob with a wrong password, and eve, who is nobody */
    {"AUTH PLAIN AGJvYgB3cm9uZw==\r\n", "AUTH PLAIN AGV2ZQB3cm9uZw==\r\n"},
    {"AUTH LOGIN Ym9i\r\nd3Jvbmc=\r\n", "AUTH LOGIN ZXZl\r\nd3Jvbmc=\r\n"},
};

static void
attack_093_the_same_words(void **state)
{
	static struct smtp_play bob, eve;
	char client[200];

	(void)state;
	smtp_play_init(&bob);
	smtp_play_init(&eve);
	bob.conf.login = eve.conf.login = SMTP_PLAIN_LOGIN;
	for (size_t i = 0; i < COUNT(logins); i++) {
		snprintf(client, sizeof(client), "EHLO a\r\n%s", logins[i][0]);
		smtp_play(&bob, bytes_of(client), 1000);
		snprintf(client, sizeof(client), "EHLO a\r\n%s", logins[i][1]);
		smtp_play(&eve, bytes_of(client), 1000);
		assert_int_equal(count_in(smtp_play_said(&bob), "535 5.7.8 "), 1);
		assert_true(bytes_eq(smtp_play_said(&bob), smtp_play_said(&eve)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_093_the_same_work),
	    cmocka_unit_test(attack_093_salts_of_nobody),
	    cmocka_unit_test(attack_093_the_same_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
