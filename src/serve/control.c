/* control.c - a session is a channel to a tool, with one open question at a time. */
#include "serve/control.h"

#include "base/log.h"
#include "talk/report.h"

#include <stdlib.h>

enum { TOOLS_MAX = 64, ASK_MS = 60 * 1000, ADDRESS_MAX_ = 320, PASSWORD_MAX_ = 1024 };

/* A change of a user, between its words. */
struct user_change {
	enum word word;
	uint8_t address[ADDRESS_MAX_], password[PASSWORD_MAX_];
	size_t address_n, password_n;
	bool added;   /* box has the account: to be taken back when auth refuses */
	uint8_t code; /* why auth refused */
};

struct tool {
	struct control *control;
	struct tool *next, **link;
	struct chan *chan;
	uint32_t seq; /* of the open question, 0: none */
	enum word word;
	struct chan_ask ask;
	struct user_change user;
};

struct control {
	struct loop *loop;
	struct peers *peers;
	struct tool *first;
	size_t tools;
	uint64_t asked;
};

static void
tool_free(struct tool *t)
{
	chan_ask_stop(&t->ask);
	chan_close(t->chan);
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	t->control->tools--;
	explicit_bzero(&t->user, sizeof(t->user));
	free(t);
}

/* ---- words that go on as they are ---- */

static enum role
target(enum word word)
{
	switch ((int)word) {
	case WORD_PEOPLE_CHANGE:
	case WORD_PEOPLE_LIST:
		return ROLE_BOX;
	case WORD_ZONE_IMPORT:
	case WORD_ZONE_EXPORT:
	case WORD_ZONE_LIST:
		return ROLE_ZONE;
	case WORD_QUEUE_LIST:
	case WORD_QUEUE_CHANGE:
		return ROLE_QUEUE;
	default:
		return ROLE_MASTER;
	}
}

static void
forward_failed(struct tool *t)
{
	/* without an answer the tool sees the channel close, and says that the server is busy */
	log_event(LOG_ERROR, "control.no_answer", kv_u64("word", (uint64_t)t->word));
	tool_free(t);
}

static void
forwarded(void *owner, struct err e, struct chan_word *w)
{
	struct tool *t = owner;
	const struct talk_row *row = talk_row((uint16_t)t->word);
	union talk_any *answer = calloc(1, sizeof(*answer));
	uint32_t seq = t->seq;

	t->seq = 0;
	if (!answer || !is_ok(e) || !row->answer.get(&w->body, answer))
		forward_failed(t);
	else
		chan_answer(t->chan, seq, (struct talk_out){t->word, true, answer}, w->fd);
	free(answer);
}

static void
forward(struct tool *t, struct chan_word *w)
{
	const struct talk_row *row = talk_row((uint16_t)w->word);
	struct chan *to = peers_chan(t->control->peers, target(w->word), 0);
	union talk_any *word = calloc(1, sizeof(*word));

	t->seq = w->seq;
	t->word = w->word;
	if (!word || !to || !row->said.get(&w->body, word) ||
	    !is_ok(chan_ask(to, &t->ask, (struct talk_out){w->word, false, word}, w->fd, ASK_MS,
	                    forwarded, t)))
		forward_failed(t);
	free(word);
}

/* ---- users ---- */

static struct bytes
address_of(const struct tool *t)
{
	return (struct bytes){t->user.address, t->user.address_n};
}

static void
answer_user(struct tool *t, uint8_t code, struct bytes text)
{
	const struct talk_user_add_answer add = {.code = code, .text = text};
	const struct talk_user_passwd_answer passwd = {.code = code, .text = text};
	const struct talk_user_del_answer del = {.code = code, .text = text};
	uint32_t seq = t->seq;

	t->seq = 0;
	explicit_bzero(t->user.password, sizeof(t->user.password));
	if (!code)
		log_event(LOG_INFO,
		          t->user.word == WORD_USER_ADD   ? "user.added"
		          : t->user.word == WORD_USER_DEL ? "user.removed"
		                                          : "user.password_set",
		          kv_text("user", address_of(t)));
	if (t->user.word == WORD_USER_ADD)
		chan_answer(t->chan, seq, talk_user_add_answer_out(&add), -1);
	else if (t->user.word == WORD_USER_PASSWD)
		chan_answer(t->chan, seq, talk_user_passwd_answer_out(&passwd), -1);
	else
		chan_answer(t->chan, seq, talk_user_del_answer_out(&del), -1);
}

/* Asks a role; when it is away the answer is "not now". */
static void
ask(struct tool *t, enum role role, struct talk_out word, chan_answered *answered)
{
	struct chan *to = peers_chan(t->control->peers, role, 0);

	if (!to || !is_ok(chan_ask(to, &t->ask, word, -1, ASK_MS, answered, t)))
		answer_user(t, ERR_LATER, BYTES("the server is busy starting: try again"));
}

static void
ask_box(struct tool *t, enum people_change what, chan_answered *answered)
{
	const struct talk_people_change word = {.what = (uint8_t)what, .name = address_of(t)};

	ask(t, ROLE_BOX, talk_people_change_out(&word), answered);
}

/* What to say when auth has not set the password. */
static struct bytes
no_password(uint8_t code)
{
	if (code == ERR_SYNTAX || code == ERR_RANGE)
		return BYTES("this password cannot be taken: 1 to 1024 bytes, without a NUL");
	if (code == ERR_FULL)
		return BYTES("the disk is full");
	return BYTES("the server is busy: try again");
}

