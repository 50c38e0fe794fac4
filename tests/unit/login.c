/* login.c - logins of a front against an auth that answers when it is told to. */
#include "serve/login.h"

#include "base/random.h"
#include "net/loop_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { SESSIONS = FRONT_LOGINS + 4, ASKED = 64 };

struct place;
struct visitor {
	struct place *place;
	struct login login;
	struct purse_peer *peer;
	int turns, results;
	enum login_result result;
};

struct place {
	struct loop *loop;
	struct random *random;
	struct peers *mail, *auth, *box;
	struct front front;
	struct visitor visitors[SESSIONS];
	struct asker asked[ASKED]; /* what auth was asked and has not answered, the oldest first */
	size_t n_asked;
	enum word last;
	int left; /* handles that box was told of */
};

static void
no_word(void *owner, const struct peer *p, struct chan_word *w)
{
	(void)owner;
	(void)p;
	(void)w;
	fail();
}

static void
auth_word(void *owner, const struct peer *p, struct chan_word *w)
{
	struct place *place = owner;

	assert_true(place->n_asked < ASKED);
	place->last = w->word;
	place->asked[place->n_asked++] = peers_asker(p, w);
}

static void
box_word(void *owner, const struct peer *p, struct chan_word *w)
{
	struct talk_box_leave t;

	(void)p;
	assert_int_equal(w->word, WORD_BOX_LEAVE);
	assert_true(talk_box_leave_get(&w->body, &t));
	assert_int_equal(t.handle.b[0], 0x11);
	((struct place *)owner)->left++;
}

static const struct peers_handlers mail_handlers = {no_word, NULL, NULL},
				   auth_handlers = {auth_word, NULL, NULL},
				   box_handlers = {box_word, NULL, NULL};

static void
join(struct place *p, struct peers *a, enum role a_role, struct peers *b, enum role b_role)
{
	int fd[2];

	assert_true(is_ok(loop_pair(p->loop, LOOP_MESSAGES, fd)));
	assert_true(is_ok(peers_add(a, b_role, 0, fd[0])));
	assert_true(is_ok(peers_add(b, a_role, 0, fd[1])));
}

static void
turn(void *owner)
{
	((struct visitor *)owner)->turns++;
}

static void
done(void *owner, enum login_result result)
{
	struct visitor *v = owner;

	v->results++;
	v->result = result;
}

static void
init(struct place *p, const char *from)
{
	struct addr ip;

	memset(p, 0, sizeof(*p));
	assert_true(addr_parse(bytes_of(from), 0, &ip));
	p->random = random_seeded(1);
	assert_true(is_ok(loop_sim_open(&p->loop, 1)));
	assert_true(is_ok(peers_open(&p->mail, p->loop, ROLE_MAIL, &mail_handlers, p)));
	assert_true(is_ok(peers_open(&p->auth, p->loop, ROLE_AUTH, &auth_handlers, p)));
	assert_true(is_ok(peers_open(&p->box, p->loop, ROLE_BOX, &box_handlers, p)));
	join(p, p->mail, ROLE_MAIL, p->auth, ROLE_AUTH);
	join(p, p->mail, ROLE_MAIL, p->box, ROLE_BOX);
	assert_true(is_ok(front_init(&p->front, p->loop, p->random, p->mail, 0, 0)));
	for (size_t i = 0; i < SESSIONS; i++) {
		struct visitor *v = &p->visitors[i];

		v->place = p;
		v->peer = front_enter(&p->front, &ip);
		assert_non_null(v->peer);
		login_init(&v->login, &p->front, v->peer, &ip, PROTOCOL_POP3, turn, v);
	}
}

static void
settle(struct place *p)
{
	sim_run(p->loop, 1000);
}

static void
fini(struct place *p)
{
	for (size_t i = 0; i < SESSIONS; i++) {
		login_fini(&p->visitors[i].login);
		front_leave(&p->front, p->visitors[i].peer);
	}
	assert_null(p->front.waiting);
	settle(p);
	peers_close(p->mail);
	peers_close(p->auth);
	peers_close(p->box);
	front_fini(&p->front);
	assert_int_equal(sim_open_fds(p->loop), 0);
	loop_close(p->loop);
	random_close(p->random);
}

