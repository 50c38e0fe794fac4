/* ftp_names.c - the verbs that name files and move no data. */
#include "base/text.h"
#include "proto/ftp_list.h"
#include "proto/ftp_path.h"
#include "proto/ftp_session.h"

/* Makes the argument the path of a question; false when a refusal was written. */
static bool
resolve(struct ftp *f, struct bytes args, struct ftp_text *to, struct wr *out)
{
	uint8_t room[FTP_PATH_MAX + FTP_NAME_MAX + 1];
	struct wr w = wr_of(room, sizeof(room));

	if (!ftp_path_join(&w, ftp_text(&f->cwd), args)) {
		ftp_reply(out, "501 There can be no such name.");
		return false;
	}
	if (!ftp_keep(to, wr_since(&w, room))) {
		ftp_reply(out, "451 No memory now.");
		return false;
	}
	return true;
}

static bool
wants_name(struct ftp *f, struct bytes args, struct wr *out)
{
	if (!args.n)
		ftp_refuse(f, out, "501 A name is missing.");
	return args.n > 0;
}

static int
look(struct ftp *f, struct bytes args, enum ftp_looking whom, struct wr *out)
{
	if (!resolve(f, args, &f->path, out))
		return FTP_GO_ON;
	f->looking = whom;
	return ftp_ask(f, FTP_LOOK);
}

static int
change(struct ftp *f, struct bytes args, enum ftp_change what, struct wr *out)
{
	if (!wants_name(f, args, out) || !resolve(f, args, &f->path, out))
		return f->state == FTP_AT_END ? FTP_CLOSE : FTP_GO_ON;
	f->change = what;
	return ftp_ask(f, FTP_CHANGE);
}

static int
look_named(struct ftp *f, struct bytes args, enum ftp_looking whom, struct wr *out)
{
	if (!wants_name(f, args, out))
		return f->state == FTP_AT_END ? FTP_CLOSE : FTP_GO_ON;
	return look(f, args, whom, out);
}

int
ftp_do_cwd(void *session, struct bytes args, struct wr *out)
{
	return look_named(session, args, FTP_FOR_CWD, out);
}

int
ftp_do_cdup(void *session, struct bytes args, struct wr *out)
{
	(void)args;
	return look(session, BYTES(".."), FTP_FOR_CWD, out);
}

int
ftp_do_pwd(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;

	(void)args;
	wr_text(out, "257 \"");
	ftp_path_put(out, f->cwd.n ? ftp_text(&f->cwd) : BYTES("/"), true);
	return ftp_reply(out, "\" is the current folder");
}

int
ftp_do_size(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;

	if (!f->image) /* of the octets that would be sent, RFC 3659 4: nobody counts lines first */
		return ftp_reply(out, "550 SIZE is for TYPE I.");
	return look_named(f, args, FTP_FOR_SIZE, out);
}

int
ftp_do_mdtm(void *session, struct bytes args, struct wr *out)
{
	return look_named(session, args, FTP_FOR_MDTM, out);
}

int
ftp_do_mlst(void *session, struct bytes args, struct wr *out)
{
	return look(session, args, FTP_FOR_MLST, out);
}

int
ftp_do_rnfr(void *session, struct bytes args, struct wr *out)
{
	return look_named(session, args, FTP_FOR_RNFR, out);
}

int
ftp_do_rnto(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;

	if (!f->from.n)
		return ftp_reply(out, "503 RNFR first.");
	if (!wants_name(f, args, out) || !resolve(f, args, &f->target, out)) {
		ftp_drop(&f->from);
		return f->state == FTP_AT_END ? FTP_CLOSE : FTP_GO_ON;
	}
	ftp_drop(&f->path);
	f->path = f->from;
	f->from = (struct ftp_text){NULL, 0};
	f->change = FTP_RENAME;
	return ftp_ask(f, FTP_CHANGE);
}

int
ftp_do_dele(void *session, struct bytes args, struct wr *out)
{
	return change(session, args, FTP_REMOVE, out);
}

int
ftp_do_mkd(void *session, struct bytes args, struct wr *out)
{
	return change(session, args, FTP_MAKE_FOLDER, out);
}

int
ftp_do_rmd(void *session, struct bytes args, struct wr *out)
{
	return change(session, args, FTP_REMOVE_FOLDER, out);
}

int
ftp_do_stat(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;

	if (!args.n)
		return ftp_status(f, out);
	if (f->state != FTP_IN)
		return ftp_refuse(f, out, "530 Log in first: USER, then PASS.");
	if (!ftp_listed(f, args, true, out))
		return FTP_GO_ON;
	f->transfer.act = FTP_LIST;
	return ftp_ask(f, FTP_SHOW);
}
