/*
 * ctl.c - the role that the command line talks to: who connects is who the kernel says it is.
 */
#include "serve/control.h"

#include "base/log.h"
#include "net/accept.h"
#include "role/role.h"
#include "talk/report.h"

#include <stdlib.h>
#include <sys/socket.h>

struct state {
	struct attach *attach;
	struct control *control;
	struct accept *accept;
	uint64_t refused;
};

/* Only root and who started the server; the kernel says who it is. */
static void
accepted(void *owner, int fd, const struct addr *peer)
{
	struct state *s = owner;
	struct ucred who = {.uid = (uid_t)-1};
	socklen_t n = sizeof(who);

	(void)peer;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) ||
	    (who.uid != 0 && who.uid != s->attach->settings.owner_uid)) {
		s->refused++;
		log_event(LOG_WARN, "control.refused", kv_u64("uid", who.uid));
		loop_close_fd(s->attach->loop, fd);
		return;
	}
	control_accept(s->control, fd);
}

static struct err
open_ctl(struct attach *a, void **out)
{
	struct state *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR(ERR_MEMORY, 0, "ctl");
	*out = s;
	s->attach = a;
	return control_open(&s->control, a->loop, a->peers);
}

static void
start(void *state)
{
	struct state *s = state;

	for (size_t i = 0; i < s->attach->n_listeners; i++) {
		struct err e = accept_open(&s->accept, s->attach->loop, s->attach->listeners[i].fd,
		                           accepted, s);

		if (!is_ok(e))
			attach_fail(s->attach, e);
	}
}

static void
status(void *state, struct wr *counters)
{
	struct state *s = state;

	control_status(s->control, counters);
	report_put_counter(counters, "refused", s->refused);
}

static void
close_ctl(void *state)
{
	struct state *s = state;

	accept_close(s->accept);
	control_close(s->control);
	free(s);
}

const struct role_body role_ctl = {
    .cage = {.name = "ctl",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_ACCEPT,
             .files = 256,
             .file_size = ROLE_FILE_SIZE},
    .open = open_ctl,
    .start = start,
    .status = status,
    .close = close_ctl,
};