/* Answers the oldest question of its kind. */
static void
answer(struct place *p, struct talk_out word)
{
	assert_true(p->n_asked > 0);
	assert_true(peers_answer(p->auth, p->asked[0], word, -1));
	p->n_asked--;
	memmove(p->asked, p->asked + 1, p->n_asked * sizeof(p->asked[0]));
	settle(p);
}

static void
say(struct place *p, uint8_t code)
{
	const struct talk_auth_login_answer a = {
	    .code = code, .handle = {{0x11}}, .account = code ? 0 : 7};

	answer(p, talk_auth_login_answer_out(&a));
}

static bool
ask(struct visitor *v)
{
	return login_password(&v->login, BYTES("alice"), BYTES("secret"), done);
}

static const struct {
	uint8_t code;
	enum login_result result;
} results[] = {
    {0, LOGIN_OK}, {ERR_DENIED, LOGIN_DENIED}, {ERR_LATER, LOGIN_LATER}, {ERR_FULL, LOGIN_LATER}};

static void
a_password(void **state)
{
	struct place p;

	(void)state;
	init(&p, "192.0.2.1:1");
	for (size_t i = 0; i < COUNT(results); i++) {
		struct visitor *v = &p.visitors[i];

		assert_true(ask(v));
		assert_true(login_busy(&v->login));
		settle(&p);
		say(&p, results[i].code);
		assert_false(login_busy(&v->login));
		assert_int_equal(v->results, 1);
		assert_int_equal(v->result, results[i].result);
		assert_int_equal(v->login.has_handle, !results[i].code);
	}
	assert_int_equal(p.visitors[0].login.account, 7);
	login_leave(&p.visitors[0].login);
	login_leave(&p.visitors[0].login);
	settle(&p);
	assert_int_equal(p.left, 1);
	fini(&p);
}

/* Who logs in again leaves what he had; so does who goes away. */
static void
a_handle_is_left_once(void **state)
{
	struct place p;

	(void)state;
	init(&p, "192.0.2.1:1");
	for (int i = 0; i < 2; i++) {
		assert_true(ask(&p.visitors[0]));
		settle(&p);
		assert_int_equal(p.left, i);
		say(&p, 0);
	}
	login_fini(&p.visitors[0].login);
	settle(&p);
	assert_int_equal(p.left, 2);
	fini(&p);
	assert_int_equal(p.left, 2);
}

/* The handle was told to a box that is no more: the next one knows nothing of it. */
static void
box_begins_anew_meanwhile(void **state)
{
	struct visitor *v;
	struct place p;

	(void)state;
	init(&p, "192.0.2.1:1");
	v = &p.visitors[0];
	for (int back = 0; back < 2; back++) {
		assert_true(ask(v));
		settle(&p);
		peers_hang_up(p.box);
		settle(&p);
		if (back)
			join(&p, p.mail, ROLE_MAIL, p.box, ROLE_BOX);
		say(&p, 0);
		assert_int_equal(v->result, LOGIN_LATER);
		assert_false(v->login.has_handle);
		join(&p, p.mail, ROLE_MAIL, p.box, ROLE_BOX);
	}
	assert_true(ask(v));
	settle(&p);
	say(&p, 0);
	assert_int_equal(v->result, LOGIN_OK);
	fini(&p);
	assert_int_equal(p.left, 2); /* also one that it was perhaps not told of */
}

/* Attack 164: eight of a network are under way, and all others are looked at when one is over. */
static void
a_network_has_so_many_at_a_time(void **state)
{
	struct place p;

	(void)state;
	init(&p, "192.0.2.1:1");
	for (size_t i = 0; i < SESSIONS; i++) {
		struct visitor *v = &p.visitors[i];

		assert_int_equal(login_waits(&v->login), i >= FRONT_LOGINS);
		if (i < FRONT_LOGINS)
			assert_true(ask(v));
	}
	settle(&p);
	assert_int_equal(p.n_asked, FRONT_LOGINS);
	assert_int_equal(p.visitors[FRONT_LOGINS].turns, 0);
	say(&p, ERR_DENIED);
	for (size_t i = FRONT_LOGINS; i < SESSIONS; i++)
		assert_int_equal(p.visitors[i].turns, 1);
	assert_false(login_waits(&p.visitors[FRONT_LOGINS].login));
	assert_true(ask(&p.visitors[FRONT_LOGINS]));
	assert_true(login_waits(&p.visitors[FRONT_LOGINS + 1].login));
	login_fini(&p.visitors[FRONT_LOGINS + 1].login); /* it goes while it waits */
	while (p.n_asked)
		say(&p, 0);
	assert_int_equal(p.visitors[0].peer->logins, 0);
	assert_false(login_waits(&p.visitors[1].login));
	fini(&p);
}

