/* client.c - one channel to ctl, and the child that may have to be started for it. */
#include "tool/client.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ASK_MS = 120 * 1000 };

struct client {
	struct loop *loop;
	struct chan *chan;
	pid_t started; /* 0: the server was there */
};

static void
heard(void *owner, struct chan *c, struct chan_word *w)
{
	(void)owner;
	(void)c;
	(void)w;
}

static void
gone(void *owner, struct chan *c, struct err why)
{
	(void)owner;
	(void)c;
	(void)why;
}

static const struct chan_handlers handlers = {heard, gone};

/* -1: nobody listens there. */
static int
dial(const char *dir)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	/* by the descriptor, since DIR may be longer than a socket's name */
	snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d/run/control.sock", folder);
	if (folder < 0 || s < 0 || connect(s, (struct sockaddr *)&un, sizeof(un))) {
		if (s >= 0)
			close(s);
		s = -1;
	}
	if (folder >= 0)
		close(folder);
	return s;
}

/* Waits until the roles are ready (or the child has ended). */
static struct err
start(struct client *c, const char *dir, client_serve *serve)
{
	pid_t me = getpid();
	int ends[2], status;
	char byte;

	fflush(NULL);
	if (pipe2(ends, O_CLOEXEC))
		return ERR(ERR_IO, errno, "pipe");
	c->started = fork();
	if (c->started == 0) {
		close(ends[0]);
		/* a command that is killed takes the roles with it */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != me)
			_exit(1);
		_exit(serve(dir, ends[1]));
	}
	close(ends[1]);
	while (c->started > 0 && read(ends[0], &byte, 1) < 0 && errno == EINTR)
		;
	close(ends[0]);
	if (c->started < 0) {
		c->started = 0;
		return ERR(ERR_IO, errno, "fork");
	}
	if (waitpid(c->started, &status, WNOHANG) == c->started) {
		c->started = 0;
		return ERR(ERR_GONE, 0, "the roles could not start");
	}
	return OK;
}

struct err
client_open(struct client **out, const char *dir, client_serve *serve)
{
	struct client *c = calloc(1, sizeof(*c));
	int fd = dial(dir);
	struct err e = c ? OK : ERR(ERR_MEMORY, 0, "client");

	if (is_ok(e) && fd < 0 && !serve) {
		free(c);
		return ERR(ERR_NOTFOUND, 0, "no server runs there");
	}
	if (is_ok(e) && fd < 0) {
		e = start(c, dir, serve);
		fd = is_ok(e) ? dial(dir) : -1;
		if (is_ok(e) && fd < 0)
			e = ERR(ERR_GONE, 0, "the roles could not start");
	}
	if (is_ok(e))
		e = loop_open(&c->loop);
	if (is_ok(e))
		e = chan_open(&c->chan, c->loop, fd, ROLE_TOOL, ROLE_CTL, &handlers, c);
	if (is_ok(e)) {
		*out = c;
		return OK;
	}
	fprintf(stderr, "stead: %s: %s\n", dir,
	        e.code == ERR_GONE ? "the roles that this needs could not start" : err_text(e));
	client_close(c);
	return e;
}

void
client_close(struct client *c)
{
	if (!c)
		return;
	chan_close(c->chan);
	loop_close(c->loop);
	if (c->started) {
		kill(c->started, SIGTERM);
		waitpid(c->started, NULL, 0);
	}
	free(c);
}

struct err
client_ask(struct client *c, struct talk_out word, int fd, struct chan_word *answer)
{
	struct err e = chan_ask_now(c->chan, word, fd, ASK_MS, answer);

	if (!is_ok(e))
		fprintf(stderr,
		        "stead: the server did not answer (%s).  It serves root and who "
		        "started it; `stead status` tells how its roles are.\n",
		        err_text(e));
	return e;
}
