/*
 * main.c - finds the role or the command.
 */
#include "role/check.h"
#include "role/master.h"
#include "role/role.h"
#include "tool/command.h"
#include "tool/lookup.h"

#include <stdlib.h>
#include <string.h>

enum { ROLE_CHANNEL = 3 }; /* children.c puts it there */

static int
serve(const struct command_env *env, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return command_usage(env, "it takes nothing");
	return master_run(env->dir, MASTER_SERVE, -1);
}

static int
serve_offline(const char *dir, int ready_fd)
{
	return master_run(dir, MASTER_OFFLINE, ready_fd);
}

static int
check(const struct command_env *env, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return command_usage(env, "it takes nothing");
	return check_folder(env->dir, serve_offline);
}

static int
lookup(const struct command_env *env, int argc, char **argv)
{
	(void)env;
	return lookup_main(argc, argv, LOOKUP_AS_DIG);
}

static const struct command own_commands[] = {
    {"serve", "", "Run the server in the foreground until SIGTERM.", serve},
    {"check", "", "Tell what is wrong with configuration, keys, zones and owners.", check},
    {"lookup", "[@SERVER] NAME [TYPE] ...", "Ask a name server; `stead lookup --help` tells more.",
     lookup},
    {0},
};

static const struct command *const tables[] = {init_commands,   own_commands,  server_commands,
                                               people_commands, zone_commands, queue_commands};

static void
help(void)
{
	printf("stead %s - names, mail and files of a domain, from one program\n\n"
	       "usage: stead [-C DIR] COMMAND ...\n\n",
	       STEAD_VERSION);
	for (size_t i = 0; i < COUNT(tables); i++)
		for (const struct command *c = tables[i]; c->name; c++)
			printf("  %s %s\n      %s\n", c->name, c->usage, c->help);
	printf("\nDIR is a folder that `stead init` made; without -C it is the current one.\n"
	       "Commands work on a running server, and without one on the folder itself.\n"
	       "Manuals: stead(8), stead.conf(5), stead-lookup(1)\n");
}

/* How many words of the command stand in argv; 0: it is another one. */
static int
words_of(const struct command *c, int argc, char **argv)
{
	const char *rest = c->name;
	int n = 0;

	for (; n < argc && *rest; n++) {
		size_t len = strcspn(rest, " ");

		if (strlen(argv[n]) != len || strncmp(argv[n], rest, len) != 0)
			return 0;
		rest += len + (rest[len] == ' ');
	}
	return *rest ? 0 : n;
}

static bool
asks_for_help(int argc, char **argv)
{
	return argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"));
}

/* `stead user`, `stead zone --help`: the commands that begin with this word; false: none does. */
static bool
help_with(FILE *to, const char *word)
{
	size_t n = strlen(word);
	bool some = false;

	for (size_t i = 0; i < COUNT(tables); i++)
		for (const struct command *c = tables[i]; c->name; c++) {
			if (strncmp(c->name, word, n) != 0 || c->name[n] != ' ')
				continue;
			fprintf(to, "%s  stead [-C DIR] %s %s\n      %s\n", some ? "" : "usage:\n",
			        c->name, c->usage, c->help);
			some = true;
		}
	return some;
}

static int
run_command(const char *dir, int argc, char **argv)
{
	struct command_env env = {.dir = dir, .serve = serve_offline};

	for (size_t i = 0; i < COUNT(tables); i++)
		for (const struct command *c = tables[i]; c->name; c++) {
			int n = words_of(c, argc, argv);

			if (!n)
				continue;
			env.me = c;
			if (c->run != lookup && asks_for_help(argc - n + 1, argv + n - 1)) {
				printf("usage: stead [-C DIR] %s %s\n  %s\n", c->name, c->usage,
				       c->help);
				return EXIT_DONE;
			}
			return c->run(&env, argc - n + 1, argv + n - 1);
		}
	if (asks_for_help(argc, argv) && help_with(stdout, argv[0]))
		return EXIT_DONE;
	if (help_with(stderr, argv[0]))
		return EXIT_WRONG;
	fprintf(stderr, "stead: there is no command `%s`; `stead --help` lists them\n", argv[0]);
	return EXIT_WRONG;
}

/* --role NAME --instance N: started by a master, which is at the other end of the channel. */
static int
run_role(int argc, char **argv)
{
	enum role role;

	if (argc != 5 || strcmp(argv[3], "--instance") != 0 ||
	    !role_by_name(bytes_of(argv[2]), &role) || !role_body(role))
		return EXIT_WRONG;
	return attach_run(role, (uint8_t)strtoul(argv[4], NULL, 10), ROLE_CHANNEL);
}

static const char *
called_as(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	return slash ? slash + 1 : argv0;
}

int
main(int argc, char **argv)
{
	const char *dir = ".", *name = argc ? called_as(argv[0]) : "stead";
	int at = 1;

	if (!strcmp(name, "nslookup"))
		return lookup_main(argc, argv, LOOKUP_AS_NSLOOKUP);
	if (!strcmp(name, "dig") || !strcmp(name, "lookup"))
		return lookup_main(argc, argv, LOOKUP_AS_DIG);
	if (argc > 1 && !strcmp(argv[1], "--role"))
		return run_role(argc, argv);
	if (argc > 2 && !strcmp(argv[1], "-C")) {
		dir = argv[2];
		at = 3;
	}
	if (at >= argc || !strcmp(argv[at], "--help") || !strcmp(argv[at], "help")) {
		help();
		return at >= argc ? EXIT_WRONG : EXIT_DONE;
	}
	if (!strcmp(argv[at], "--version")) {
		printf("stead %s\n", STEAD_VERSION);
		return EXIT_DONE;
	}
	return run_command(dir, argc - at, argv + at);
}
