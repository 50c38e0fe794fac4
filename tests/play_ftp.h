/*
 * play_ftp.h - drives the FTP machine with a text, cut into reads of any size, over a tree that
 * exists in this table only, and keeps what it said and what it asked for.
 */
#ifndef TESTS_PLAY_FTP_H
#define TESTS_PLAY_FTP_H

#include "proto/ftp.h"
#include "proto/ftp_list.h"

#include <stdlib.h>

static const struct {
	const char *path;
	enum ftp_kind kind;
	uint64_t size;
} ftp_play_tree[] = {
    {"/", FTP_FOLDER, 0},        {"/a.txt", FTP_FILE, 5},       {"/sub", FTP_FOLDER, 0},
    {"/sub/b", FTP_FILE, 70000}, {"/sub/\"q\"", FTP_FOLDER, 0}, {"/hold", FTP_FILE, 9},
    {"/full", FTP_FILE, 1},      {"/\xff", FTP_FOLDER, 0},
};

struct ftp_play {
	struct ftp *f;
	struct ftp_conf conf;
	struct ftp_peer peer;
	const char *after_tls; /* what the client says behind the handshake; NULL: it goes away */
	bool no_port;          /* no passive port is free */
	size_t room;           /* of one step */
	struct wr said, asked;
	size_t left, handshakes;
	bool closed, held;
	uint8_t said_room[65536], asked_room[65536];
};

static inline void
ftp_play_init(struct ftp_play *t)
{
	static const uint8_t ip[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 9};

	*t = (struct ftp_play){.conf = {BYTES("files.example.org"), true}, .room = FTP_REPLY_MAX};
	memcpy(t->peer.ip, ip, sizeof(ip));
	t->peer.plaintext = true;
	t->peer.unique = 0xabc;
}

static inline bool
ftp_play_find(struct bytes path, struct ftp_facts *out)
{
	for (size_t i = 0; i < COUNT(ftp_play_tree); i++)
		if (bytes_eq(path, bytes_of(ftp_play_tree[i].path))) {
			*out = (struct ftp_facts){.kind = ftp_play_tree[i].kind,
			                          .size = ftp_play_tree[i].size,
			                          .modified_s = 1700000000};
			return true;
		}
	return false;
}

static inline void
ftp_play_note(struct ftp_play *t, const char *what, struct bytes path)
{
	wr_text(&t->asked, what);
	wr_u8(&t->asked, ' ');
	wr_bytes(&t->asked, path);
	wr_u8(&t->asked, '\n');
}

static inline void
ftp_play_transfer(struct ftp_play *t)
{
	static const char *const acts[] = {"", "RETR", "STOR", "APPE", "LIST", "NLST", "MLSD"};
	const struct ftp_transfer *what = ftp_transfer(t->f);
	struct ftp_facts facts;

	if (t->held) /* it was begun: now it ends, but for the one that waits for ABOR */
		return;
	wr_printf(&t->asked, "%s%s%s%s@%llu ", acts[what->act], what->ascii ? " A" : " I",
	          what->tls ? " P" : "", what->active ? " active" : "",
	          (unsigned long long)what->offset);
	ftp_play_note(t, "at", what->path);
	if (what->pattern.n)
		ftp_play_note(t, "of", what->pattern);
	if (what->act == FTP_RETR && !ftp_play_find(what->path, &facts)) {
		ftp_answer(t->f, FTP_NOTFOUND);
		return;
	}
	if (what->act == FTP_STOR && bytes_eq(what->path, BYTES("/full"))) {
		ftp_answer(t->f, FTP_FULL);
		return;
	}
	ftp_begins(t->f, what->act == FTP_RETR ? facts.size : 0);
	if (bytes_eq(what->path, BYTES("/hold"))) {
		ftp_moved(t->f, 3);
		t->held = true;
	} else {
		ftp_answer(t->f, FTP_OK);
	}
}