static void
taken_back(void *owner, struct err e, struct chan_word *w)
{
	struct tool *t = owner;
	struct talk_people_change_answer a = {.code = ERR_LATER};

	if (is_ok(e) && !talk_people_change_answer_get(&w->body, &a))
		a.code = ERR_LATER;
	answer_user(t, t->user.code,
	            a.code ? BYTES("the user was added, but has no password yet: "
	                           "`stead user passwd` sets one")
	                   : no_password(t->user.code));
}

static void
password_set(void *owner, struct err e, struct chan_word *w)
{
	struct tool *t = owner;
	struct talk_auth_set_answer a = {.code = ERR_LATER};

	if (is_ok(e) && !talk_auth_set_answer_get(&w->body, &a))
		a.code = ERR_LATER;
	t->user.code = a.code;
	if (a.code && t->user.added)
		ask_box(t, PEOPLE_REMOVE_ACCOUNT, taken_back);
	else
		answer_user(t, a.code, a.code ? no_password(a.code) : NO_BYTES);
}

static void
account_known(void *owner, struct err e, struct chan_word *w)
{
	struct tool *t = owner;
	struct talk_people_change_answer a = {.code = ERR_LATER};
	struct talk_auth_set word = {.address = address_of(t),
	                             .password = {t->user.password, t->user.password_n}};

	if (is_ok(e) && !talk_people_change_answer_get(&w->body, &a))
		a.code = ERR_LATER;
	if (a.code) {
		answer_user(t, a.code, a.text.n ? a.text : BYTES("the server is busy: try again"));
		return;
	}
	t->user.added = t->user.word == WORD_USER_ADD;
	word.account = a.account;
	ask(t, ROLE_AUTH, talk_auth_set_out(&word), password_set);
}

static void
account_removed(void *owner, struct err e, struct chan_word *w)
{
	struct talk_people_change_answer a = {.code = ERR_LATER};

	if (is_ok(e) && !talk_people_change_answer_get(&w->body, &a))
		a.code = ERR_LATER;
	answer_user(owner, a.code, a.text);
}

static void
login_removed(void *owner, struct err e, struct chan_word *w)
{
	struct talk_auth_remove_answer a = {.code = ERR_LATER};

	if (is_ok(e) && !talk_auth_remove_answer_get(&w->body, &a))
		a.code = ERR_LATER;
	if (a.code)
		answer_user(owner, a.code, BYTES("the server is busy: try again"));
	else
		ask_box(owner, PEOPLE_REMOVE_ACCOUNT, account_removed);
}

static void
user_keep(struct user_change *u, enum word word, struct bytes address, struct bytes password)
{
	*u = (struct user_change){.word = word, .address_n = address.n, .password_n = password.n};
	if (address.n)
		memcpy(u->address, address.p, address.n);
	if (password.n)
		memcpy(u->password, password.p, password.n);
}

/* False: the word is not one about users. */
static bool
on_user(struct tool *t, struct chan_word *w)
{
	struct talk_user_add add;
	struct talk_user_passwd passwd;
	struct talk_user_del del;

	t->seq = w->seq;
	if (w->word == WORD_USER_ADD && talk_user_add_get(&w->body, &add)) {
		user_keep(&t->user, w->word, add.address, add.password);
		ask_box(t, PEOPLE_ADD_ACCOUNT, account_known);
	} else if (w->word == WORD_USER_PASSWD && talk_user_passwd_get(&w->body, &passwd)) {
		user_keep(&t->user, w->word, passwd.address, passwd.password);
		ask_box(t, PEOPLE_FIND_ACCOUNT, account_known);
	} else if (w->word == WORD_USER_DEL && talk_user_del_get(&w->body, &del)) {
		const struct talk_auth_remove word = {.address = del.address};

		user_keep(&t->user, w->word, del.address, NO_BYTES);
		ask(t, ROLE_AUTH, talk_auth_remove_out(&word), login_removed);
	} else {
		return false;
	}
	return true;
}

/* ---- sessions ---- */

static void
heard(void *owner, struct chan *c, struct chan_word *w)
{
	struct tool *t = owner;

	(void)c;
	t->control->asked++;
	if (t->seq) { /* one question at a time */
		tool_free(t);
		return;
	}
	if (!on_user(t, w))
		forward(t, w);
}

static void
gone(void *owner, struct chan *c, struct err why)
{
	(void)c;
	(void)why;
	tool_free(owner);
}

static const struct chan_handlers handlers = {heard, gone};

void
control_accept(struct control *c, int fd)
{
	struct tool *t = c->tools < TOOLS_MAX ? calloc(1, sizeof(*t)) : NULL;
	struct err e;

	if (!t) {
		loop_close_fd(c->loop, fd);
		return;
	}
	t->control = c;
	t->next = c->first;
	t->link = &c->first;
	if (t->next)
		t->next->link = &t->next;
	c->first = t;
	c->tools++;
	e = chan_open(&t->chan, c->loop, fd, ROLE_CTL, ROLE_TOOL, &handlers, t);
	if (!is_ok(e)) {
		t->chan = NULL;
		tool_free(t);
	}
}

void
control_status(const struct control *c, struct wr *counters)
{
	report_put_counter(counters, "tools", c->tools);
	report_put_counter(counters, "asked", c->asked);
}

struct err
control_open(struct control **out, struct loop *loop, struct peers *peers)
{
	struct control *c = calloc(1, sizeof(*c));

	if (!c)
		return ERR(ERR_MEMORY, 0, "control");
	c->loop = loop;
	c->peers = peers;
	*out = c;
	return OK;
}

void
control_close(struct control *c)
{
	if (!c)
		return;
	while (c->first)
		tool_free(c->first);
	free(c);
}
