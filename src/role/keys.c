/* keys.c - the role that holds the private keys, and signs with them what their purpose allows. */
#include "guard/keys.h"

#include "base/log.h"
#include "crypt/digest.h"
#include "crypt/sign.h"
#include "role/role.h"
#include "talk/report.h"

#include <stdlib.h>

struct state {
	struct attach *attach;
	struct keys *keys;
	uint64_t signatures, refused;
};

static struct err
open_keys(struct attach *a, void **out)
{
	struct state *s = calloc(1, sizeof(*s));
	struct err e;

	if (!s)
		return ERR(ERR_MEMORY, 0, "keys");
	*out = s;
	s->attach = a;
	e = digest_start();
	if (is_ok(e))
		e = keys_open(&s->keys);
	return is_ok(e) ? keys_load_tls(s->keys, a->folder, a->settings.tls_key, a->certificate)
	                : e;
}

static struct err
reload(void *state, const struct role_settings *fresh, struct wr *told)
{
	struct state *s = state;

	(void)told;
	return keys_load_tls(s->keys, s->attach->folder, fresh->tls_key, s->attach->certificate);
}

static void
word(void *state, const struct peer *p, struct chan_word *w)
{
	struct state *s = state;
	struct talk_keys_sign ask;
	struct talk_keys_sign_answer answer = {0};
	uint8_t room[SIGN_MAX];
	struct wr out = wr_of(room, sizeof(room));
	struct err e;

	if (w->word != WORD_KEYS_SIGN || !talk_keys_sign_get(&w->body, &ask))
		return;
	e = keys_sign(s->keys, ask.key, ask.scheme, ask.message, &out);
	if (is_ok(e))
		s->signatures++;
	else
		s->refused++;
	if (!is_ok(e))
		log_event(LOG_WARN, "keys.refused", kv_word("front", role_name(p->role)),
		          kv_u64("key", ask.key), kv_err(e));
	answer.code = talk_code(e);
	answer.signature = is_ok(e) ? wr_since(&out, room) : NO_BYTES;
	chan_answer(p->chan, w->seq, talk_keys_sign_answer_out(&answer), -1);
}

static void
status(void *state, struct wr *counters)
{
	struct state *s = state;

	report_put_counter(counters, "signatures", s->signatures);
	report_put_counter(counters, "refused", s->refused);
}

static void
close_keys(void *state)
{
	struct state *s = state;

	keys_close(s->keys);
	free(s);
}

const struct role_body role_keys = {
    .cage = {.name = "keys",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_FILES_READ,
             .files = 128,
             .file_size = ROLE_FILE_SIZE},
    .open = open_keys,
    .reload = reload,
    .word = word,
    .status = status,
    .close = close_keys,
};
