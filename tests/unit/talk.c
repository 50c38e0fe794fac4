/* Every word of the table: there and back, at its limits, cut at every octet, and as garbage. */
#include "talk/talk.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint8_t filler[TALK_MAX], packed[TALK_MAX], again[TALK_MAX];

/* Fills a word's fields; bytes get `n`, but never more than their limit. */
static void
fill(const struct talk_part *part, union talk_any *any, size_t n, uint8_t value)
{
	memset(any, 0, sizeof(*any));
	for (size_t i = 0; i < part->n_fields; i++) {
		const struct talk_field *f = &part->fields[i];
		uint8_t *at = (uint8_t *)any + f->offset;
		struct bytes b = {filler, n < f->limit ? n : f->limit};

		switch (f->kind) {
		case TALK_U8:
			*at = value;
			break;
		case TALK_U16:
			memset(at, value, 2);
			break;
		case TALK_U32:
			memset(at, value, 4);
			break;
		case TALK_U64:
			memset(at, value, 8);
			break;
		case TALK_ID:
			memset(at, value, 16);
			break;
		case TALK_BYTES:
			memcpy(at, &b, sizeof(b));
			break;
		}
	}
}

static size_t
pack(const struct talk_part *part, const union talk_any *any)
{
	struct wr w = wr_of(packed, part->max);

	part->put(&w, any);
	return w.full ? SIZE_MAX : wr_since(&w, packed).n;
}

static void
check_part(const struct talk_part *part)
{
	union talk_any any, back;
	size_t n = SIZE_MAX, most = TALK_MAX;
	struct wr w;
	struct rd r;

	/* The most that fits: where the limits add up to more than a word, bytes share it. */
	while (n == SIZE_MAX) {
		fill(part, &any, most, 0xa5);
		n = pack(part, &any);
		most = most * 7 / 8;
	}
	r = rd_of((struct bytes){packed, n});
	assert_true(part->get(&r, &back));
	w = wr_of(again, sizeof(again));
	part->put(&w, &back);
	assert_int_equal(wr_since(&w, again).n, n);
	assert_memory_equal(packed, again, n);

	for (size_t cut = 0; cut < n; cut += cut < 64 ? 1 : 97) { /* nothing is missing */
		r = rd_of((struct bytes){packed, cut});
		assert_false(part->get(&r, &back));
		w = wr_of(again, cut);
		part->put(&w, &any);
		assert_true(w.full);
	}
	packed[n] = 0; /* nothing is left over */
	r = rd_of((struct bytes){packed, n + 1});
	assert_false(part->get(&r, &back));
}

static void
every_word_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < talk_row_count; i++) {
		const struct talk_row *row = &talk_rows[i];

		assert_ptr_equal(talk_row(row->number), row);
		assert_true(row->said.max <= TALK_MAX - TALK_HEAD);
		assert_true(row->answer.max <= TALK_MAX - TALK_HEAD);
		check_part(&row->said);
		if (row->ask)
			check_part(&row->answer);
	}
	assert_null(talk_row(0));
	assert_null(talk_row(UINT16_MAX));
}

/* Bytes beyond their limit are refused by both sides, each field by itself. */
static void
every_limit_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < talk_row_count; i++) {
		const struct talk_part *part = &talk_rows[i].said;

		for (size_t j = 0; j < part->n_fields; j++) {
			const struct talk_field *f = &part->fields[j];
			struct bytes b = {filler, f->limit + 1};
			struct wr w = wr_of(packed, sizeof(packed));
			union talk_any any, back;
			struct rd r;

			if (f->kind != TALK_BYTES)
				continue;
			fill(part, &any, 0, 0);
			memcpy((uint8_t *)&any + f->offset, &b, sizeof(b));
			part->put(&w, &any);
			assert_true(w.full);

			/* The same made by hand: the octets before the field, then a length too
			 * large. */
			fill(part, &any, 0, 0);
			w = wr_of(packed, sizeof(packed));
			for (size_t k = 0; k < part->n_fields; k++) {
				static const uint8_t width[] = {1, 2, 4, 8, 16, 2};

				if (k == j)
					wr_bytes16(&w, b);
				else
					memset(wr_take(&w, width[part->fields[k].kind]), 0,
					       width[part->fields[k].kind]);
			}
			r = rd_of(wr_since(&w, packed));
			assert_false(part->get(&r, &back));
		}
	}
}

