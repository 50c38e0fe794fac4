/* logins.c - one verifier a shard; the dummy that unknown names are held against is made at start. */
#include "guard/logins.h"

#include "base/random.h"
#include "base/text.h"
#include "crypt/password.h"

#include <stdlib.h>

enum { ADDRESS_MAX_ = 320, VALUE_MAX = 8 + PASSWORD_PACKED_MAX, SECRET = 32 };
_Static_assert(LOGINS_SALT == PASSWORD_SALT, "a salt is a salt");

struct logins {
	struct store *store;
	struct random *random;
	unsigned cost;
	struct password_record dummy;
	uint8_t secret[SECRET]; /* of the salts of unknown names */
	uint8_t domain[ADDRESS_MAX_];
	size_t domain_n;
};

struct change {
	logins_done *done;
	void *owner;
	struct store_change change;
	uint8_t value[VALUE_MAX];
};

/* The whole address in lower case; empty when it is too long to be one. */
static struct bytes
full_name(const struct logins *l, struct bytes name, uint8_t room[ADDRESS_MAX_])
{
	struct wr w = wr_of(room, ADDRESS_MAX_);

	text_lower_into(&w, name);
	if (!name.n || !memchr(name.p, '@', name.n)) {
		wr_u8(&w, '@');
		wr_bytes(&w, (struct bytes){l->domain, l->domain_n});
	}
	return w.full ? NO_BYTES : wr_since(&w, room);
}

static struct err
shard_of_name(const struct logins *l, struct bytes name, struct shard_id *out)
{
	uint8_t room[ADDRESS_MAX_], digest[DIGEST_SIZE];
	struct bytes full = full_name(l, name, room);
	struct err e;

	if (!full.n) /* else all that are too long would be one login */
		return ERR(ERR_RANGE, 0, "a login's name");
	e = digest_sha256(full, digest);
	if (is_ok(e))
		*out = shard_of(SHARD_LOGINS, digest);
	return e;
}

static void
changed(void *owner, struct err e, uint64_t version)
{
	struct change *c = owner;

	(void)version;
	c->done(c->owner, e);
	digest_wipe(c, sizeof(*c));
	free(c);
}

static void
submit(struct logins *l, struct bytes address, struct change *c)
{
	struct shard_id shard;
	struct err e = shard_of_name(l, address, &shard);

	if (is_ok(e))
		store_submit(l->store, shard, STORE_ANY, OP_NONE, &c->change, 1, changed, c);
	else
		changed(c, e, 0);
}

void
logins_set(struct logins *l, struct bytes address, uint64_t account, struct bytes password,
           logins_done *done, void *owner)
{
	struct change *c = calloc(1, sizeof(*c));
	struct password_record record;
	uint8_t salts[PASSWORD_RANDOM];
	struct wr w;
	struct err e;

	if (!c) {
		done(owner, ERR(ERR_MEMORY, 0, "login"));
		return;
	}
	*c = (struct change){.done = done, .owner = owner};
	random_fill(l->random, salts, sizeof(salts));
	e = password_make(password, l->cost, salts, &record);
	if (!is_ok(e)) {
		changed(c, e, 0);
		return;
	}
	w = wr_of(c->value, sizeof(c->value));
	wr_u64(&w, account);
	password_pack(&w, &record);
	digest_wipe(&record, sizeof(record));
	c->change = (struct store_change){STORE_PUT, BYTES("p"), wr_since(&w, c->value), BLOB_NONE};
	submit(l, address, c);
}

void
logins_remove(struct logins *l, struct bytes address, logins_done *done, void *owner)
{
	struct change *c = calloc(1, sizeof(*c));

	if (!c) {
		done(owner, ERR(ERR_MEMORY, 0, "login"));
		return;
	}
	*c = (struct change){.done = done, .owner = owner};
	c->change = (struct store_change){STORE_DELETE, BYTES("p"), NO_BYTES, BLOB_NONE};
	submit(l, address, c);
}

static struct err
find(struct logins *l, struct bytes name, uint64_t *account, struct password_record *record)
{
	struct arena arena = arena_init(0);
	struct store_entry entry;
	struct shard_id shard;
	struct err e = shard_of_name(l, name, &shard);

	if (is_ok(e))
		e = store_get(l->store, shard, BYTES("p"), &entry, &arena);
	if (is_ok(e)) {
		struct rd r = rd_of(entry.value);

		*account = rd_u64(&r);
		e = password_unpack(&r, record);
	}
	arena_free(&arena);
	return e;
}

