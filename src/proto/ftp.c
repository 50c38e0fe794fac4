/*
 * ftp.c - the phases of an FTP session, and what goes on while data moves.
 *
 * Invariants:
 * 1. While a question is open nothing is eaten; during a transfer only ABOR and STAT are.
 * 2. What comes out does not depend on how the input was cut into reads.
 * 3. A password is held from PASS to its answer, and wiped then.
 * 4. "226" behind an upload is said only after the driver has answered FTP_OK: it is durable.
 */
#include "proto/ftp_session.h"

#include "proto/ftp_list.h"
#include "proto/ftp_path.h"
#include "proto/verb.h"

#include <assert.h>
#include <stdlib.h>

static int
command(struct ftp *f, struct rd *in, struct wr *out)
{
	uint8_t room[FTP_LINE_MAX];
	struct wr line = wr_of(room, sizeof(room));
	int want = FTP_GO_ON;

	switch (ftp_line(in, &line)) {
	case FTP_LINE_MORE:
		return FTP_INPUT;
	case FTP_LINE_BARE:
		return ftp_leave(f, out, "500 Lines end with CRLF, closing.");
	case FTP_LINE_LONG:
		return ftp_leave(f, out, "500 Line too long, closing.");
	case FTP_LINE_ALIEN: /* not a word to a browser that was sent here (attack 46) */
		f->state = FTP_AT_END;
		return FTP_CLOSE;
	case FTP_LINE_GOOD:
		break;
	}
	want = ftp_verb(f, wr_since(&line, room), out);
	explicit_bzero(room, sizeof(room)); /* it may have been PASS */
	if (want == FTP_TLS)                /* what was read ahead came from nobody (attack 84) */
		rd_rest(in);
	return want;
}

/* ---- a transfer ---- */

static int
say_begins(struct ftp *f, struct wr *out)
{
	f->begins = false;
	f->begun = true;
	if (f->open == FTP_SHOW)
		return ftp_reply(out, "213-What is there:");
	if (f->named) { /* RFC 1123 4.1.2.9 */
		wr_text(out, "150 FILE: ");
		ftp_path_put(out, ftp_path_last(ftp_text(&f->path)), false);
		return ftp_reply(out, "");
	}
	if (f->transfer.act == FTP_RETR)
		wr_printf(out, "150 Data comes (%llu bytes).\r\n", (unsigned long long)f->size);
	else if (f->transfer.act == FTP_STOR || f->transfer.act == FTP_APPE)
		ftp_reply(out, "150 Send it.");
	else
		ftp_reply(out, "150 The listing comes.");
	return FTP_GO_ON;
}

/* The next line, if it is one that may come during a transfer; all others wait. */
static int
meanwhile(struct ftp *f, struct rd *in, struct wr *out)
{
	uint8_t room[FTP_LINE_MAX];
	struct wr line = wr_of(room, sizeof(room));
	struct rd ahead = *in;
	struct bytes word, args;
	bool abor, stat;

	if (f->aborted || ftp_line(&ahead, &line) != FTP_LINE_GOOD)
		return FTP_TRANSFER;
	verb_cut(wr_since(&line, room), &word, &args);
	abor = bytes_eq_nocase(word, BYTES("ABOR"));
	stat = bytes_eq_nocase(word, BYTES("STAT")) && !args.n;
	if (!abor && !stat)
		return FTP_TRANSFER;
	*in = ahead;
	if (stat)
		return ftp_status(f, out);
	f->aborted = true;
	return FTP_ABORT;
}

static int
greet(struct ftp *f, struct wr *out)
{
	f->greeted = true;
	wr_text(out, "220 ");
	wr_bytes(out, f->conf->host);
	return ftp_reply(out, " FTP Stead");
}

/* ---- public ---- */

struct ftp *
ftp_new(const struct ftp_conf *conf, const struct ftp_peer *peer)
{
	struct ftp *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->conf = conf;
	f->peer = *peer;
	f->facts = FTP_FACTS_ALL;
	return f;
}

void
ftp_free(struct ftp *f)
{
	if (!f)
		return;
	ftp_restart(f);
	ftp_drop(&f->path);
	ftp_drop(&f->target);
	ftp_drop(&f->pattern);
	ftp_drop(&f->given);
	free(f);
}

enum ftp_want
ftp_step(struct ftp *f, struct rd *in, struct wr *out)
{
	int want = FTP_GO_ON;

	if (f->state == FTP_AT_END)
		return FTP_CLOSE;
	while (want == FTP_GO_ON) {
		if (wr_room(out) < FTP_REPLY_MAX)
			return FTP_ROOM;
		if (f->begins)
			want = say_begins(f, out);
		else if (f->answered)
			want = ftp_settle(f, out);
		else if (f->open == FTP_TRANSFER)
			want = meanwhile(f, in, out);
		else if (f->open != FTP_INPUT)
			want = (int)f->open;
		else if (f->ending)
			want = ftp_leave(f, out,
			                 f->idle ? "421 Nothing came for too long, closing."
			                         : "421 Going down, try again later.");
		else if (!f->greeted)
			want = greet(f, out);
		else
			want = command(f, in, out);
	}
	return (enum ftp_want)want;
}

void
ftp_answer(struct ftp *f, enum ftp_answer answer)
{
	assert(f->open >= FTP_LOGIN && f->open <= FTP_TRANSFER && !f->answered);
	f->answer = answer;
	f->answered = true;
}

void
ftp_tls_done(struct ftp *f)
{
	assert(f->open == FTP_TLS);
	f->open = FTP_INPUT;
	ftp_restart(f);
	f->pbsz = f->protect = false;
	f->tls = true;
}

void
ftp_end(struct ftp *f)
{
	f->ending = true;
}

void
ftp_idle(struct ftp *f)
{
	f->ending = f->idle = true;
}

struct bytes
ftp_user(const struct ftp *f)
{
	return ftp_text(&f->user);
}

struct bytes
ftp_secret(const struct ftp *f)
{
	return ftp_text(&f->secret);
}

struct bytes
ftp_path(const struct ftp *f)
{
	return ftp_text(&f->path);
}

struct bytes
ftp_target(const struct ftp *f)
{
	return ftp_text(&f->target);
}

void
ftp_found(struct ftp *f, const struct ftp_facts *facts)
{
	assert(f->open == FTP_LOOK);
	f->found = *facts;
	f->found.name = NO_BYTES;
	ftp_answer(f, FTP_OK);
}

enum ftp_change
ftp_change(const struct ftp *f)
{
	return f->change;
}

void
ftp_awaited(struct ftp *f, const struct addr *at)
{
	assert(f->open == FTP_PASSIVE);
	f->at = *at;
	ftp_answer(f, FTP_OK);
}

const struct ftp_transfer *
ftp_transfer(const struct ftp *f)
{
	return &f->transfer;
}

void
ftp_begins(struct ftp *f, uint64_t size)
{
	assert((f->open == FTP_TRANSFER || f->open == FTP_SHOW) && !f->begun && !f->answered);
	f->size = size;
	f->begins = true;
}

void
ftp_moved(struct ftp *f, uint64_t octets)
{
	f->moved = octets;
}

bool
ftp_is_tls(const struct ftp *f)
{
	return f->tls;
}
