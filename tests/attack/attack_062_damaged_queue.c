/*
 * Attack 62: records of the queue are damaged.  Such a message stays where it is, is never sent in
 * pieces, and is told in the log; all others flow.
 */
#include "../unit/queue_rig.h"

static size_t complaints;

static void
listen(void *owner, const struct log_record *record)
{
	(void)owner;
	complaints += !strcmp(record->name, "box.spool_damaged");
}

static void
stored(void *owner, struct err e, uint64_t version)
{
	(void)owner;
	(void)version;
	assert_true(is_ok(e));
}

/* Changes octet `at` of the first value with this letter that is found; false: it has none there. */
static bool
damage(struct queue_rig *r, char letter, size_t at)
{
	const uint8_t from = (uint8_t)letter, to = (uint8_t)(letter + 1);

	for (unsigned i = 0; i < 16; i++) {
		struct shard_id shard = shard_number(SHARD_QUEUE, i);
		struct arena a = arena_init(0);
		struct store_page page;
		struct store_change c;
		uint8_t value[STORE_VALUE_MAX];

		assert_true(is_ok(store_range(r->store, shard, STORE_ANY, (struct bytes){&from, 1},
		                              (struct bytes){&to, 1}, 1, &page, &a)));
		if (!page.n || at >= page.entries[0].value.n) {
			arena_free(&a);
			continue;
		}
		memcpy(value, page.entries[0].value.p, page.entries[0].value.n);
		value[at] ^= 0xff;
		c = (struct store_change){STORE_PUT,
		                          page.entries[0].key,
		                          {value, page.entries[0].value.n},
		                          page.entries[0].blob};
		store_submit(r->store, shard, STORE_ANY, OP_NONE, &c, 1, stored, NULL);
		assert_true(is_ok(store_turn(r->store)));
		arena_free(&a);
		return true;
	}
	return false;
}

static const struct rig_mail mail = {
    .sender = "alice@a.org", .rcpts = "x@far.org", .trusted = true};

static void
attack_062_damaged_queue(void **state)
{
	static const char letters[] = {'q', 'r'};
	struct random *random = random_seeded(1);

	(void)state;
	for (size_t l = 0; l < COUNT(letters); l++)
		for (size_t at = 0; at < 80; at++) {
			struct store *store = rig_memory(random);
			struct queue_rig r;
			bool hurt;

			rig_init(&r, store, 1);
			log_to(listen, NULL);
			complaints = 0;
			rig_queue_kill(&r);
			assert_int_equal(rig_send(&r, &mail), 0);
			hurt = damage(&r, letters[l], at);
			assert_int_equal(rig_send(&r, &mail), 0);
			assert_int_equal(rig_send(&r, &mail), 0);
			rig_queue_start(&r);
			sim_run(r.loop, 2000);
			/* the others went; it did, too, where the octet means nothing by then */
			assert_true(r.tries >= 2);
			if (hurt && r.tries == 2 && at == 0)
				assert_true(complaints > 0);
			rig_fini(&r);
			store_close(store);
		}
	random_close(random);
}

/* More of them than one look at a partition sees, and what is good behind them. */
static void
attack_062_much_is_damaged(void **state)
{
	enum { BAD = 150 };
	struct random *random = random_seeded(1);
	struct store *store = rig_memory(random);
	struct rig_mail m = mail;
	struct queue_rig r;
	uint64_t id = UINT64_C(1) << 40;

	(void)state;
	rig_init(&r, store, 1);
	log_to(listen, NULL);
	rig_queue_kill(&r);
	complaints = 0;
	for (int i = 0; i < BAD; i++, id += 16) {
		uint8_t key[9];
		struct wr w = wr_of(key, sizeof(key));
		struct store_change c = {.kind = STORE_PUT, .value = BYTES("not a head")};

		wr_u8(&w, 'q');
		wr_u64(&w, id);
		c.key = wr_since(&w, key);
		store_submit(store, shard_number(SHARD_QUEUE, 0), STORE_ANY, OP_NONE, &c, 1, stored,
		             NULL);
		assert_true(is_ok(store_turn(store)));
	}
	m.op = 16; /* of the same partition */
	assert_int_equal(rig_send(&r, &m), 0);
	assert_int_equal(rig_send(&r, &mail), 0);
	rig_queue_start(&r);
	sim_run(r.loop, 2000);
	assert_int_equal(r.tries, 2);
	assert_int_equal(complaints, BAD);
	assert_int_equal(rig_spooled(&r, 'q'), BAD);
	rig_fini(&r);
	store_close(store);
	random_close(random);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_062_damaged_queue),
	    cmocka_unit_test(attack_062_much_is_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
