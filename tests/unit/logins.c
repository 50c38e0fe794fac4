/* logins.c - who may log in, and what it costs to ask. */
#include "guard/logins.h"

#include "base/random.h"

#include "../store_rig.h"

#include <string.h>
#include <time.h>

enum { CHEAP = 1 };

struct place {
	struct rig rig;
	struct random *random;
	struct logins *l;
};

static void
open_logins(struct place *p, unsigned cost)
{
	rig_open(&p->rig);
	assert_true(is_ok(logins_open(&p->l, p->rig.s, p->random, cost, BYTES("Example.ORG"))));
}

static void
init(struct place *p, enum store_engine_kind engine, unsigned cost)
{
	rig_init(&p->rig, engine, 1);
	p->random = random_seeded(2);
	open_logins(p, cost);
}

static void
fini(struct place *p)
{
	logins_close(p->l);
	rig_fini(&p->rig);
	random_close(p->random);
}

struct said {
	int calls;
	struct err e;
};

static void
done(void *owner, struct err e)
{
	struct said *s = owner;

	s->calls++;
	s->e = e;
}

static void
settle(struct place *p)
{
	while (store_pending(p->rig.s))
		assert_true(is_ok(store_turn(p->rig.s)));
}

static enum err_code
set(struct place *p, struct bytes address, uint64_t account, struct bytes password)
{
	struct said s = {0};

	logins_set(p->l, address, account, password, done, &s);
	settle(p);
	assert_int_equal(s.calls, 1);
	return (enum err_code)s.e.code;
}

static enum err_code
drop(struct place *p, struct bytes address)
{
	struct said s = {0};

	logins_remove(p->l, address, done, &s);
	settle(p);
	assert_int_equal(s.calls, 1);
	return (enum err_code)s.e.code;
}

/* The account; 0: refused. */
static uint64_t
check(struct place *p, const char *name, const char *password)
{
	uint64_t account = 0;
	struct err e = logins_check(p->l, bytes_of(name), bytes_of(password), &account);

	assert_true(is_ok(e) || e.code == ERR_DENIED);
	return is_ok(e) ? account : 0;
}

static const struct {
	const char *name, *password;
	uint64_t account;
} tries[] = {
    {"alice@example.org", "secret", 7},
    {"ALICE@Example.Org", "secret", 7},
    {"alice", "secret", 7}, /* the default domain's */
    {"Alice", "secret", 7},
    {"alice@example.org", "Secret", 0},
    {"alice@example.org", "secret ", 0},
    {"alice@example.org", "secre", 0},
    {"alice@example.org", "", 0},
    {"alice@other.org", "secret", 0},
    {"alice@", "secret", 0},
    {"@example.org", "secret", 0},
    {"", "secret", 0},
    {"alice ", "secret", 0},
    {" alice", "secret", 0},
    {"alice@example.org\n", "secret", 0},
    {"alice\\@example.org", "secret", 0},
    {"bob", "", 0},
    {"bob", "b\xc3\xa4r", 8},
    {"bob", "b\xc3\xa4R", 0},
};

static void
a_name_and_its_password(void **state)
{
	struct place p;

	(void)state;
	init(&p, STORE_LOG, CHEAP);
	assert_int_equal(set(&p, BYTES("Alice@example.org"), 7, BYTES("secret")), 0);
	assert_int_equal(set(&p, BYTES("bob@EXAMPLE.org"), 8, BYTES("b\xc3\xa4r")), 0);
	for (int life = 0; life < 2; life++) {
		for (size_t i = 0; i < COUNT(tries); i++)
			if (check(&p, tries[i].name, tries[i].password) != tries[i].account)
				fail_msg("row %zu: %s", i, tries[i].name);
		logins_close(p.l);
		rig_close(&p.rig);
		open_logins(&p, CHEAP);
	}
	fini(&p);
}

static void
a_password_is_replaced_and_removed(void **state)
{
	struct place p;

	(void)state;
	init(&p, STORE_MEMORY, CHEAP);
	assert_int_equal(set(&p, BYTES("a@example.org"), 7, BYTES("one")), 0);
	assert_int_equal(set(&p, BYTES("A@example.org"), 7, BYTES("two")), 0);
	assert_int_equal(check(&p, "a", "one"), 0);
	assert_int_equal(check(&p, "a", "two"), 7);
	assert_int_equal(drop(&p, BYTES("A@Example.org")), 0);
	assert_int_equal(drop(&p, BYTES("a@example.org")), 0); /* it is removed already */
	assert_int_equal(check(&p, "a", "two"), 0);
	assert_int_equal(set(&p, BYTES("a@example.org"), 9, BYTES("three")), 0);
	assert_int_equal(check(&p, "a", "three"), 9);
	fini(&p);
}

