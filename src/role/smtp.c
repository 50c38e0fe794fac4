/* smtp.c - the front that receives mail, from strangers and from users: it can only hand in. */
#include "serve/smtp.h"

#include "base/log.h"
#include "role/role.h"

#include <stdlib.h>

struct state {
	struct attach *attach;
	struct smtp_serve *serve;
};

static struct smtp_networks
networks(const struct role_settings *s)
{
	return (struct smtp_networks){.plaintext = s->plaintext_login.list,
	                              .relay = s->relay.list,
	                              .n_plaintext = s->plaintext_login.n,
	                              .n_relay = s->relay.n};
}

static struct err
listen_at(struct state *s, enum service service, int fd)
{
	if (service == SERVICE_SMTP)
		return smtp_serve_listen(s->serve, fd);
	return smtp_serve_listen_submission(s->serve, fd, service == SERVICE_SUBMISSIONS);
}

static struct err
open_smtp(struct attach *a, void **out)
{
	struct state *s = calloc(1, sizeof(*s));
	const struct smtp_serve_conf conf = {.host = a->settings.host_name,
	                                     .size_max = a->settings.message_size,
	                                     .rcpt_max = a->settings.recipients,
	                                     .networks = networks(&a->settings)};
	struct err e;

	if (!s)
		return ERR(ERR_MEMORY, 0, "smtp");
	*out = s;
	s->attach = a;
	e = tls_start();
	if (is_ok(e))
		e = smtp_serve_open(&s->serve, &conf, a->loop, a->random, a->peers);
	if (is_ok(e) && a->certificate.n)
		e = smtp_serve_certificate(s->serve, a->certificate, a->certificate_key);
	return e;
}

static void
start(void *state)
{
	struct state *s = state;

	for (size_t i = 0; i < s->attach->n_listeners; i++) {
		struct err e =
		    listen_at(s, s->attach->listeners[i].service, s->attach->listeners[i].fd);

		if (!is_ok(e))
			attach_fail(s->attach, e);
	}
}

static void
word(void *state, const struct peer *p, struct chan_word *w)
{
	struct state *s = state;
	struct talk_directory_image t;
	struct err e;

	(void)p;
	if (w->word != WORD_DIRECTORY_IMAGE || !talk_directory_image_get(&w->body, &t))
		return;
	e = smtp_serve_directory(s->serve, w->fd);
	if (!is_ok(e))
		log_event(LOG_ERROR, "smtp.directory_refused", kv_err(e));
}

static void
come(void *state, const struct peer *p)
{
	struct state *s = state;

	if (p->role == ROLE_BOX)
		smtp_serve_box_came(s->serve);
}

static struct err
reload(void *state, const struct role_settings *fresh, struct wr *told)
{
	struct state *s = state;
	struct role_settings *mine = &s->attach->settings;
	struct smtp_networks fresh_networks;

	(void)told;
	mine->plaintext_login = fresh->plaintext_login;
	mine->relay = fresh->relay;
	fresh_networks = networks(mine);
	smtp_serve_networks(s->serve, &fresh_networks);
	smtp_serve_limits(s->serve, fresh->message_size, fresh->recipients);
	return OK;
}

static void
certificate(void *state, struct bytes chain, uint32_t key)
{
	struct state *s = state;
	struct err e = smtp_serve_certificate(s->serve, chain, key);

	if (!is_ok(e))
		log_event(LOG_ERROR, "smtp.certificate_refused", kv_err(e));
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

	smtp_serve_drain(s->serve, drained, s);
}

static void
status(void *state, struct wr *counters)
{
	struct state *s = state;

	smtp_serve_status(s->serve, counters);
}

static void
close_smtp(void *state)
{
	struct state *s = state;

	smtp_serve_close(s->serve);
	free(s);
}

const struct role_body role_smtp = {
    .cage = {.name = "smtp",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_ACCEPT | CAGE_MEMFD,
             .files = 16384,
             .file_size = ROLE_FILE_SIZE},
    .open = open_smtp,
    .start = start,
    .word = word,
    .come = come,
    .reload = reload,
    .certificate = certificate,
    .drain = drain,
    .status = status,
    .close = close_smtp,
};
