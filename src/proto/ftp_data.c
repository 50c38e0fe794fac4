/*
 * ftp_data.c - the verbs of data connections, and those that move data over one.
 *
 * A data connection goes to the client's own address or comes from there: to name another host or
 * one of the system's ports would make us a cannon (RFC 2577 3, attack 131).
 */
#include "base/text.h"
#include "proto/ftp_glob.h"
#include "proto/ftp_list.h"
#include "proto/ftp_path.h"
#include "proto/ftp_session.h"

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static int
active(struct ftp *f, const struct addr *to, struct wr *out)
{
	if (memcmp(to->ip, f->peer.ip, sizeof(to->ip)) != 0 || to->port < FTP_PORT_MIN)
		return ftp_refuse(f, out, "500 Data goes to your own address, from port 1024 on.");
	f->to = *to;
	f->passive = false;
	return ftp_reply(out, "200 There, then.");
}

/* True when a refusal was written. */
static bool
only_epsv(const struct ftp *f, struct wr *out)
{
	if (f->epsv_all) /* RFC 2428 4 */
		ftp_reply(out, "501 You said EPSV ALL.");
	return f->epsv_all;
}

int
ftp_do_port(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;
	struct bytes rest = text_trim(args);
	struct addr to = {.port = 0};
	uint64_t n[6];

	if (only_epsv(f, out))
		return FTP_GO_ON;
	for (size_t i = 0; i < COUNT(n); i++)
		if (!text_u64(text_cut(&rest, ','), UINT8_MAX, &n[i]))
			return ftp_refuse(f, out, "501 PORT h,h,h,h,p,p");
	if (rest.n)
		return ftp_refuse(f, out, "501 PORT h,h,h,h,p,p");
	memcpy(to.ip, v4_prefix, sizeof(v4_prefix));
	for (size_t i = 0; i < 4; i++)
		to.ip[12 + i] = (uint8_t)n[i];
	to.port = (uint16_t)(n[4] << 8 | n[5]);
	return active(f, &to, out);
}

/* |1|192.0.2.1|6275| (RFC 2428 2); the first octet is what parts the others. */
int
ftp_do_eprt(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;
	bool v4 = addr_ip_is_v4(f->peer.ip);
	struct bytes rest = text_trim(args), family, host, port;
	struct addr to = {.port = 0};
	uint64_t number, n;
	uint8_t bar;

	if (only_epsv(f, out))
		return FTP_GO_ON;
	if (rest.n < 2 || rest.p[0] < 33 || rest.p[0] > 126)
		return ftp_refuse(f, out, "501 EPRT |1|h.h.h.h|port|");
	bar = rest.p[0];
	text_cut(&rest, bar);
	family = text_cut(&rest, bar);
	host = text_cut(&rest, bar);
	port = text_cut(&rest, bar);
	if (!text_u64(family, UINT32_MAX, &n) || !text_u64(port, UINT16_MAX, &number) || rest.n)
		return ftp_refuse(f, out, "501 EPRT |1|h.h.h.h|port|");
	if (n != (v4 ? 1 : 2))
		return ftp_reply(out, v4 ? "522 Use (1)." : "522 Use (2).");
	if (!addr_ip_parse(host, to.ip))
		return ftp_refuse(f, out, "501 EPRT |1|h.h.h.h|port|");
	to.port = (uint16_t)number;
	return active(f, &to, out);
}

static int
await(struct ftp *f, bool extended)
{
	f->extended = extended;
	f->passive = false;
	f->to.port = 0;
	return ftp_ask(f, FTP_PASSIVE);
}

int
ftp_do_pasv(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;

	(void)args;
	if (only_epsv(f, out))
		return FTP_GO_ON;
	if (!addr_ip_is_v4(f->peer.ip))
		return ftp_reply(out, "425 PASV is for IPv4: use EPSV.");
	return await(f, false);
}

int
ftp_do_epsv(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;
	bool v4 = addr_ip_is_v4(f->peer.ip);
	uint64_t n;

	args = text_trim(args);
	if (bytes_eq_nocase(args, BYTES("ALL"))) {
		f->epsv_all = true;
		return ftp_reply(out, "200 Only EPSV from now on.");
	}
	if (args.n && !text_u64(args, UINT32_MAX, &n))
		return ftp_refuse(f, out, "501 Which protocol?");
	if (args.n && n != (v4 ? 1 : 2))
		return ftp_reply(out, v4 ? "522 Use (1)." : "522 Use (2).");
	return await(f, true);
}

int
ftp_do_rest(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;
	uint64_t n;

	if (!f->image) /* an offset in which form of the file? */
		return ftp_reply(out, "501 REST is for TYPE I.");
	if (!text_u64(text_trim(args), INT64_MAX, &n)) /* attack 137 */
		return ftp_refuse(f, out, "501 From which octet on?");
	f->rest = n;
	wr_printf(out, "350 From octet %llu on, with RETR or STOR.\r\n", (unsigned long long)n);
	return FTP_GO_ON;
}