/* A session that is freed while auth is at it hears nothing, and counts no more. */
static void
a_session_that_ends_within(void **state)
{
	struct place p;

	(void)state;
	init(&p, "192.0.2.1:1");
	assert_true(ask(&p.visitors[0]));
	settle(&p);
	login_fini(&p.visitors[0].login);
	assert_int_equal(p.visitors[0].peer->logins, 0);
	say(&p, 0);
	assert_int_equal(p.visitors[0].results, 0);
	fini(&p);
}

static void
without_auth(void **state)
{
	static const uint8_t nonce[SASL_NONCE];
	const struct bytes initial = BYTES("AGJvYgBzZWNyZXQ=");
	struct sasl *x = sasl_new(SASL_PLAIN, nonce);
	struct place p;

	(void)state;
	init(&p, "192.0.2.1:1");
	assert_true(ask(&p.visitors[0]));
	settle(&p);
	peers_hang_up(p.auth);
	settle(&p);
	assert_int_equal(p.visitors[0].result, LOGIN_LATER);
	assert_false(ask(&p.visitors[0]));
	assert_int_equal(sasl_begin(x, &initial), SASL_PASSWORD);
	assert_false(login_sasl(&p.visitors[0].login, x, done));
	assert_int_equal(sasl_want(x), SASL_FAILED);
	assert_int_equal(sasl_failure(x), SASL_BY_US);
	assert_int_equal(p.visitors[0].results, 1);
	sasl_free(x);
	fini(&p);
}

static void
scram_step_by_step(void **state)
{
	static const uint8_t nonce[SASL_NONCE];
	const struct bytes initial = BYTES("biwsbj1ib2Iscj1DTk9OQ0U="); /* n,,n=bob,r=CNONCE */
	const struct bytes final = BYTES(
	    "Yz1iaXdzLHI9Q05PTkNFQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBLHA9Y0hCd2NIQndjSEJ3Y0hCd2NIQn"
	    "djSEJ3Y0hCd2NIQndjSEJ3Y0hCd2NIQT0=");
	const struct talk_auth_salt_answer salt = {.salt = BYTES("salt"), .iterations = 4096};
	struct talk_auth_scram_answer scram = {
	    .handle = {{0x11}}, .account = 7, .signature = BYTES("signature")};
	struct place p;

	(void)state;
	init(&p, "192.0.2.1:1");
	for (int denied = 0; denied < 2; denied++) {
		struct visitor *v = &p.visitors[denied];
		struct sasl *x = sasl_new(SASL_SCRAM_SHA_256, nonce);

		assert_int_equal(sasl_begin(x, &initial), SASL_SALT);
		assert_true(login_sasl(&v->login, x, done));
		settle(&p);
		assert_int_equal(p.last, WORD_AUTH_SALT);
		answer(&p, talk_auth_salt_answer_out(&salt));
		assert_int_equal(v->result, LOGIN_MORE);
		assert_int_equal(sasl_line(x, final), SASL_PROOF);
		assert_true(login_sasl(&v->login, x, done));
		settle(&p);
		assert_int_equal(p.last, WORD_AUTH_SCRAM);
		scram.code = denied ? ERR_DENIED : 0;
		answer(&p, talk_auth_scram_answer_out(&scram));
		assert_int_equal(v->result, denied ? LOGIN_DENIED : LOGIN_OK);
		assert_int_equal(v->login.has_handle, !denied);
		assert_int_equal(sasl_want(x), denied ? SASL_FAILED : SASL_CHALLENGE);
		sasl_free(x);
	}
	fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_password),
	    cmocka_unit_test(a_handle_is_left_once),
	    cmocka_unit_test(box_begins_anew_meanwhile),
	    cmocka_unit_test(a_network_has_so_many_at_a_time),
	    cmocka_unit_test(a_session_that_ends_within),
	    cmocka_unit_test(without_auth),
	    cmocka_unit_test(scram_step_by_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