/* Attack 95: what cannot be hashed whole is not taken at all, and opens nothing. */
static void
passwords_that_cannot_be_taken(void **state)
{
	static char huge[2000];
	struct place p;

	(void)state;
	init(&p, STORE_MEMORY, CHEAP);
	memset(huge, 'x', sizeof(huge) - 1);
	assert_int_equal(set(&p, BYTES("a@example.org"), 1, NO_BYTES), ERR_SYNTAX);
	assert_int_equal(set(&p, BYTES("a@example.org"), 1, BYTES("a\0b")), ERR_SYNTAX);
	assert_int_equal(set(&p, BYTES("a@example.org"), 1, bytes_of(huge)), ERR_RANGE);
	huge[1024] = 0;
	assert_int_equal(check(&p, "a", huge), 0);
	assert_int_equal(set(&p, BYTES("a@example.org"), 1, bytes_of(huge)), 0);
	assert_int_equal(check(&p, "a", huge), 1);
	huge[1024] = 'x';
	assert_int_equal(check(&p, "a", huge), 0);
	huge[1023] = 0;
	assert_int_equal(check(&p, "a", huge), 0);
	fini(&p);
}

/* All names that are too long must not be one login. */
static void
names_that_are_too_long_are_nobody(void **state)
{
	static char one[400], other[400];
	struct place p;

	(void)state;
	init(&p, STORE_MEMORY, CHEAP);
	memset(one, 'a', 340);
	memset(other, 'b', 330);
	assert_int_equal(set(&p, bytes_of(one), 5, BYTES("secret")), ERR_RANGE);
	assert_int_equal(drop(&p, bytes_of(one)), ERR_RANGE);
	assert_int_equal(check(&p, one, "secret"), 0);
	assert_int_equal(check(&p, other, "secret"), 0);
	one[315] = 0; /* with the default domain it is too long as well */
	assert_int_equal(set(&p, bytes_of(one), 5, BYTES("secret")), ERR_RANGE);
	assert_int_equal(check(&p, one, "secret"), 0);
	one[308] = 0;
	assert_int_equal(set(&p, bytes_of(one), 5, BYTES("secret")), 0);
	assert_int_equal(check(&p, one, "secret"), 5);
	fini(&p);
}

static uint64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t
cost_of(struct place *p, const char *name)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 5; i++) {
		uint64_t before = cpu_ns(), took;

		assert_int_equal(check(p, name, "wrong"), 0);
		took = cpu_ns() - before;
		least = took < least ? took : least;
	}
	return least;
}

/* Attack 93. */
static void
nobody_costs_as_much_as_somebody(void **state)
{
	static char huge[400];
	uint64_t known, unknown, too_long;
	struct place p;

	(void)state;
	memset(huge, 'a', 390);
	init(&p, STORE_MEMORY, 3);
	assert_int_equal(set(&p, BYTES("a@example.org"), 1, BYTES("right")), 0);
	known = cost_of(&p, "a");
	unknown = cost_of(&p, "b");
	too_long = cost_of(&p, huge);
	assert_true(unknown > known / 2 && unknown < known * 2);
	assert_true(too_long > known / 2 && too_long < known * 2);
	fini(&p);
}

/* After a reload: who was hashed before is let in still, and nobody costs as much as the new ones. */
static void
the_cost_of_new_hashes_can_change(void **state)
{
	struct place p;

	(void)state;
	init(&p, STORE_MEMORY, CHEAP);
	assert_int_equal(set(&p, BYTES("a@example.org"), 1, BYTES("old")), 0);
	assert_true(is_ok(logins_cost(p.l, 2)));
	assert_false(is_ok(logins_cost(p.l, 0)));
	assert_int_equal(set(&p, BYTES("b@example.org"), 2, BYTES("new")), 0);
	assert_int_equal(check(&p, "a", "old"), 1);
	assert_int_equal(check(&p, "b", "new"), 2);
	assert_int_equal(check(&p, "c", "new"), 0);
	fini(&p);
}