/* ---- transfers ---- */

/* What the next transfer begins with, once its path is known. */
static int
begin(struct ftp *f, enum ftp_act act, struct wr *out)
{
	struct ftp_transfer *t = &f->transfer;

	t->act = act;
	t->offset = act == FTP_RETR || act == FTP_STOR ? f->rest : 0;
	t->facts = f->facts;
	t->ascii = !f->image && act <= FTP_APPE;
	t->tls = f->protect;
	t->active = !f->passive;
	t->to = f->to;
	f->rest = 0;
	f->moved = f->size = 0;
	if (!f->passive && !f->to.port)
		return ftp_reply(out, "425 EPSV, PASV, EPRT or PORT first.");
	f->passive = false;
	f->to.port = 0;
	return ftp_ask(f, FTP_TRANSFER);
}

/* Keeps the absolute form of `name`; false when a reply was written. */
static bool
keep_path(struct ftp *f, struct bytes name, struct wr *out)
{
	uint8_t room[FTP_PATH_MAX + FTP_NAME_MAX + 1];
	struct wr w = wr_of(room, sizeof(room));

	if (!ftp_path_join(&w, ftp_text(&f->cwd), name)) {
		ftp_reply(out, "553 There can be no such name.");
		return false;
	}
	if (!ftp_keep(&f->path, wr_since(&w, room))) {
		ftp_reply(out, "451 No memory now.");
		return false;
	}
	f->transfer = (struct ftp_transfer){.path = ftp_text(&f->path)};
	f->begins = f->begun = f->aborted = false;
	return true;
}

static int
file(struct ftp *f, struct bytes args, enum ftp_act act, struct wr *out)
{
	f->named = false;
	if (!args.n)
		return ftp_refuse(f, out, "501 A name is missing.");
	if (!keep_path(f, args, out))
		return FTP_GO_ON;
	return begin(f, act, out);
}

int
ftp_do_retr(void *session, struct bytes args, struct wr *out)
{
	return file(session, args, FTP_RETR, out);
}

int
ftp_do_stor(void *session, struct bytes args, struct wr *out)
{
	return file(session, args, FTP_STOR, out);
}

int
ftp_do_appe(void *session, struct bytes args, struct wr *out)
{
	return file(session, args, FTP_APPE, out);
}

/* Its name is of our making, and told with 150 (RFC 1123 4.1.2.9). */
int
ftp_do_stou(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;
	uint8_t name[32];
	struct wr w = wr_of(name, sizeof(name));

	(void)args;
	wr_printf(&w, "stou-%016llx", (unsigned long long)(f->peer.unique + f->made++));
	f->rest = 0;
	f->named = true;
	if (!keep_path(f, wr_since(&w, name), out))
		return FTP_GO_ON;
	return begin(f, FTP_STOR, out);
}

/* Behind "-la" and the like, which clients give since servers hand them to ls(1). */
static struct bytes
skip_options(struct bytes args)
{
	args = text_trim(args);
	while (args.n && args.p[0] == '-') {
		text_cut(&args, ' ');
		args = text_trim(args);
	}
	return args;
}

bool
ftp_listed(struct ftp *f, struct bytes args, bool patterns, struct wr *out)
{
	struct bytes given = patterns ? skip_options(args) : args, last = ftp_path_last(given);
	struct ftp_glob glob;
	bool some = patterns && ftp_glob_is(last);

	if (some && !ftp_glob_make(&glob, last)) {
		ftp_reply(out, "501 That pattern is too long.");
		return false;
	}
	if (!ftp_keep(&f->given, given) || !ftp_keep(&f->pattern, some ? last : NO_BYTES)) {
		ftp_reply(out, "451 No memory now.");
		return false;
	}
	if (some)
		given.n -= last.n;
	if (!keep_path(f, given, out))
		return false;
	f->transfer.given = ftp_text(&f->given);
	f->transfer.pattern = ftp_text(&f->pattern);
	return true;
}

static int
list(struct ftp *f, struct bytes args, enum ftp_act act, struct wr *out)
{
	f->named = false;
	if (!ftp_listed(f, args, act != FTP_MLSD, out))
		return FTP_GO_ON;
	return begin(f, act, out);
}

int
ftp_do_list(void *session, struct bytes args, struct wr *out)
{
	return list(session, args, FTP_LIST, out);
}

int
ftp_do_nlst(void *session, struct bytes args, struct wr *out)
{
	return list(session, args, FTP_NLST, out);
}

int
ftp_do_mlsd(void *session, struct bytes args, struct wr *out)
{
	return list(session, args, FTP_MLSD, out);
}
