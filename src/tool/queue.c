/* queue.c - stead queue: what waits to go out, and what becomes of it. */
#include "base/clock.h"
#include "base/text.h"
#include "talk/spool.h"
#include "tool/command.h"

#include <inttypes.h>

enum { ID_DIGITS = 16 };

/* What each is called, for people and in JSON. */
static const char *
state_text(const struct spool_head *h, const struct spool_rcpt *r)
{
	if (r->state == SPOOL_GIVEN_UP)
		return "failed";
	if (h->flags & SPOOL_HELD)
		return "held";
	return r->tries ? "deferred" : "new";
}

/* ---- for people ---- */

static void
print_span(uint64_t s)
{
	if (s < 60)
		printf("%" PRIu64 " s", s);
	else if (s < 3600)
		printf("%" PRIu64 " min", s / 60);
	else if (s < 48 * 3600)
		printf("%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
	else
		printf("%" PRIu64 " days", s / 86400);
}

static void
print_size(uint64_t n)
{
	if (n < 10000)
		printf("%" PRIu64 " B", n);
	else if (n < 10000000)
		printf("%" PRIu64 " kB", n / 1000);
	else
		printf("%" PRIu64 " MB", n / 1000000);
}

static void
print_head(const struct spool_head *h, uint64_t now_s)
{
	printf("%" PRIx64 "  from <", h->id);
	command_print(stdout, h->sender);
	printf(">, ");
	print_size(h->size);
	printf(", ");
	print_span(now_s > h->created_s ? now_s - h->created_s : 0);
	printf(" old%s\n", h->flags & SPOOL_HELD ? ", held" : "");
}

static void
print_rcpt(const struct spool_head *h, const struct spool_rcpt *r, uint64_t now_s, bool whole)
{
	struct bytes reply = r->reply;

	printf("    to <");
	command_print(stdout, r->address);
	printf(">: %s", state_text(h, r));
	if (r->tries)
		printf(", %u %s", r->tries, r->tries == 1 ? "try" : "tries");
	if (r->state == SPOOL_WAITING && !(h->flags & SPOOL_HELD)) {
		printf(", next ");
		if (r->next_s > now_s) {
			printf("in ");
			print_span(r->next_s - now_s);
		} else {
			printf("now");
		}
	}
	printf("\n");
	if (!reply.n)
		return;
	if (!whole && reply.n > 100)
		reply.n = 100;
	printf("        ");
	if (r->server.n) {
		command_print(stdout, r->server);
		printf(": ");
	}
	while (reply.n) { /* a server's lines follow each other on one */
		command_print(stdout, text_trim(text_cut(&reply, '\n')));
		printf("%s", reply.n ? " " : "");
	}
	printf("\n");
}

/* ---- for programs ---- */

static void
json_rcpt(const struct spool_head *h, const struct spool_rcpt *r)
{
	printf("{\"address\": ");
	command_json(r->address);
	printf(", \"state\": \"%s\", \"tries\": %u, \"next_s\": %" PRIu64, state_text(h, r),
	       r->tries, r->next_s);
	if (r->status[0])
		printf(", \"status\": \"%u.%u.%u\"", r->status[0], r->status[1], r->status[2]);
	printf(", \"server\": ");
	command_json(r->server);
	printf(", \"reply\": ");
	command_json(r->reply);
	printf("}");
}

static void
json_head(const struct spool_head *h, uint64_t now_s)
{
	printf("{\"id\": \"%" PRIx64 "\", \"created_s\": %" PRIu64 ", \"age_s\": %" PRIu64
	       ", \"size\": %" PRIu64 ", \"held\": %s, \"sender\": ",
	       h->id, h->created_s, now_s > h->created_s ? now_s - h->created_s : 0, h->size,
	       h->flags & SPOOL_HELD ? "true" : "false");
	command_json(h->sender);
	printf(", \"recipients\": [");
}

/* ---- listing ---- */

struct listing {
	bool json, whole;
	uint64_t now_s, last; /* the id that was shown last */
	size_t shown;
};

static bool
show_page(struct listing *l, struct bytes rows)
{
	struct rd r = rd_of(rows);
	struct spool_head h;
	struct spool_rcpt rcpt;
	uint16_t n;

	while (spool_head_get(&r, &h, &n)) {
		if (l->json) {
			printf("%s\n  ", l->shown ? "," : "");
			json_head(&h, l->now_s);
		} else {
			print_head(&h, l->now_s);
		}
		for (uint16_t i = 0; i < n && spool_rcpt_get(&r, &rcpt); i++) {
			if (l->json) {
				printf("%s", i ? ", " : "");
				json_rcpt(&h, &rcpt);
			} else {
				print_rcpt(&h, &rcpt, l->now_s, l->whole);
			}
		}
		if (l->json)
			printf("]}");
		l->last = h.id;
		l->shown++;
	}
	return !r.bad;
}

static int
list(struct client *c, struct listing *l, uint64_t only)
{
	struct talk_queue_list word = {.only = only};
	struct talk_queue_list_answer a = {.more = 1};
	struct chan_word w;
	int code = EXIT_DONE;

	l->now_s = clock_wall_s();
	if (l->json)
		printf("[");
	while (code == EXIT_DONE && a.more) {
		if (!is_ok(client_ask(c, talk_queue_list_out(&word), -1, &w)) ||
		    !talk_queue_list_answer_get(&w.body, &a)) {
			code = EXIT_FAILED;
			break;
		}
		if (a.code == ERR_NOTFOUND)
			code = command_answered(a.code,
			                        BYTES("no message of this id is in the queue"));
		else
			code = command_answered(a.code, NO_BYTES);
		if (!show_page(l, a.rows))
			code = EXIT_FAILED;
		a.more = a.more && l->last > word.after && !only;
		word.after = l->last;
	}
	if (l->json)
		printf("%s]\n", l->shown ? "\n" : "");
	else if (code == EXIT_DONE && !l->shown)
		printf("the queue is empty\n");
	return code;
}

/* ---- changing ---- */

static int
change(struct client *c, enum queue_change what, uint64_t id)
{
	static const char *const done[] = {[QUEUE_RETRY] = "to be tried now",
	                                   [QUEUE_HOLD] = "held",
	                                   [QUEUE_RELEASE] = "released",
	                                   [QUEUE_REMOVE] = "removed"};
	const struct talk_queue_change word = {.id = id, .what = (uint8_t)what};
	struct talk_queue_change_answer a;
	struct chan_word w;
	int code = EXIT_FAILED;

	if (is_ok(client_ask(c, talk_queue_change_out(&word), -1, &w)) &&
	    talk_queue_change_answer_get(&w.body, &a)) {
		code = command_answered(a.code, a.text);
		if (code == EXIT_DONE)
			printf("%u %s %s\n", a.count, a.count == 1 ? "message" : "messages",
			       done[what]);
	}
	return code;
}

/* An id as `list` shows it; "all" is 0 where that may be said. */
static bool
read_id(const char *text, bool may_all, uint64_t *id)
{
	size_t n = strlen(text);

	*id = 0;
	if (may_all && !strcmp(text, "all"))
		return true;
	for (size_t i = 0; i < n; i++) {
		int digit = text_hex_digit((uint8_t)text[i]);

		if (digit < 0 || n > ID_DIGITS)
			return false;
		*id = *id << 4 | (unsigned)digit;
	}
	return *id != 0;
}

/* What may stand behind `stead queue`. */
static const struct verb {
	const char *name;
	enum { NO_ID, MAY_ID, ONE_ID, ID_OR_ALL } id;
	enum queue_change change; /* 0: it shows */
} verbs[] = {
    {"list", NO_ID, 0},
    {"show", ONE_ID, 0},
    {"retry", MAY_ID, QUEUE_RETRY},
    {"hold", ID_OR_ALL, QUEUE_HOLD},
    {"release", ID_OR_ALL, QUEUE_RELEASE},
    {"remove", ID_OR_ALL, QUEUE_REMOVE},
};

static const struct verb *
verb_of(const char *name)
{
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static int
queue(const struct command_env *env, int argc, char **argv)
{
	struct listing l = {.json = command_flag(&argc, argv, "--json")};
	const struct verb *v = verb_of(argc > 1 ? argv[1] : "list");
	uint64_t id = 0;
	struct client *c;
	int code;

	if (command_unknown(argc, argv))
		return command_usage(env, "unknown option");
	if (!v)
		return command_usage(env, "it is not known what that is to do");
	if (argc > 3 || (argc == 3 && v->id == NO_ID))
		return command_usage(env, "too many words");
	if (argc < 3 && (v->id == ONE_ID || v->id == ID_OR_ALL))
		return command_usage(env, "which message?  `stead queue list` shows their ids");
	if (l.json && v->change)
		return command_usage(env, "--json is for list and show");
	if (argc == 3 && !read_id(argv[2], v->change != 0, &id))
		return command_usage(env, "this is not an id as `stead queue list` shows them");
	l.whole = id != 0;
	if (!is_ok(client_open(&c, env->dir, env->serve)))
		return EXIT_FAILED;
	code = v->change ? change(c, v->change, id) : list(c, &l, id);
	client_close(c);
	return code;
}

const struct command queue_commands[] = {
    {"queue", "[list|show ID|retry [ID]|hold ID|release ID|remove ID] [--json]",
     "List outgoing mail, or change what becomes of it; hold, release, remove take all, too.",
     queue},
    {0},
};
