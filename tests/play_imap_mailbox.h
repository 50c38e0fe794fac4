/* play_imap_mailbox.h - a mailbox in memory, as the driver of the IMAP machine has it. */
#ifndef TESTS_PLAY_IMAP_MAILBOX_H
#define TESTS_PLAY_IMAP_MAILBOX_H

#include "proto/imap.h"
#include "proto/imap_name.h"

#include <stdlib.h>

enum { PLAY_MESSAGES = 16 };

struct imap_play_message {
	uint32_t uid, flags;
	uint64_t keywords;
	struct bytes text;
	bool recent, gone, news;
};

/* Its name as text, so that a table can be constant. */
struct imap_play_folder {
	const char *name;
	uint32_t flags; /* enum imap_folder_flag */
};

/* A part of every message that is long enough; path "1", "2" or "2.1" as one number. */
struct imap_play_part {
	uint32_t path;
	struct imap_part part;
};

struct imap_play {
	struct imap_conf conf;
	bool tls, plaintext;
	size_t piece, room; /* octets of a message at once; room of `out` */
	const char *after_tls;
	enum imap_want refuse; /* this question is answered so, where it is not IMAP_INPUT */
	enum imap_answer with;
	const struct imap_play_folder *folders;
	size_t folders_n;
	const struct imap_play_part *parts;
	size_t parts_n;
	bool bare; /* rows come without envelope and structure */
	/* the mailbox, and what of it the client knows */
	struct imap_play_message m[PLAY_MESSAGES];
	size_t n, told;
	uint32_t uidnext;
	struct bytes keywords[2];
	/* what came of it */
	struct wr said, did;
	uint8_t said_room[1 << 18], did_room[1 << 16];
	size_t at, handshakes, left, peak;
	bool closed;
	struct imap *p;
	struct imap_range from[PLAY_MESSAGES], to[PLAY_MESSAGES];
};

static inline void
imap_play_message(struct imap_play *t, uint32_t uid, uint32_t flags, const char *text)
{
	t->m[t->n++] = (struct imap_play_message){
	    .uid = uid, .flags = flags, .text = bytes_of(text), .recent = uid >= 9};
	t->uidnext = uid + 1;
	t->told = t->n;
}

static inline void
imap_play_init(struct imap_play *t)
{
	memset(t, 0, sizeof(*t));
	t->conf = (struct imap_conf){BYTES("fakeplace.edu"), true};
	t->plaintext = true;
	t->piece = 1000;
	t->room = IMAP_REPLY_MAX;
	t->keywords[0] = BYTES("$Work");
	t->keywords[1] = BYTES("Later");
}

static inline uint32_t
imap_play_max_uid(const struct imap_play *t)
{
	return t->n ? t->m[t->n - 1].uid : 0;
}

static inline bool
imap_play_resolve(const struct imap_play *t, struct imap_set *set, bool uids)
{
	return imap_set_resolve(set, uids ? imap_play_max_uid(t) : (uint32_t)t->n, uids);
}

static inline bool
imap_play_in(const struct imap_play *t, const struct imap_set *set, bool uids, size_t i)
{
	return imap_set_has(set, uids ? t->m[i].uid : (uint32_t)i + 1);
}

static inline struct imap_row
imap_play_row(const struct imap_play *t, size_t i)
{
	const struct imap_play_message *m = &t->m[i];
	const uint8_t *body = m->text.n > 3 ? memmem(m->text.p, m->text.n, "\r\n\r\n", 4) : NULL;
	struct imap_row row = {.number = (uint32_t)i + 1,
	                       .uid = m->uid,
	                       .flags = m->flags,
	                       .keywords = m->keywords,
	                       .recent = m->recent,
	                       .news = m->news,
	                       .size = m->text.n,
	                       .received_s = 837571345 + (uint64_t)i * 86400};

	row.body = body ? (uint64_t)(body - m->text.p) + 4 : m->text.n;
	if (!t->bare) {
		row.envelope = BYTES("(E)");
		row.bodytext = BYTES("(B)");
		row.bodystructure = BYTES("(S)");
	}
	return row;
}

#endif