static void
garbage_is_refused_or_whole(void **state)
{
	struct random *random = random_seeded(7);

	(void)state;
	for (int turn = 0; turn < 2000; turn++) {
		size_t n = random_below(random, 300);

		random_fill(random, packed, n);
		for (size_t i = 0; i < n; i++) /* small lengths get further */
			if (random_below(random, 2))
				packed[i] = 0;
		for (size_t i = 0; i < talk_row_count; i++) {
			const struct talk_part *part = &talk_rows[i].said;
			struct rd r = rd_of((struct bytes){packed, n});
			struct wr w = wr_of(again, sizeof(again));
			union talk_any any;

			if (!part->get(&r, &any))
				continue;
			part->put(&w, &any); /* what was taken is what would be sent */
			assert_int_equal(wr_since(&w, again).n, n);
			assert_memory_equal(packed, again, n);
		}
	}
	random_close(random);
}

static void
head_there_and_back(void **state)
{
	static const struct {
		const char *name, *octets;
		bool good;
	} cases[] = {
	    {"a say", "\0\1\0\3\0\0\0\0\0\0\0\0", true},
	    {"an answer", "\0\1\0\3\0\1\0\0\1\2\3\4", true},
	    {"another version", "\0\2\0\3\0\0\0\0\0\0\0\0", false},
	    {"an unknown flag", "\0\1\0\3\0\2\0\0\0\0\0\0", false},
	    {"something reserved", "\0\1\0\3\0\0\0\1\0\0\0\0", false},
	};
	uint8_t room[TALK_HEAD];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rd r = rd_of((struct bytes){(const uint8_t *)cases[i].octets, TALK_HEAD});
		struct wr w = wr_of(room, sizeof(room));
		struct talk_head head;

		assert_int_equal(talk_get_head(&r, &head), cases[i].good);
		if (!cases[i].good)
			continue;
		talk_put_head(&w, &head);
		assert_memory_equal(room, cases[i].octets, TALK_HEAD);
	}
	for (size_t cut = 0; cut < TALK_HEAD; cut++) {
		struct rd r = rd_of((struct bytes){(const uint8_t *)cases[1].octets, cut});
		struct talk_head head;

		assert_false(talk_get_head(&r, &head));
	}
}

static void
words_go_where_they_may(void **state)
{
	static const struct {
		enum word word;
		enum role from, to;
		enum talk_phase phase;
		bool may;
	} cases[] = {
	    {WORD_SETTINGS, ROLE_MASTER, ROLE_DNS, PHASE_START, true},
	    {WORD_SETTINGS, ROLE_MASTER, ROLE_DNS, PHASE_RUN, false},
	    {WORD_SETTINGS, ROLE_SMTP, ROLE_DNS, PHASE_START, false},
	    {WORD_SETTINGS, ROLE_MASTER, ROLE_TOOL, PHASE_START, false},
	    {WORD_READY, ROLE_DNS, ROLE_MASTER, PHASE_RUN, true},
	    {WORD_READY, ROLE_DNS, ROLE_SMTP, PHASE_RUN, false},
	    {WORD_KEYS_SIGN, ROLE_SMTP, ROLE_KEYS, PHASE_RUN, true},
	    {WORD_KEYS_SIGN, ROLE_KEYS, ROLE_SMTP, PHASE_RUN, false},
	    {WORD_KEYS_SIGN, ROLE_DNS, ROLE_KEYS, PHASE_RUN, false},
	    {WORD_SERVER_STATUS, ROLE_TOOL, ROLE_CTL, PHASE_RUN, true},
	    {WORD_SERVER_STATUS, ROLE_CTL, ROLE_MASTER, PHASE_RUN, true},
	    {WORD_SERVER_STATUS, ROLE_TOOL, ROLE_MASTER, PHASE_RUN, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(talk_allowed(talk_row((uint16_t)cases[i].word), cases[i].from,
		                              cases[i].to, cases[i].phase),
		                 cases[i].may);
}

static void
roles_have_names(void **state)
{
	enum role role;

	(void)state;
	for (int i = 0; i < ROLE_COUNT; i++) {
		assert_true(role_by_name(bytes_of(role_name((enum role)i)), &role));
		assert_int_equal(role, i);
	}
	assert_false(role_by_name(BYTES("nobody"), &role));
	assert_false(role_by_name(NO_BYTES, &role));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_word_there_and_back),   cmocka_unit_test(every_limit_holds),
	    cmocka_unit_test(garbage_is_refused_or_whole), cmocka_unit_test(head_there_and_back),
	    cmocka_unit_test(words_go_where_they_may),     cmocka_unit_test(roles_have_names),
	};

	for (size_t i = 0; i < sizeof(filler); i++)
		filler[i] = (uint8_t)(i * 31);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
