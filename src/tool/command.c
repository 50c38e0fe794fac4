/* command.c - small things that every command needs. */
#include "tool/command.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

int
command_usage(const struct command_env *env, const char *wrong)
{
	const struct command *c = env->me;

	if (wrong)
		fprintf(stderr, "stead %s: %s\n", c->name, wrong);
	fprintf(stderr, "usage: stead -C DIR %s %s\n", c->name, c->usage);
	return EXIT_WRONG;
}

static void
take_out(int *argc, char **argv, int at, int n)
{
	for (int i = at; i + n <= *argc; i++)
		argv[i] = argv[i + n];
	*argc -= n;
}

bool
command_flag(int *argc, char **argv, const char *name)
{
	for (int i = 1; i < *argc; i++)
		if (!strcmp(argv[i], name)) {
			take_out(argc, argv, i, 1);
			return true;
		}
	return false;
}

const char *
command_value(int *argc, char **argv, const char *name)
{
	const char *value;

	for (int i = 1; i < *argc; i++)
		if (!strcmp(argv[i], name)) {
			value = i + 1 < *argc ? argv[i + 1] : "";
			take_out(argc, argv, i, i + 1 < *argc ? 2 : 1);
			return value;
		}
	return NULL;
}

const char *
command_unknown(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], "--", 2))
			return argv[i];
	return NULL;
}

/* A line without its end; false for one that is empty, too long or holds a NUL. */
static bool
read_line(FILE *from, char *room, size_t n)
{
	size_t got = 0;
	int byte;

	while ((byte = fgetc(from)) > 0 && byte != '\n' && got < n - 1)
		room[got++] = (char)byte;
	room[got] = 0;
	return (byte == '\n' || byte == EOF) && got > 0 && got <= COMMAND_PASSWORD_MAX;
}

static bool
ask_hidden(FILE *tty, const char *prompt, char *room, size_t n)
{
	struct termios shown, hidden;
	bool ok;

	if (tcgetattr(fileno(tty), &shown))
		return false;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	fprintf(stderr, "%s: ", prompt);
	tcsetattr(fileno(tty), TCSAFLUSH, &hidden);
	ok = read_line(tty, room, n);
	tcsetattr(fileno(tty), TCSAFLUSH, &shown);
	fprintf(stderr, "\n");
	return ok;
}

bool
command_password(const char *prompt, bool from_stdin, char room[COMMAND_PASSWORD_MAX + 2])
{
	char again[COMMAND_PASSWORD_MAX + 2];
	FILE *tty;
	bool ok;

	if (from_stdin) {
		ok = read_line(stdin, room, COMMAND_PASSWORD_MAX + 2);
		if (!ok)
			fprintf(stderr, "stead: no password came on the standard input\n");
		return ok;
	}
	tty = fopen("/dev/tty", "r");
	if (!tty) {
		fprintf(stderr, "stead: there is no terminal to ask at: use --password-stdin\n");
		return false;
	}
	ok = ask_hidden(tty, prompt, room, COMMAND_PASSWORD_MAX + 2) &&
	     ask_hidden(tty, "Again", again, sizeof(again));
	fclose(tty);
	if (!ok)
		fprintf(stderr, "stead: no password was given\n");
	else if (strcmp(room, again) != 0)
		fprintf(stderr, "stead: the two passwords differ\n");
	ok = ok && !strcmp(room, again);
	explicit_bzero(again, sizeof(again));
	return ok;
}

struct err
command_read(const char *path, size_t max, struct bytes *out)
{
	int fd = strcmp(path, "-") != 0 ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	size_t n = 0, cap = 65536;
	uint8_t *p = malloc(cap), *grown;
	ssize_t got = 1;

	while (p && fd >= 0 && got > 0 && n < max) {
		if (n == cap) {
			grown = realloc(p, cap * 2);
			if (!grown)
				break;
			p = grown;
			cap *= 2;
		}
		got = read(fd, p + n, cap - n);
		if (got > 0)
			n += (size_t)got;
	}
	if (fd < 0 || got || !p) {
		fprintf(stderr, "stead: %s: %s\n", path,
		        fd < 0 || got < 0 ? strerror(errno) : "too large");
		free(p);
		p = NULL;
	}
	if (fd >= 0)
		close(fd);
	*out = (struct bytes){p, n};
	return p ? OK : ERR(ERR_NOTFOUND, errno, "read");
}

int
command_answered(uint8_t code, struct bytes text)
{
	const struct err e = {code <= ERR_LATER ? code : ERR_LATER, 0, ""};

	if (text.n) {
		fprintf(stderr, "%s", code ? "stead: " : "");
		command_print(stderr, text);
		fprintf(stderr, "\n");
	} else if (code) {
		fprintf(stderr, "stead: %s\n", err_text(e));
	}
	return code ? EXIT_FAILED : EXIT_DONE;
}

void
command_print(FILE *to, struct bytes text)
{
	while (text.n) {
		struct bytes line = text_cut(&text, '\n');

		while (line.n) {
			uint8_t room[TEXT_ESCAPED * 64];
			struct wr w = wr_of(room, sizeof(room));
			size_t n = line.n < 64 ? line.n : 64;

			text_escape(&w, (struct bytes){line.p, n});
			fwrite(room, 1, wr_since(&w, room).n, to);
			line.p += n;
			line.n -= n;
		}
		if (text.n)
			fputc('\n', to);
	}
}

void
command_json(struct bytes text)
{
	struct rd r = rd_of(text);

	printf("\"");
	while (rd_left(&r)) {
		uint8_t room[TEXT_ESCAPED * 64];
		struct wr w = wr_of(room, sizeof(room));

		text_escape(&w, rd_take(&r, rd_left(&r) < 64 ? rd_left(&r) : 64));
		for (const uint8_t *p = room; p < w.p; p++)
			printf(*p == '\\' ? "\\\\" : "%c", *p);
	}
	printf("\"");
}
