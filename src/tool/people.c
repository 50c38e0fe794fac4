/* people.c - stead user, domain and alias. */
#include "base/text.h"
#include "talk/report.h"
#include "tool/zone.h"

#include <stdlib.h>
#include <unistd.h>

enum { IMPORT_MAX = 64 * 1024 * 1024, ADDRESS_MAX_ = 320, TARGETS_MAX = 32768 };

/* Says when a name cannot travel at all; the server judges the rest. */
static bool
fits(const char *name)
{
	if (strlen(name) <= ADDRESS_MAX_)
		return true;
	fprintf(stderr, "stead: this name is too long\n");
	return false;
}

/* ---- users ---- */

static int
say_user(struct client *c, bool add, struct bytes address, struct bytes password)
{
	const struct talk_user_add added = {.address = address, .password = password};
	const struct talk_user_passwd changed = {.address = address, .password = password};
	struct talk_user_add_answer a;
	struct talk_user_passwd_answer p;
	struct chan_word w;

	if (!is_ok(client_ask(c, add ? talk_user_add_out(&added) : talk_user_passwd_out(&changed),
	                      -1, &w)))
		return EXIT_FAILED;
	if (add)
		return talk_user_add_answer_get(&w.body, &a) ? command_answered(a.code, a.text)
		                                             : EXIT_FAILED;
	return talk_user_passwd_answer_get(&w.body, &p) ? command_answered(p.code, p.text)
	                                                : EXIT_FAILED;
}

static int
user_set(const struct command_env *env, int argc, char **argv, bool add)
{
	bool from_stdin = command_flag(&argc, argv, "--password-stdin");
	char password[COMMAND_PASSWORD_MAX + 2];
	struct client *c;
	int code = EXIT_FAILED;

	if (command_unknown(argc, argv) || argc != 2)
		return command_usage(env, argc == 2 ? "unknown option" : "which user?");
	if (fits(argv[1]) && command_password("Password", from_stdin, password) &&
	    is_ok(client_open(&c, env->dir, env->serve))) {
		code = say_user(c, add, bytes_of(argv[1]), bytes_of(password));
		client_close(c);
	}
	explicit_bzero(password, sizeof(password));
	return code;
}

static int
user_add(const struct command_env *env, int argc, char **argv)
{
	return user_set(env, argc, argv, true);
}

static int
user_passwd(const struct command_env *env, int argc, char **argv)
{
	return user_set(env, argc, argv, false);
}

/* Lines ADDRESS:PASSWORD; goes on behind a line that fails, and says which. */
static int
import_lines(struct client *c, const char *file, struct bytes text)
{
	unsigned line = 0, failed = 0, done = 0;

	while (text.n) {
		struct bytes rest = text_cut(&text, '\n');
		struct bytes address = text_trim(text_cut(&rest, ':'));

		line++;
		if (rest.n && rest.p[rest.n - 1] == '\r')
			rest.n--;
		if (!address.n || address.p[0] == '#')
			continue;
		if (rest.n && rest.n <= COMMAND_PASSWORD_MAX && address.n <= ADDRESS_MAX_ &&
		    say_user(c, true, address, rest) == EXIT_DONE) {
			done++;
			continue;
		}
		fprintf(stderr, "%s:%u: not added\n", file, line);
		failed++;
	}
	fprintf(stderr, "%u added, %u not\n", done, failed);
	return failed ? EXIT_FAILED : EXIT_DONE;
}

static int
user_import(const struct command_env *env, int argc, char **argv)
{
	struct bytes text;
	struct client *c;
	int code;

	if (argc != 2)
		return command_usage(env, "which file?");
	if (!is_ok(command_read(argv[1], IMPORT_MAX, &text)))
		return EXIT_FAILED;
	code = EXIT_FAILED;
	if (is_ok(client_open(&c, env->dir, env->serve))) {
		code = import_lines(c, argv[1], text);
		client_close(c);
	}
	explicit_bzero((void *)(uintptr_t)text.p, text.n);
	free((void *)(uintptr_t)text.p);
	return code;
}

