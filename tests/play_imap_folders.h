/* play_imap_folders.h - logins, mailboxes and APPEND for the IMAP machine. */
#ifndef TESTS_PLAY_IMAP_FOLDERS_H
#define TESTS_PLAY_IMAP_FOLDERS_H

#include "play_imap_mailbox.h"

static inline void
imap_play_did(struct imap_play *t, const char *what, struct bytes name)
{
	wr_text(&t->did, what);
	wr_bytes(&t->did, name);
	wr_u8(&t->did, '\n');
}

static inline void
imap_play_sasl(struct imap_play *t)
{
	struct sasl *x = imap_sasl(t->p);

	if (sasl_want(x) == SASL_SALT)
		sasl_salt(x, BYTES("saltsalt"), 4096);
	else if (sasl_want(x) == SASL_PROOF)
		sasl_answer(x, SASL_DENIED);
	else
		sasl_answer(x, bytes_eq(sasl_name(x), BYTES("bob")) &&
		                       bytes_eq(sasl_password(x), BYTES("hun\"gry"))
		                   ? SASL_OK
		                   : SASL_DENIED);
}

static inline void
imap_play_folder(struct imap_play *t)
{
	static const char *const verbs[] = {
	    [IMAP_DO_CREATE] = "create ",           [IMAP_DO_DELETE] = "delete ",
	    [IMAP_DO_RENAME] = "rename ",           [IMAP_DO_SUBSCRIBE] = "subscribe ",
	    [IMAP_DO_UNSUBSCRIBE] = "unsubscribe ",
	};
	struct imap_command *c = imap_command(t->p);

	imap_play_did(t, verbs[c->verb], c->mailbox);
	if (c->verb == IMAP_DO_RENAME)
		imap_play_did(t, "to ", c->to);
	imap_answer(t->p, bytes_eq(c->mailbox, BYTES("nowhere")) ? IMAP_ABSENT : IMAP_OK);
}

static inline void
imap_play_folders(struct imap_play *t, struct wr *out)
{
	for (; t->at < t->folders_n; t->at++) {
		const struct imap_play_folder *f = &t->folders[t->at];
		const struct imap_folder row = {bytes_of(f->name), f->flags};

		if (!imap_folder(t->p, &row, out))
			return;
	}
	t->at = 0;
	imap_answer(t->p, IMAP_OK);
}

static inline void
imap_play_open(struct imap_play *t)
{
	struct imap_opened o = {.exists = (uint32_t)t->n,
	                        .uidvalidity = 7,
	                        .uidnext = t->uidnext,
	                        .keywords = t->keywords,
	                        .keywords_n = COUNT(t->keywords)};

	for (size_t i = t->n; i-- > 0;) {
		if (!(t->m[i].flags & IMAP_SEEN))
			o.unseen = (uint32_t)i + 1;
		o.recent += t->m[i].recent;
	}
	t->told = t->n;
	t->at = 0;
	if (bytes_eq(imap_command(t->p)->mailbox, BYTES("nowhere")))
		imap_answer(t->p, IMAP_ABSENT);
	else
		imap_opened(t->p, &o);
}

static inline void
imap_play_begin(struct imap_play *t)
{
	struct imap_command *c = imap_command(t->p);

	imap_play_did(t, "append to ", c->mailbox);
	for (size_t i = 0; i < c->flags.n; i++)
		imap_play_did(t, "keyword ", c->flags.keywords[i]);
	wr_printf(&t->did, "flags %u size %llu date %lld\n", (unsigned)c->flags.flags,
	          (unsigned long long)c->size, c->dated ? (long long)c->received_s : -1);
	imap_answer(t->p, bytes_eq(c->mailbox, BYTES("nowhere")) ? IMAP_ABSENT
	                  : c->size > 100000                     ? IMAP_TOO_BIG
	                                                         : IMAP_OK);
}

#endif