/* True: the machine can go on. */
static inline bool
ftp_play_answer(struct ftp_play *t, enum ftp_want want)
{
	static const char *const changes[] = {"", "mkdir", "rmdir", "delete", "rename"};
	const struct addr at = {{[10] = 0xff, [11] = 0xff, 192, 0, 2, 1}, 50001, 0};
	struct ftp_facts facts;

	switch (want) {
	case FTP_LOGIN:
		ftp_play_note(t, "login", ftp_user(t->f));
		ftp_answer(t->f, !bytes_eq(ftp_user(t->f), BYTES("bob"))       ? FTP_BAD
		                 : bytes_eq(ftp_secret(t->f), BYTES("hungry")) ? FTP_OK
		                 : bytes_eq(ftp_secret(t->f), BYTES("later"))  ? FTP_TEMP
		                                                               : FTP_BAD);
		return true;
	case FTP_LOOK:
		ftp_play_note(t, "look", ftp_path(t->f));
		if (ftp_play_find(ftp_path(t->f), &facts))
			ftp_found(t->f, &facts);
		else
			ftp_answer(t->f, FTP_NOTFOUND);
		return true;
	case FTP_CHANGE:
		ftp_play_note(t, changes[ftp_change(t->f)], ftp_path(t->f));
		if (ftp_change(t->f) == FTP_RENAME)
			ftp_play_note(t, "to", ftp_target(t->f));
		ftp_answer(t->f, bytes_eq(ftp_path(t->f), BYTES("/full")) ? FTP_FULL : FTP_OK);
		return true;
	case FTP_PASSIVE:
		if (t->no_port)
			ftp_answer(t->f, FTP_NO_DATA);
		else
			ftp_awaited(t->f, &at);
		return true;
	case FTP_SHOW:
		if (ftp_play_find(ftp_transfer(t->f)->path, &facts) && !t->held) {
			ftp_begins(t->f, 0);
			t->held = true;
		} else {
			ftp_answer(t->f, t->held ? FTP_OK : FTP_NOTFOUND);
			t->held = false;
		}
		return true;
	case FTP_TRANSFER:
		if (t->held)
			return false;
		ftp_play_transfer(t);
		return true;
	case FTP_ABORT:
		ftp_play_note(t, "stop", ftp_transfer(t->f)->path);
		ftp_answer(t->f, FTP_CUT);
		t->held = false;
		return true;
	case FTP_INPUT:
	case FTP_ROOM:
	case FTP_TLS:
	case FTP_CLOSE:
		break;
	}
	return false;
}

static inline size_t
ftp_play_turn(struct ftp_play *t, struct bytes in, enum ftp_want *want)
{
	uint8_t *copy = malloc(in.n ? in.n : 1), *room = malloc(t->room);
	struct rd r = {copy, copy + in.n, false};
	size_t eaten;
	bool more;

	if (in.n)
		memcpy(copy, in.p, in.n);
	do {
		struct wr out = wr_of(room, t->room);

		*want = ftp_step(t->f, &r, &out);
		if (out.full)
			abort();
		wr_bytes(&t->said, wr_since(&out, room));
		more = ftp_play_answer(t, *want) || *want == FTP_ROOM;
	} while (more);
	eaten = (size_t)(r.p - copy);
	free(copy);
	free(room);
	return eaten;
}

static inline void
ftp_play(struct ftp_play *t, struct bytes client, size_t cut)
{
	enum ftp_want want = FTP_INPUT;
	size_t done = 0, read = 0;

	t->said = wr_of(t->said_room, sizeof(t->said_room));
	t->asked = wr_of(t->asked_room, sizeof(t->asked_room));
	t->handshakes = 0;
	t->held = false;
	t->f = ftp_new(&t->conf, &t->peer);
	do {
		done += ftp_play_turn(t, (struct bytes){client.p + done, read - done}, &want);
		if (want == FTP_TLS && t->after_tls) {
			t->handshakes++;
			ftp_tls_done(t->f);
			client = bytes_of(t->after_tls);
			done = read = 0;
		} else if ((want != FTP_INPUT && want != FTP_TRANSFER) || read == client.n) {
			break;
		}
		read = client.n - read < cut ? client.n : read + cut;
	} while (want != FTP_CLOSE);
	t->closed = want == FTP_CLOSE;
	t->left = client.n - done;
	ftp_free(t->f);
	t->f = NULL;
}

static inline struct bytes
ftp_play_said(const struct ftp_play *t)
{
	return wr_since(&t->said, t->said_room);
}

static inline struct bytes
ftp_play_asked(const struct ftp_play *t)
{
	return wr_since(&t->asked, t->asked_room);
}

#endif