static int
user_del(const struct command_env *env, int argc, char **argv)
{
	struct talk_user_del word;
	struct talk_user_del_answer a;
	struct chan_word w;
	struct client *c;
	int code = EXIT_FAILED;

	if (argc != 2)
		return command_usage(env, "which user?");
	word.address = bytes_of(argv[1]);
	if (!fits(argv[1]) || !is_ok(client_open(&c, env->dir, env->serve)))
		return EXIT_FAILED;
	if (is_ok(client_ask(c, talk_user_del_out(&word), -1, &w)) &&
	    talk_user_del_answer_get(&w.body, &a))
		code = command_answered(a.code, a.text);
	client_close(c);
	return code;
}

/* ---- lists ---- */

static int
list(const struct command_env *env, enum people_kind kind)
{
	struct talk_people_list word = {.what = (uint8_t)kind};
	struct talk_people_list_answer a = {.more = 1};
	uint8_t after[ADDRESS_MAX_];
	struct chan_word w;
	struct client *c;
	int code = EXIT_DONE;

	if (!is_ok(client_open(&c, env->dir, env->serve)))
		return EXIT_FAILED;
	while (code == EXIT_DONE && a.more) {
		struct bytes name = NO_BYTES;
		struct rd r;

		if (!is_ok(client_ask(c, talk_people_list_out(&word), -1, &w)) ||
		    !talk_people_list_answer_get(&w.body, &a)) {
			code = EXIT_FAILED;
			break;
		}
		code = command_answered(a.code, NO_BYTES);
		for (r = rd_of(a.names); rd_left(&r);) {
			struct bytes line = rd_bytes16(&r), rest = line;

			command_print(stdout, line);
			printf("\n");
			name = text_cut(&rest, ' ');
		}
		if (r.bad || name.n > sizeof(after))
			code = EXIT_FAILED;
		else if (name.n)
			memcpy(after, name.p, name.n);
		word.after = (struct bytes){after, name.n};
		a.more = a.more && name.n;
	}
	client_close(c);
	return code;
}

static int
user_list(const struct command_env *env, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return command_usage(env, "it takes nothing");
	return list(env, PEOPLE_ACCOUNT);
}

static int
domain_list(const struct command_env *env, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return command_usage(env, "it takes nothing");
	return list(env, PEOPLE_DOMAIN);
}

static int
alias_list(const struct command_env *env, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return command_usage(env, "it takes nothing");
	return list(env, PEOPLE_ALIAS);
}

/* ---- domains and aliases ---- */

static int
say_change(struct client *c, enum people_change what, const char *name, struct bytes targets)
{
	const struct talk_people_change word = {
	    .what = (uint8_t)what, .name = bytes_of(name), .targets = targets};
	struct talk_people_change_answer a;
	struct chan_word w;

	if (!is_ok(client_ask(c, talk_people_change_out(&word), -1, &w)) ||
	    !talk_people_change_answer_get(&w.body, &a))
		return EXIT_FAILED;
	return command_answered(a.code, a.text);
}

static int
change(const struct command_env *env, enum people_change what, const char *name,
       struct bytes targets)
{
	struct client *c;
	int code;

	if (!fits(name) || !is_ok(client_open(&c, env->dir, env->serve)))
		return EXIT_FAILED;
	code = say_change(c, what, name, targets);
	client_close(c);
	return code;
}

/* The server's own name; false when it did not tell. */
static bool
host_name(struct client *c, char *host, size_t n)
{
	struct talk_server_status_answer a;
	struct report_line line;
	struct chan_word w;
	struct rd r;

	if (!is_ok(
		client_ask(c, talk_server_status_out(&(struct talk_server_status){0}), -1, &w)) ||
	    !talk_server_status_answer_get(&w.body, &a))
		return false;
	for (r = rd_of(a.report); report_get(&r, &line) != REPORT_END;)
		if (line.what == REPORT_SERVER && line.server.host_name.n < n) {
			snprintf(host, n, "%.*s", (int)line.server.host_name.n,
			         (const char *)line.server.host_name.p);
			return true;
		}
	return false;
}

