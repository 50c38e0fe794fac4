/* ftp.c - the front that serves files. */
#include "serve/ftp.h"

#include "base/log.h"
#include "net/loop_file.h"
#include "role/role.h"

#include <signal.h>
#include <stdlib.h>

struct state {
	struct attach *attach;
	struct ftp_serve *ftp;
};

/* passive: the text of an address, which is not kept: a reload's ends with it. */
static struct ftp_serve_conf
conf_of(const struct role_settings *s, struct bytes passive)
{
	struct ftp_serve_conf conf = {.host = s->host_name,
	                              .plaintext = s->plaintext_login.list,
	                              .n_plaintext = s->plaintext_login.n,
	                              .data_resumes = s->data_resumes};

	conf.announces =
	    passive.n && addr_ip_parse(passive, conf.passive_ip) && addr_ip_is_v4(conf.passive_ip);
	return conf;
}

static struct err
open_ftp(struct attach *a, void **out)
{
	struct state *s = calloc(1, sizeof(*s));
	const struct ftp_serve_conf conf = conf_of(&a->settings, a->settings.passive_address);
	struct err e;

	if (!s)
		return ERR(ERR_MEMORY, 0, "ftp");
	*out = s;
	s->attach = a;
	signal(SIGPIPE, SIG_IGN); /* sendfile(2) has no flag against it */
	e = tls_start();
	if (is_ok(e))
		e = ftp_serve_open(&s->ftp, &conf, a->loop, a->random, a->peers);
	if (is_ok(e) && a->certificate.n)
		e = ftp_serve_certificate(s->ftp, a->certificate, a->certificate_key);
	for (size_t i = 0; is_ok(e) && i < a->n_listeners; i++)
		if (a->listeners[i].service == SERVICE_FTP)
			e = loop_urgent_inline(a->listeners[i].fd);
	return e;
}

static void
start(void *state)
{
	struct state *s = state;

	for (size_t i = 0; i < s->attach->n_listeners; i++) {
		bool data = s->attach->listeners[i].service == SERVICE_FTP_DATA;
		struct err e = ftp_serve_listen(s->ftp, s->attach->listeners[i].fd, data);

		if (!is_ok(e))
			attach_fail(s->attach, e);
	}
}

static void
gone(void *state, const struct peer *p)
{
	struct state *s = state;

	if (p->role == ROLE_BOX)
		ftp_serve_box_gone(s->ftp);
}

static struct err
reload(void *state, const struct role_settings *fresh, struct wr *told)
{
	struct state *s = state;
	struct role_settings *mine = &s->attach->settings;
	struct ftp_serve_conf conf;

	(void)told;
	mine->plaintext_login = fresh->plaintext_login;
	mine->data_resumes = fresh->data_resumes;
	conf = conf_of(mine, fresh->passive_address);
	ftp_serve_settings(s->ftp, &conf);
	return OK;
}

static void
certificate(void *state, struct bytes chain, uint32_t key)
{
	struct state *s = state;
	struct err e = ftp_serve_certificate(s->ftp, chain, key);

	if (!is_ok(e))
		log_event(LOG_ERROR, "ftp.certificate_refused", kv_err(e));
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

	ftp_serve_drain(s->ftp, drained, s);
}

static void
status(void *state, struct wr *counters)
{
	struct state *s = state;

	ftp_serve_status(s->ftp, counters);
}

static void
close_ftp(void *state)
{
	struct state *s = state;

	ftp_serve_close(s->ftp);
	free(s);
}

const struct role_body role_ftp = {
    .cage = {.name = "ftp",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_ACCEPT,
             .files = 16384,
             .file_size = ROLE_FILE_SIZE},
    .open = open_ftp,
    .start = start,
    .gone = gone,
    .reload = reload,
    .certificate = certificate,
    .drain = drain,
    .status = status,
    .close = close_ftp,
};
