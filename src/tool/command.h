/*
 * command.h - what the commands of the command line share: the table, options, passwords.
 *
 * Exit codes: 0 done; 1 it could not be done, and stderr says why; 2 the command itself, or a file
 * that it reads, is wrong.
 */
#ifndef TOOL_COMMAND_H
#define TOOL_COMMAND_H

#include "tool/client.h"

#include <stdio.h>

enum { EXIT_DONE, EXIT_FAILED, EXIT_WRONG };

struct command;
struct command_env {
	const struct command *me; /* the one that runs */
	const char *dir;          /* DIR, as -C told it */
	client_serve *serve;
};

/* A command: argv[0] is its last word. */
struct command {
	const char *name;  /* "user add" */
	const char *usage; /* what stands behind it: "ADDRESS [--password-stdin]" */
	const char *help;  /* one sentence */
	int (*run)(const struct command_env *, int argc, char **argv);
};

/* Says what is wrong and how the command is used; EXIT_WRONG. */
int command_usage(const struct command_env *, const char *wrong);

/* The tables of the files here, each ended by a row without a name. */
extern const struct command people_commands[], zone_commands[], server_commands[], init_commands[],
    queue_commands[];
/*
 * Takes an option without a value (--json) out of argv; false when it is not there.  What is left
 * that begins with "--" is unknown: command_unknown() gives the first, or NULL.
 */
bool command_flag(int *argc, char **argv, const char *name);
/* The same with a value; NULL when it is not there, "" when its value is missing. */
const char *command_value(int *argc, char **argv, const char *name);
const char *command_unknown(int argc, char **argv);

enum { COMMAND_PASSWORD_MAX = 1024 };
/*
 * A password: asked for twice at a terminal, or the first line of stdin.  False, and said on stderr,
 * when there is none or the two differ.
 */
bool command_password(const char *prompt, bool from_stdin, char room[COMMAND_PASSWORD_MAX + 2]);

/* A whole file; stdin for "-".  Said on stderr when it cannot be read; the caller frees p. */
MUST_CHECK struct err command_read(const char *path, size_t max, struct bytes *out);

/* Says an answer's text on stderr, when there is one; the exit code for its code. */
int command_answered(uint8_t code, struct bytes text);
/* Prints foreign bytes for a person, without a line end. */
void command_print(FILE *, struct bytes);
/* Prints them as a string of JSON, which holds the escaped form. */
void command_json(struct bytes);

#endif
