/* mail.c - the front that gives mail back: POP3 now. */
#include "serve/pop3.h"

#include "base/log.h"
#include "role/role.h"

#include <stdlib.h>

struct state {
	struct attach *attach;
	struct pop3_serve *pop3;
};

static struct err
open_mail(struct attach *a, void **out)
{
	struct state *s = calloc(1, sizeof(*s));
	const struct pop3_serve_conf conf = {.host = a->settings.host_name,
	                                     .plaintext = a->settings.plaintext_login.list,
	                                     .n_plaintext = a->settings.plaintext_login.n};
	struct err e;

	if (!s)
		return ERR(ERR_MEMORY, 0, "mail");
	*out = s;
	s->attach = a;
	e = tls_start();
	if (is_ok(e))
		e = pop3_serve_open(&s->pop3, &conf, a->loop, a->random, a->peers);
	if (is_ok(e) && a->certificate.n)
		e = pop3_serve_certificate(s->pop3, a->certificate, a->certificate_key);
	return e;
}

static void
start(void *state)
{
	struct state *s = state;

	for (size_t i = 0; i < s->attach->n_listeners; i++) {
		bool tls_now = s->attach->listeners[i].service == SERVICE_POP3S;
		struct err e = pop3_serve_listen(s->pop3, s->attach->listeners[i].fd, tls_now);

		if (!is_ok(e))
			attach_fail(s->attach, e);
	}
}

static struct err
reload(void *state, const struct role_settings *fresh, struct wr *told)
{
	struct state *s = state;
	struct role_settings *mine = &s->attach->settings;

	(void)told;
	mine->plaintext_login = fresh->plaintext_login;
	pop3_serve_plaintext(s->pop3, mine->plaintext_login.list, mine->plaintext_login.n);
	return OK;
}

static void
certificate(void *state, struct bytes chain, uint32_t key)
{
	struct state *s = state;
	struct err e = pop3_serve_certificate(s->pop3, chain, key);

	if (!is_ok(e))
		log_event(LOG_ERROR, "mail.certificate_refused", kv_err(e));
}

static void
drained(void *owner)
{
	struct state *s = owner;

	attach_done(s->attach);
}

static void
drain(void *state)
{
	struct state *s = state;

	pop3_serve_drain(s->pop3, drained, s);
}

static void
status(void *state, struct wr *counters)
{
	struct state *s = state;

	pop3_serve_status(s->pop3, counters);
}

static void
close_mail(void *state)
{
	struct state *s = state;

	pop3_serve_close(s->pop3);
	free(s);
}

const struct role_body role_mail = {
    .cage = {.name = "mail",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_ACCEPT,
             .files = 16384,
             .file_size = ROLE_FILE_SIZE},
    .open = open_mail,
    .start = start,
    .reload = reload,
    .certificate = certificate,
    .drain = drain,
    .status = status,
    .close = close_mail,
};
