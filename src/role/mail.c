/* mail.c - the front that gives mail back: POP3 and IMAP. */
#include "serve/imap.h"
#include "serve/pop3.h"

#include "base/log.h"
#include "role/role.h"

#include <stdlib.h>

struct state {
	struct attach *attach;
	struct pop3_serve *pop3;
	struct imap_serve *imap;
	unsigned draining; /* of the two */
};

static struct err
certify(struct state *s, struct bytes chain, uint32_t key)
{
	struct err e = pop3_serve_certificate(s->pop3, chain, key);

	return is_ok(e) ? imap_serve_certificate(s->imap, chain, key) : e;
}

static struct err
open_mail(struct attach *a, void **out)
{
	struct state *s = calloc(1, sizeof(*s));
	const struct role_nets *plaintext = &a->settings.plaintext_login;
	const struct pop3_serve_conf pop3 = {.host = a->settings.host_name,
	                                     .plaintext = plaintext->list,
	                                     .n_plaintext = plaintext->n};
	const struct imap_serve_conf imap = {.host = a->settings.host_name,
	                                     .plaintext = plaintext->list,
	                                     .n_plaintext = plaintext->n,
	                                     .size_max = a->settings.message_size};
	struct err e;

	if (!s)
		return ERR(ERR_MEMORY, 0, "mail");
	*out = s;
	s->attach = a;
	e = tls_start();
	if (is_ok(e))
		e = pop3_serve_open(&s->pop3, &pop3, a->loop, a->random, a->peers);
	if (is_ok(e))
		e = imap_serve_open(&s->imap, &imap, a->loop, a->random, a->peers);
	if (is_ok(e) && a->certificate.n)
		e = certify(s, a->certificate, a->certificate_key);
	return e;
}

static struct err
listen_at(struct state *s, enum service service, int fd)
{
	bool is_imap = service == SERVICE_IMAP || service == SERVICE_IMAPS;
	bool tls_now = service == SERVICE_POP3S || service == SERVICE_IMAPS;

	return is_imap ? imap_serve_listen(s->imap, fd, tls_now)
	               : pop3_serve_listen(s->pop3, fd, tls_now);
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

	(void)p;
	imap_serve_word(s->imap, w);
}

static void
gone(void *state, const struct peer *p)
{
	struct state *s = state;

	if (p->role == ROLE_BOX)
		imap_serve_box_gone(s->imap);
}

static struct err
reload(void *state, const struct role_settings *fresh, struct wr *told)
{
	struct state *s = state;
	struct role_settings *mine = &s->attach->settings;

	(void)told;
	mine->plaintext_login = fresh->plaintext_login;
	pop3_serve_plaintext(s->pop3, mine->plaintext_login.list, mine->plaintext_login.n);
	imap_serve_settings(s->imap, mine->plaintext_login.list, mine->plaintext_login.n,
	                    fresh->message_size);
	return OK;
}

static void
certificate(void *state, struct bytes chain, uint32_t key)
{
	struct state *s = state;
	struct err e = certify(s, chain, key);

	if (!is_ok(e))
		log_event(LOG_ERROR, "mail.certificate_refused", kv_err(e));
}

static void
drained(void *owner)
{
	struct state *s = owner;

	if (--s->draining == 0)
		attach_done(s->attach);
}

static void
drain(void *state)
{
	struct state *s = state;

	s->draining = 2;
	pop3_serve_drain(s->pop3, drained, s);
	imap_serve_drain(s->imap, drained, s);
}

static void
status(void *state, struct wr *counters)
{
	struct state *s = state;

	pop3_serve_status(s->pop3, counters);
	imap_serve_status(s->imap, counters);
}

static void
close_mail(void *state)
{
	struct state *s = state;

	imap_serve_close(s->imap);
	pop3_serve_close(s->pop3);
	free(s);
}

const struct role_body role_mail = {
    .cage = {.name = "mail",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_ACCEPT | CAGE_MEMFD,
             .files = 16384,
             .file_size = ROLE_FILE_SIZE},
    .open = open_mail,
    .start = start,
    .word = word,
    .gone = gone,
    .reload = reload,
    .certificate = certificate,
    .drain = drain,
    .status = status,
    .close = close_mail,
};