static void
a_cost_that_there_is_not(void **state)
{
	struct place p;
	struct logins *l = NULL;

	(void)state;
	init(&p, STORE_MEMORY, CHEAP);
	assert_false(is_ok(logins_open(&l, p.rig.s, p.random, 0, BYTES("a.org"))));
	assert_false(is_ok(logins_open(&l, p.rig.s, p.random, 12, BYTES("a.org"))));
	assert_null(l);
	fini(&p);
}

static void
the_end_answers_what_waits(void **state)
{
	struct said s[2] = {{0}};
	struct place p;

	(void)state;
	init(&p, STORE_MEMORY, CHEAP);
	logins_set(p.l, BYTES("a@example.org"), 1, BYTES("secret"), done, &s[0]);
	logins_remove(p.l, BYTES("b@example.org"), done, &s[1]);
	logins_close(p.l);
	p.l = NULL;
	rig_close(&p.rig);
	assert_true(s[0].calls == 1 && is_ok(s[0].e));
	assert_true(s[1].calls == 1 && is_ok(s[1].e));
	fini(&p);
}

/* ---- SCRAM ---- */

static struct bytes
all(const uint8_t d[DIGEST_SIZE])
{
	return (struct bytes){d, DIGEST_SIZE};
}

/* What a client that knows this password says and expects, for the salt that it was told. */
static void
client_of(struct place *p, const char *name, const char *password, struct bytes message,
          uint8_t proof[DIGEST_SIZE], uint8_t expected[DIGEST_SIZE])
{
	uint8_t salt[LOGINS_SALT], salted[DIGEST_SIZE], key[DIGEST_SIZE], stored[DIGEST_SIZE];
	uint32_t iterations = 0;

	assert_true(is_ok(logins_salt(p->l, bytes_of(name), salt, &iterations)));
	assert_true(is_ok(digest_pbkdf2(bytes_of(password), (struct bytes){salt, sizeof(salt)},
	                                iterations, salted)));
	assert_true(is_ok(digest_hmac(all(salted), BYTES("Client Key"), key)));
	assert_true(is_ok(digest_sha256(all(key), stored)));
	assert_true(is_ok(digest_hmac(all(stored), message, proof)));
	for (size_t i = 0; i < DIGEST_SIZE; i++)
		proof[i] ^= key[i];
	assert_true(is_ok(digest_hmac(all(salted), BYTES("Server Key"), key)));
	assert_true(is_ok(digest_hmac(all(key), message, expected)));
}

static void
a_proof_instead_of_a_password(void **state)
{
	const struct bytes message = BYTES("n=a,r=x,r=xy,s=z,i=10000,c=biws,r=xy");
	uint8_t proof[DIGEST_SIZE], expected[DIGEST_SIZE], signature[DIGEST_SIZE];
	struct place p;

	(void)state;
	init(&p, STORE_LOG, CHEAP);
	assert_int_equal(set(&p, BYTES("alice@example.org"), 7, BYTES("secret")), 0);
	for (size_t i = 0; i < COUNT(tries); i++) {
		bool right = tries[i].account == 7;
		uint64_t account = 0;
		struct err e;

		if (strcmp(tries[i].password, "") == 0)
			continue;
		client_of(&p, tries[i].name, tries[i].password, message, proof, expected);
		e = logins_scram(p.l, bytes_of(tries[i].name), message, all(proof), &account,
		                 signature);
		if (e.code != (right ? 0 : ERR_DENIED))
			fail_msg("row %zu: %s", i, tries[i].name);
		if (right) {
			assert_int_equal(account, 7);
			assert_memory_equal(signature, expected, DIGEST_SIZE);
			assert_int_equal(logins_scram(p.l, bytes_of(tries[i].name), BYTES("other"),
			                              all(proof), &account, signature)
			                     .code,
			                 ERR_DENIED);
		}
	}
	fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_name_and_its_password),
	    cmocka_unit_test(a_password_is_replaced_and_removed),
	    cmocka_unit_test(passwords_that_cannot_be_taken),
	    cmocka_unit_test(names_that_are_too_long_are_nobody),
	    cmocka_unit_test(nobody_costs_as_much_as_somebody),
	    cmocka_unit_test(the_cost_of_new_hashes_can_change),
	    cmocka_unit_test(a_cost_that_there_is_not),
	    cmocka_unit_test(the_end_answers_what_waits),
	    cmocka_unit_test(a_proof_instead_of_a_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
