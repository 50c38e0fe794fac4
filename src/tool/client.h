/*
 * client.h - a command's line to the server in DIR: over its control socket, or, when none runs, to
 * the caged roles that the command needs, started for it and ended behind it; so no file ever gets a
 * wrong owner.
 */
#ifndef TOOL_CLIENT_H
#define TOOL_CLIENT_H

#include "net/chan.h"

struct client;

/*
 * Runs the roles that commands need in this process until SIGTERM, and closes ready_fd when they are
 * ready; the exit code.
 */
typedef int client_serve(const char *dir, int ready_fd);

/* ERR_NOTFOUND: no server runs, and without serve (NULL) none is started; else said on stderr. */
MUST_CHECK struct err client_open(struct client **, const char *dir, client_serve *serve);
/* Ends what was started, and waits for it. */
void client_close(struct client *);
/*
 * Asks and waits for the answer, whose body is borrowed until the next call; its descriptor is the
 * caller's.  A fault was said on stderr.
 */
MUST_CHECK struct err client_ask(struct client *, struct talk_out, int fd,
                                 struct chan_word *answer);

#endif
