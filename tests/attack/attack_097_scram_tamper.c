/* attack_097_scram_tamper.c - nonces, headers and names that somebody changed on the way. */
#include "../play_sasl.h"

#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define NONCE "CNONCEAAAAAAAAAAAAAAAAAAAAAAAA"
#define PROOF "p=cHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHA="

/* What ends in SASL_FAILED without that a proof is asked about. */
static const struct {
	const char *first, *final;
} cases[] = {
    /* the gs2-header */
    {"p=tls-unique,,n=bob,r=CNONCE", NULL},
    {"p=tls-exporter,,n=bob,r=CNONCE", NULL},
    {"x,,n=bob,r=CNONCE", NULL},
    {",,n=bob,r=CNONCE", NULL},
    {"n=bob,r=CNONCE", NULL},
    {"n,n=bob,r=CNONCE", NULL},
    {"n,,", NULL},
    {"n", NULL},
    {"nn,,n=bob,r=CNONCE", NULL},
    /* to act for another */
    {"n,a=alice,n=bob,r=CNONCE", NULL},
    {"n,a=bo,n=bob,r=CNONCE", NULL},
    {"n,a=,n=bob,r=CNONCE", NULL},
    {"n,b=bob,n=bob,r=CNONCE", NULL},
    /* an extension that must be known; attributes in another order, missing, broken */
    {"n,,m=ext,n=bob,r=CNONCE", NULL},
    {"n,,r=CNONCE,n=bob", NULL},
    {"n,,n=bob", NULL},
    {"n,,n=,r=CNONCE", NULL},
    {"n,,n=bob,r=", NULL},
    {"n,,n=bob,r=a b", NULL},
    {"n,,n=bo=b,r=CNONCE", NULL},
    {"n,,n=bob=2c,r=CNONCE", NULL},
    {"n,,n=bob=2,r=CNONCE", NULL},
    {"n,,n=bob,r=C\001NONCE", NULL},
    /* the nonce */
    {"n,,n=bob,r=CNONCE", "c=biws,r=CNONCE," PROOF},
    {"n,,n=bob,r=CNONCE", "c=biws,r=" NONCE "A," PROOF},
    {"n,,n=bob,r=CNONCE", "c=biws,r=XNONCEAAAAAAAAAAAAAAAAAAAAAAAA," PROOF},
    {"n,,n=bob,r=CNONCE", "c=biws,r=CNONCEAAAAAAAAAAAAAAAAAAAAAAAB," PROOF},
    {"n,,n=bob,r=CNONCE", "c=biws," PROOF},
    /* the gs2-header again: "y,,", "p=tls-unique,,", other text, none */
    {"n,,n=bob,r=CNONCE", "c=eSws,r=" NONCE "," PROOF},
    {"y,,n=bob,r=CNONCE", "c=biws,r=" NONCE "," PROOF},
    {"n,,n=bob,r=CNONCE", "c=cD10bHMtdW5pcXVlLCw=,r=" NONCE "," PROOF},
    {"n,,n=bob,r=CNONCE", "c=biwsAAAA,r=" NONCE "," PROOF},
    {"n,,n=bob,r=CNONCE", "c=bixhPWJvYiw=,r=" NONCE "," PROOF},
    {"n,a=bob,n=bob,r=CNONCE", "c=biws,r=" NONCE "," PROOF},
    {"n,,n=bob,r=CNONCE", "c=,r=" NONCE "," PROOF},
    {"n,,n=bob,r=CNONCE", "c=biw,r=" NONCE "," PROOF},
    {"n,,n=bob,r=CNONCE", "r=" NONCE ",c=biws," PROOF},
    {"n,,n=bob,r=CNONCE", "r=" NONCE "," PROOF},
    /* the proof */
    {"n,,n=bob,r=CNONCE", "c=biws,r=" NONCE},
    {"n,,n=bob,r=CNONCE", "c=biws,r=" NONCE ",p="},
    {"n,,n=bob,r=CNONCE", "c=biws,r=" NONCE ",p=cHBw"},
    {"n,,n=bob,r=CNONCE", "c=biws,r=" NONCE ",p=cHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw"},
    {"n,,n=bob,r=CNONCE", "c=biws,r=" NONCE ",p=cHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"},
    {"n,,n=bob,r=CNONCE", "c=biws,r=" NONCE "," PROOF ",x=y"},
    {"n,,n=bob,r=CNONCE", ""},
};

static enum sasl_want
say(struct sasl *x, const char *text)
{
	uint8_t room[1024];
	struct wr w = wr_of(room, sizeof(room));

	base64_encode(&w, bytes_of(text));
	return sasl_line(x, wr_since(&w, room));
}

static struct sasl *
begin(void)
{
	static const uint8_t nonce[SASL_NONCE];
	struct sasl *x = sasl_new(SASL_SCRAM_SHA_256, nonce);

	assert_non_null(x);
	assert_int_equal(sasl_begin(x, NULL), SASL_CHALLENGE);
	return x;
}

static void
attack_097_scram_tamper(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sasl *x = begin();
		enum sasl_want want = say(x, cases[i].first);

		assert_int_equal(want, cases[i].final ? SASL_SALT : SASL_FAILED);
		if (cases[i].final) {
			sasl_play_answer(x);
			want = say(x, cases[i].final);
		}
		if (want != SASL_FAILED)
			fail_msg("%s %s", cases[i].first, cases[i].final ? cases[i].final : "");
		sasl_free(x);
	}
}

/* The proof is over all of it: the one of another exchange opens nothing, and is asked about once. */
static void
attack_097_scram_wrong_proof(void **state)
{
	struct sasl *x = begin();

	(void)state;
	assert_int_equal(say(x, "n,,n=bob,r=CNONCE"), SASL_SALT);
	sasl_play_answer(x);
	assert_int_equal(
	    say(x, "c=biws,r=" NONCE ",p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
	    SASL_PROOF);
	sasl_play_answer(x);
	assert_int_equal(sasl_want(x), SASL_FAILED);
	assert_int_equal(sasl_failure(x), SASL_BY_PASSWORD);
	sasl_free(x);
}

/* Only a client that has seen our signature and goes on is logged in. */
static void
attack_097_scram_is_not_done_before_its_end(void **state)
{
	struct sasl *x = begin();

	(void)state;
	assert_int_equal(say(x, "n,,n=bob,r=CNONCE"), SASL_SALT);
	sasl_play_answer(x);
	assert_int_equal(say(x, "c=biws,r=" NONCE "," PROOF), SASL_PROOF);
	sasl_play_answer(x);
	assert_int_equal(sasl_want(x), SASL_CHALLENGE);
	assert_int_equal(sasl_line(x, BYTES("*")), SASL_FAILED);
	sasl_free(x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_097_scram_tamper),
	    cmocka_unit_test(attack_097_scram_wrong_proof),
	    cmocka_unit_test(attack_097_scram_is_not_done_before_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