/* A domain without a zone gets one that brings its mail here; one that is there stays. */
static int
give_zone(struct client *c, const char *domain)
{
	const struct talk_zone_export word = {.zone = bytes_of(domain)};
	struct talk_zone_export_answer a;
	uint8_t room[ZONE_FIRST_MAX];
	struct wr text = wr_of(room, sizeof(room));
	struct chan_word w;
	char host[256];

	if (!is_ok(client_ask(c, talk_zone_export_out(&word), -1, &w)) ||
	    !talk_zone_export_answer_get(&w.body, &a))
		return EXIT_FAILED;
	if (w.fd >= 0)
		close(w.fd);
	if (a.code != ERR_NOTFOUND)
		return EXIT_DONE;
	if (!host_name(c, host, sizeof(host)))
		return EXIT_FAILED;
	zone_first(&text, domain, host, NULL, 0);
	return zone_give(c, domain, wr_since(&text, room));
}

static int
domain_add(const struct command_env *env, int argc, char **argv)
{
	struct client *c;
	int code;

	if (argc != 2)
		return command_usage(env, "which domain?");
	if (!fits(argv[1]) || !is_ok(client_open(&c, env->dir, env->serve)))
		return EXIT_FAILED;
	code = say_change(c, PEOPLE_ADD_DOMAIN, argv[1], NO_BYTES);
	if (code == EXIT_DONE)
		code = give_zone(c, argv[1]);
	client_close(c);
	return code;
}

static int
domain_del(const struct command_env *env, int argc, char **argv)
{
	if (argc != 2)
		return command_usage(env, "which domain?");
	return change(env, PEOPLE_REMOVE_DOMAIN, argv[1], NO_BYTES);
}

static int
alias_add(const struct command_env *env, int argc, char **argv)
{
	uint8_t room[TARGETS_MAX];
	struct wr w = wr_of(room, sizeof(room));

	if (argc < 3)
		return command_usage(env, "which alias, and for whom?");
	for (int i = 2; i < argc; i++)
		wr_bytes16(&w, bytes_of(argv[i]));
	if (w.full) {
		fprintf(stderr, "stead: too many targets: group them with further aliases\n");
		return EXIT_FAILED;
	}
	return change(env, PEOPLE_ADD_ALIAS, argv[1], wr_since(&w, room));
}

static int
alias_del(const struct command_env *env, int argc, char **argv)
{
	if (argc != 2)
		return command_usage(env, "which alias?");
	return change(env, PEOPLE_REMOVE_ALIAS, argv[1], NO_BYTES);
}

const struct command people_commands[] = {
    {"user add", "ADDRESS [--password-stdin]", "Add a user with mailbox and password.", user_add},
    {"user passwd", "ADDRESS [--password-stdin]", "Set a user's password.", user_passwd},
    {"user import", "FILE", "Add a user for each line ADDRESS:PASSWORD.", user_import},
    {"user del", "ADDRESS", "Remove a user with all mail and files of this user.", user_del},
    {"user list", "", "List the users.", user_list},
    {"domain add", "DOMAIN", "Take mail for another domain, and serve its zone.", domain_add},
    {"domain del", "DOMAIN", "Take mail for a domain no longer.", domain_del},
    {"domain list", "", "List the domains.", domain_list},
    {"alias add", "ADDRESS TARGET...", "Give mail for an address to others; @DOMAIN: the rest.",
     alias_add},
    {"alias del", "ADDRESS", "Remove an alias.", alias_del},
    {"alias list", "", "List the aliases with their targets.", alias_list},
    {0},
};