struct err
logins_check(struct logins *l, struct bytes name, struct bytes password, uint64_t *account)
{
	struct password_record record;
	struct err e = find(l, name, account, &record), checked;
	bool known = is_ok(e);

	if (is_fault(e))
		return e;
	checked = password_check(known ? &record : &l->dummy, password);
	digest_wipe(&record, sizeof(record));
	if (is_ok(checked) && !known)
		return ERR(ERR_DENIED, 0, "no such user");
	return checked;
}

/* The salt of a name that has none: random for who does not know the secret. */
static struct err
salt_of_nobody(const struct logins *l, struct bytes name, uint8_t salt[LOGINS_SALT])
{
	uint8_t room[ADDRESS_MAX_], digest[DIGEST_SIZE];
	struct bytes full = full_name(l, name, room);
	struct err e = digest_hmac((struct bytes){l->secret, SECRET}, full.n ? full : name, digest);

	memcpy(salt, digest, LOGINS_SALT);
	return e;
}

struct err
logins_salt(struct logins *l, struct bytes name, uint8_t salt[LOGINS_SALT], uint32_t *iterations)
{
	struct password_record record = {0};
	uint64_t account;
	struct err found = find(l, name, &account, &record), e;

	if (is_fault(found))
		return found;
	*iterations = l->dummy.iterations;
	e = salt_of_nobody(l, name, salt); /* for every name: the same work for all (attack 93) */
	if (is_ok(found) && record.has_scram) {
		*iterations = record.iterations;
		memcpy(salt, record.salt, LOGINS_SALT);
	}
	digest_wipe(&record, sizeof(record));
	return e;
}

struct err
logins_scram(struct logins *l, struct bytes name, struct bytes message, struct bytes proof,
             uint64_t *account, uint8_t signature[DIGEST_SIZE])
{
	struct password_record record = {0};
	struct err e = find(l, name, account, &record), checked;
	bool known;

	if (is_fault(e))
		return e;
	known = is_ok(e) && record.has_scram;
	checked = password_scram(known ? &record : &l->dummy, message, proof, signature);
	digest_wipe(&record, sizeof(record));
	if (is_ok(checked) && !known) {
		memset(signature, 0, DIGEST_SIZE);
		return ERR(ERR_DENIED, 0, "no such user");
	}
	return checked;
}

struct err
logins_cost(struct logins *l, unsigned cost)
{
	struct password_record dummy;
	uint8_t salts[PASSWORD_RANDOM];
	struct err e;

	random_fill(l->random, salts, sizeof(salts));
	e = password_dummy(cost, salts, &dummy);
	if (!is_ok(e))
		return e;
	l->dummy = dummy;
	l->cost = cost;
	return OK;
}

/* ---- the secret ---- */

static void
secret_kept(void *owner, struct err e, uint64_t version)
{
	(void)version;
	*(struct err *)owner = e;
}

/* From the store, or made anew and put there. */
static struct err
load_secret(struct logins *l)
{
	const struct shard_id shard = {SHARD_LOGINS, {0}};
	struct store_change put = {
	    STORE_PUT, BYTES("s"), {l->secret, sizeof(l->secret)}, BLOB_NONE};
	struct arena arena = arena_init(0);
	struct store_entry entry;
	struct err e = store_get(l->store, shard, BYTES("s"), &entry, &arena), kept = OK;

	if (is_ok(e) && entry.value.n == SECRET) {
		memcpy(l->secret, entry.value.p, SECRET);
	} else if (!is_fault(e)) {
		random_fill(l->random, l->secret, SECRET);
		store_submit(l->store, shard, STORE_ANY, OP_NONE, &put, 1, secret_kept, &kept);
		e = store_turn(l->store);
		if (is_ok(e) && is_fault(kept)) /* on a full disk it is good for this life */
			e = kept;
	}
	arena_free(&arena);
	return e;
}

struct err
logins_open(struct logins **out, struct store *store, struct random *random, unsigned cost,
            struct bytes default_domain)
{
	struct logins *l = calloc(1, sizeof(*l));
	struct err e;

	if (!l)
		return ERR(ERR_MEMORY, 0, "logins");
	l->store = store;
	l->random = random;
	if (default_domain.n < sizeof(l->domain)) {
		struct wr w = wr_of(l->domain, sizeof(l->domain));

		text_lower_into(&w, default_domain);
		l->domain_n = default_domain.n;
	}
	e = logins_cost(l, cost);
	if (is_ok(e))
		e = load_secret(l);
	if (is_ok(e))
		*out = l;
	else
		logins_close(l);
	return e;
}

void
logins_close(struct logins *l)
{
	if (l)
		digest_wipe(l, sizeof(*l));
	free(l);
}
