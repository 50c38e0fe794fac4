/* front.c - certificates are replaced while sessions go on; a front drains. */
#include "serve/front.h"

#include "base/random.h"
#include "crypt/certificate.h"
#include "net/loop_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

struct place {
	struct loop *loop;
	struct random *random;
	struct peers *peers;
	struct front front;
	uint8_t pem[CERTIFICATE_MAX];
	struct bytes certificate;
	int drained;
};

static void
word(void *owner, const struct peer *p, struct chan_word *w)
{
	(void)owner;
	(void)p;
	(void)w;
}

static const struct peers_handlers handlers = {word, NULL, NULL};

static void
init(struct place *p)
{
	const struct bytes host = BYTES("mail.example.org");
	const struct certificate_subject subject = {
	    .common_name = host, .names = &host, .n = 1, .from = 1700000000, .days = 30};
	struct wr w = wr_of(p->pem, sizeof(p->pem));
	struct sign_key *key;

	assert_true(is_ok(tls_start()));
	assert_true(is_ok(sign_key_generate(&key)));
	assert_true(is_ok(certificate_make(key, &subject, &w)));
	sign_key_free(key);
	p->certificate = wr_since(&w, p->pem);
	p->drained = 0;
	p->random = random_seeded(1);
	assert_true(is_ok(loop_sim_open(&p->loop, 1)));
	assert_true(is_ok(peers_open(&p->peers, p->loop, ROLE_SMTP, &handlers, p)));
	assert_true(is_ok(front_init(&p->front, p->loop, p->random, p->peers, 0, 0)));
}

static void
fini(struct place *p)
{
	front_fini(&p->front);
	peers_close(p->peers);
	assert_int_equal(sim_open_fds(p->loop), 0);
	loop_close(p->loop);
	random_close(p->random);
}

static void
replace(struct place *p)
{
	assert_true(is_ok(front_certificate(&p->front, p->certificate, 0, BYTES("smtp"))));
}

static void
begin_tls(struct front_tls *held)
{
	struct tls *tls;

	assert_true(is_ok(tls_new(&tls, held->server)));
	tls_free(tls);
}

/* A session that began before may say STARTTLS when the certificate was replaced long ago. */
static void
a_session_keeps_the_certificate_that_it_began_with(void **state)
{
	struct front_tls *first, *second, *other;
	struct place p;

	(void)state;
	init(&p);
	assert_null(front_tls_enter(&p.front));
	front_tls_leave(&p.front, NULL);
	replace(&p);
	first = front_tls_enter(&p.front);
	other = front_tls_enter(&p.front);
	replace(&p);
	second = front_tls_enter(&p.front);
	replace(&p);
	assert_true(first == other && first != second);
	begin_tls(first);
	front_tls_leave(&p.front, other);
	begin_tls(first);
	begin_tls(second);
	front_tls_leave(&p.front, first);
	begin_tls(second);
	front_tls_leave(&p.front, second);
	first = front_tls_enter(&p.front); /* the newest stays, with and without sessions */
	front_tls_leave(&p.front, first);
	begin_tls(front_tls_enter(&p.front));
	front_tls_leave(&p.front, first);
	fini(&p);
}

static void
one_that_is_none_changes_nothing(void **state)
{
	struct place p;
	struct front_tls *held;

	(void)state;
	init(&p);
	assert_int_equal(front_certificate(&p.front, BYTES("none"), 0, BYTES("smtp")).code,
	                 ERR_SYNTAX);
	assert_null(front_tls_enter(&p.front));
	replace(&p);
	held = front_tls_enter(&p.front);
	assert_int_equal(front_certificate(&p.front, NO_BYTES, 0, BYTES("smtp")).code, ERR_SYNTAX);
	assert_ptr_equal(front_tls_enter(&p.front), held);
	front_tls_leave(&p.front, held);
	front_tls_leave(&p.front, held);
	fini(&p);
}

static void
on_drained(void *owner)
{
	((struct place *)owner)->drained++;
}

static void
it_drains_with_its_last_session(void **state)
{
	struct purse_peer *a, *b;
	struct addr peer;
	struct place p;

	(void)state;
	init(&p);
	assert_true(addr_parse(BYTES("192.0.2.1:1"), 0, &peer));
	a = front_enter(&p.front, &peer);
	b = front_enter(&p.front, &peer);
	assert_true(a && a == b);
	front_leave(&p.front, a);
	front_drain(&p.front, on_drained, &p);
	assert_null(front_enter(&p.front, &peer));
	assert_int_equal(p.drained, 0);
	front_leave(&p.front, b);
	assert_int_equal(p.drained, 1);
	front_drain(&p.front, on_drained, &p); /* none is left: at once */
	assert_int_equal(p.drained, 2);
	fini(&p);
}

static void
a_network_has_its_share(void **state)
{
	struct purse_peer *held[FRONT_CONNECTIONS], *other;
	struct addr peer, stranger;
	struct place p;

	(void)state;
	init(&p);
	assert_true(addr_parse(BYTES("192.0.2.1:1"), 0, &peer));
	assert_true(addr_parse(BYTES("192.0.2.2:1"), 0, &stranger));
	for (size_t i = 0; i < COUNT(held); i++)
		assert_non_null(held[i] = front_enter(&p.front, &peer));
	assert_null(front_enter(&p.front, &peer));
	assert_non_null(other = front_enter(&p.front, &stranger));
	front_leave(&p.front, other);
	for (size_t i = 0; i < COUNT(held); i++)
		front_leave(&p.front, held[i]);
	assert_int_equal(p.front.sessions, 0);
	assert_int_equal(purses_count(p.front.purses), 0);
	fini(&p);
}

/* A proxy on this machine has many clients behind one address. */
static void
loopback_has_a_larger_share(void **state)
{
	struct purse_peer *held[FRONT_CONNECTIONS + 1];
	struct addr own;
	struct place p;

	(void)state;
	init(&p);
	assert_true(addr_parse(BYTES("127.0.0.1:1"), 0, &own));
	for (size_t i = 0; i < COUNT(held); i++)
		assert_non_null(held[i] = front_enter(&p.front, &own));
	assert_int_equal(held[0]->connections.cap, FRONT_SESSIONS);
	assert_int_equal(held[0]->bytes.cap, FRONT_OWN_BYTES);
	for (size_t i = 0; i < COUNT(held); i++)
		front_leave(&p.front, held[i]);
	assert_int_equal(purses_count(p.front.purses), 0);
	fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_session_keeps_the_certificate_that_it_began_with),
	    cmocka_unit_test(one_that_is_none_changes_nothing),
	    cmocka_unit_test(it_drains_with_its_last_session),
	    cmocka_unit_test(a_network_has_its_share),
	    cmocka_unit_test(loopback_has_a_larger_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
