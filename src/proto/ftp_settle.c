/* ftp_settle.c - what each answer to a question lets us say. */
#include "proto/ftp_list.h"
#include "proto/ftp_path.h"
#include "proto/ftp_session.h"

/* What an answer means for a file that is there, or should be. */
static const char *
refusal(enum ftp_answer answer, bool writes)
{
	switch (answer) {
	case FTP_OK:
	case FTP_BAD:
	case FTP_TEMP:
	case FTP_BUSY:
		break;
	case FTP_NOTFOUND:
		return "550 There is no such file or folder.";
	case FTP_EXISTS:
		return writes ? "553 Something of that name is there." : "550 That cannot be.";
	case FTP_DENIED:
		return writes ? "553 That may not be written." : "550 That may not be done.";
	case FTP_NAME:
		return writes ? "553 There can be no such name." : "501 There can be no such name.";
	case FTP_RANGE:
		return "554 The file is shorter than that.";
	case FTP_FULL:
		return "452 There is no space left.";
	case FTP_NO_DATA:
		return "425 There is no data connection.";
	case FTP_CUT:
		return "426 The data connection broke; nothing was changed.";
	case FTP_NOT_BOUND:
		return "522 Data must resume the TLS session of this control connection.";
	case FTP_NO_TLS:
		return "522 The data connection's TLS handshake failed.";
	}
	return "450 Not now, try again later.";
}

static int
login_answered(struct ftp *f, struct wr *out)
{
	ftp_drop(&f->secret);
	if (f->answer == FTP_OK) {
		f->state = FTP_IN;
		f->errors = f->early = 0;
		return ftp_reply(out, "230 Welcome.");
	}
	ftp_drop(&f->user);
	if (f->answer != FTP_BAD)
		return ftp_leave(f, out, "421 Logins cannot be checked now, try again later.");
	if (++f->logins >= FTP_LOGINS_MAX)
		return ftp_leave(f, out, "421 Wrong name or password, closing.");
	return ftp_reply(out, "530 Wrong name or password.");
}

/* RFC 3659 7.2: one line, with a blank before it. */
static void
put_mlst(const struct ftp *f, struct wr *out)
{
	struct bytes path = ftp_text(&f->path);

	wr_text(out, "250-What it is:\r\n ");
	ftp_facts_put(out, &f->found, f->facts, path.n == 1);
	wr_u8(out, ' ');
	ftp_path_put(out, path, false);
	ftp_reply(out, "\r\n250 End");
}

static int
look_answered(struct ftp *f, struct wr *out)
{
	if (f->answer != FTP_OK)
		return ftp_reply(out, refusal(f->answer, false));
	switch (f->looking) {
	case FTP_FOR_CWD:
		if (f->found.kind != FTP_FOLDER)
			return ftp_reply(out, "550 That is no folder.");
		ftp_drop(&f->cwd);
		f->cwd = f->path;
		f->path = (struct ftp_text){NULL, 0};
		return ftp_reply(out, "250 Here we are.");
	case FTP_FOR_SIZE:
		if (f->found.kind != FTP_FILE)
			return ftp_reply(out, "550 That is no file.");
		wr_printf(out, "213 %llu\r\n", (unsigned long long)f->found.size);
		return FTP_GO_ON;
	case FTP_FOR_MDTM:
		wr_text(out, "213 ");
		ftp_time_put(out, f->found.modified_s);
		return ftp_reply(out, "");
	case FTP_FOR_MLST:
		put_mlst(f, out);
		return FTP_GO_ON;
	case FTP_FOR_RNFR:
		f->from = f->path;
		f->path = (struct ftp_text){NULL, 0};
		return ftp_reply(out, "350 And its new name?");
	}
	return FTP_GO_ON;
}

static int
change_answered(struct ftp *f, struct wr *out)
{
	if (f->answer == FTP_OK && f->change == FTP_MAKE_FOLDER) {
		wr_text(out, "257 \"");
		ftp_path_put(out, ftp_text(&f->path), true);
		ftp_reply(out, "\" is there now");
	} else if (f->answer == FTP_OK) {
		ftp_reply(out, "250 Done.");
	} else {
		ftp_reply(out, refusal(f->answer, f->change == FTP_RENAME));
	}
	ftp_drop(&f->target);
	return FTP_GO_ON;
}

static int
passive_answered(struct ftp *f, struct wr *out)
{
	const uint8_t *ip = f->at.ip + 12;

	if (f->answer != FTP_OK) /* attack 138 */
		return ftp_reply(out, "425 No port is free for you now, try again later.");
	f->passive = true;
	if (f->extended)
		wr_printf(out, "229 Come to (|||%u|)\r\n", f->at.port);
	else
		wr_printf(out, "227 Come to (%u,%u,%u,%u,%u,%u).\r\n", ip[0], ip[1], ip[2], ip[3],
		          f->at.port >> 8, f->at.port & 255u);
	return FTP_GO_ON;
}

/* The texts that a question had; `from` and `cwd` are not of them. */
static void
forget(struct ftp *f)
{
	ftp_drop(&f->path);
	ftp_drop(&f->pattern);
	ftp_drop(&f->given);
	f->transfer = (struct ftp_transfer){.offset = 0};
}

static int
transfer_answered(struct ftp *f, struct wr *out)
{
	bool writes = f->transfer.act == FTP_STOR || f->transfer.act == FTP_APPE;

	if (f->answer == FTP_OK)
		ftp_reply(out, "226 All is there.");
	else if (f->aborted)
		ftp_reply(out, "426 Stopped, as you said.");
	else if (f->answer == FTP_TEMP)
		ftp_reply(out, "451 It could not be done, try again later.");
	else
		ftp_reply(out, refusal(f->answer, writes));
	if (f->aborted)
		ftp_reply(out, "226 ABOR is done.");
	forget(f);
	return FTP_GO_ON;
}

static int
show_answered(struct ftp *f, struct wr *out)
{
	forget(f);
	if (f->answer == FTP_OK)
		return ftp_reply(out, "213 End");
	if (f->begun) /* its beginning was sent: it must end as it began */
		return ftp_reply(out, "213 It could not be read on.");
	return ftp_reply(out, refusal(f->answer, false));
}

int
ftp_settle(struct ftp *f, struct wr *out)
{
	enum ftp_want question = f->open;
	int want = FTP_GO_ON;

	f->open = FTP_INPUT;
	f->answered = false;
	switch (question) {
	case FTP_LOGIN:
		return login_answered(f, out);
	case FTP_LOOK:
		want = look_answered(f, out);
		ftp_drop(&f->path);
		return want;
	case FTP_CHANGE:
		want = change_answered(f, out);
		ftp_drop(&f->path);
		return want;
	case FTP_PASSIVE:
		return passive_answered(f, out);
	case FTP_TRANSFER:
		return transfer_answered(f, out);
	case FTP_SHOW:
		return show_answered(f, out);
	case FTP_INPUT:
	case FTP_ROOM:
	case FTP_ABORT:
	case FTP_TLS:
	case FTP_CLOSE:
		break;
	}
	return want;
}
