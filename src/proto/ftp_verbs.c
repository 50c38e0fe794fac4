/*
 * ftp_verbs.c - who it is, how data is sent, and what there is; the table at the end has all verbs
 * and tells when they may come.
 */
#include "base/text.h"
#include "proto/ftp_list.h"
#include "proto/ftp_path.h"
#include "proto/ftp_session.h"
#include "proto/verb.h"

#define IN(st) (1u << (st))

enum { ANY = IN(FTP_START) | IN(FTP_NAMED) | IN(FTP_IN) };

/* ---- who ---- */

static int
do_user(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;

	if (!f->tls && !f->peer.plaintext) /* before a secret is sent (RFC 8314 3.3, attack 92) */
		return ftp_reply(out, f->conf->tls ? "530 TLS first: AUTH TLS."
		                                   : "530 No login from there without TLS.");
	if (!args.n || args.n > FTP_USER_MAX)
		return ftp_reply(out, "501 Who?");
	ftp_restart(f);
	if (!ftp_keep(&f->user, args))
		return ftp_leave(f, out, "421 No memory now.");
	f->state = FTP_NAMED;
	return ftp_reply(out, "331 And the password?"); /* the same for a name that nobody has */
}

/* Blanks belong to the password. */
static int
do_pass(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;

	f->state = FTP_START;
	if (args.n > FTP_SECRET_MAX)
		return ftp_reply(out, "501 That is no password.");
	if (!ftp_keep(&f->secret, args))
		return ftp_leave(f, out, "421 No memory now.");
	return ftp_ask(f, FTP_LOGIN);
}

static int
do_acct(void *session, struct bytes args, struct wr *out)
{
	(void)session, (void)args;
	return ftp_reply(out, "202 Not needed here.");
}

static int
do_quit(void *session, struct bytes args, struct wr *out)
{
	(void)args;
	return ftp_leave(session, out, "221 Good bye.");
}

/* ---- TLS: RFC 4217 ---- */

static int
do_auth(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;

	if (!f->conf->tls)
		return ftp_reply(out, "534 There is no certificate.");
	if (f->tls)
		return ftp_reply(out, "503 TLS is active.");
	if (!bytes_eq_nocase(args, BYTES("TLS")) && !bytes_eq_nocase(args, BYTES("TLS-C")))
		return ftp_reply(out, "504 TLS is what there is.");
	ftp_reply(out, "234 Ready for TLS.");
	return ftp_ask(f, FTP_TLS);
}

static int
do_pbsz(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;
	uint64_t n;

	if (!f->tls)
		return ftp_reply(out, "503 AUTH TLS first.");
	if (!text_u64(args, UINT32_MAX, &n))
		return ftp_refuse(f, out, "501 How many octets?");
	f->pbsz = true;
	return ftp_reply(out, "200 PBSZ=0");
}

static int
do_prot(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;

	if (!f->tls || !f->pbsz)
		return ftp_reply(out, f->tls ? "503 PBSZ first." : "503 AUTH TLS first.");
	if (bytes_eq_nocase(args, BYTES("P")))
		f->protect = true;
	else if (bytes_eq_nocase(args, BYTES("C")) && f->protect)
		return ftp_reply(out, "534 Data stays protected."); /* attack 133 */
	else if (bytes_eq_nocase(args, BYTES("S")) || bytes_eq_nocase(args, BYTES("E")))
		return ftp_reply(out, "536 TLS has C and P.");
	else if (!bytes_eq_nocase(args, BYTES("C")))
		return ftp_reply(out, "504 C or P?");
	return ftp_reply(out, f->protect ? "200 Data is protected." : "200 Data is clear.");
}

/* Who has TLS keeps it: commands in clear again are what an attacker wants (attack 133). */
static int
do_ccc(void *session, struct bytes args, struct wr *out)
{
	(void)session, (void)args;
	return ftp_reply(out, "534 The control connection stays protected.");
}

/* ---- how data is sent ---- */

static int
do_type(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;

	if (bytes_eq_nocase(args, BYTES("A")) || bytes_eq_nocase(args, BYTES("A N")))
		f->image = false;
	else if (bytes_eq_nocase(args, BYTES("I")) || bytes_eq_nocase(args, BYTES("L 8")))
		f->image = true;
	else if (!args.n)
		return ftp_refuse(f, out, "501 Which type?");
	else
		return ftp_reply(out, "504 A, I and L 8 are what there is.");
	return ftp_reply(out, f->image ? "200 Type is I." : "200 Type is A.");
}

/* The only value that there is, of STRU and MODE. */
static int
only(struct ftp *f, struct bytes args, struct bytes value, struct wr *out)
{
	if (!args.n)
		return ftp_refuse(f, out, "501 Which one?");
	return ftp_reply(out, bytes_eq_nocase(args, value) ? "200 As ever." : "504 Not here.");
}

static int
do_stru(void *session, struct bytes args, struct wr *out)
{
	return only(session, args, BYTES("F"), out);
}

static int
do_mode(void *session, struct bytes args, struct wr *out)
{
	return only(session, args, BYTES("S"), out);
}

static int
do_allo(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;
	struct bytes rest = args;
	uint64_t n;

	if (!text_u64(text_cut(&rest, ' '), UINT64_MAX, &n))
		return ftp_refuse(f, out, "501 How many octets?");
	return ftp_reply(out, "202 Not needed here.");
}

/* ---- what there is ---- */

static int
do_syst(void *session, struct bytes args, struct wr *out)
{
	(void)session, (void)args;
	return ftp_reply(out, "215 UNIX Type: L8");
}

static int
do_noop(void *session, struct bytes args, struct wr *out)
{
	(void)session, (void)args;
	return ftp_reply(out, "200 Yes.");
}

static void
put_facts(const struct ftp *f, struct wr *out, bool chosen)
{
	for (size_t i = 0; ftp_fact_names[i]; i++) {
		bool on = f->facts >> i & 1u;

		if (on || !chosen)
			wr_printf(out, "%s%s;", ftp_fact_names[i], on && !chosen ? "*" : "");
	}
}

static int
do_feat(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;

	(void)args;
	wr_text(out, "211-What there is:\r\n");
	if (f->conf->tls)
		wr_text(out, " AUTH TLS\r\n PBSZ\r\n PROT\r\n");
	wr_text(out, " EPRT\r\n EPSV\r\n MDTM\r\n MLST ");
	put_facts(f, out, false);
	wr_text(out, "\r\n REST STREAM\r\n SIZE\r\n TVFS\r\n UTF8\r\n");
	return ftp_reply(out, "211 End");
}

/* RFC 3659 7.8: what is not known is left out, and no facts at all are as well. */
static int
opts_mlst(struct ftp *f, struct bytes list, struct wr *out)
{
	struct bytes word;

	f->facts = 0;
	list = text_trim(list);
	while (list.n) {
		word = text_cut(&list, ';');
		for (size_t i = 0; ftp_fact_names[i]; i++)
			if (bytes_eq_nocase(word, bytes_of(ftp_fact_names[i])))
				f->facts = (uint8_t)(f->facts | 1u << i);
	}
	wr_text(out, "200 MLST OPTS");
	if (f->facts)
		wr_u8(out, ' ');
	put_facts(f, out, true);
	return ftp_reply(out, "");
}

static int
do_opts(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;
	struct bytes rest = args, word = text_cut(&rest, ' ');

	if (bytes_eq_nocase(word, BYTES("MLST")))
		return opts_mlst(f, rest, out);
	if (bytes_eq_nocase(word, BYTES("UTF8")) || bytes_eq_nocase(word, BYTES("UTF-8"))) {
		rest = text_trim(rest);
		if (!rest.n || bytes_eq_nocase(rest, BYTES("ON")) ||
		    bytes_eq_nocase(rest, BYTES("NLST")))
			return ftp_reply(out, "200 Names are UTF-8, always.");
		return ftp_reply(out, "504 Names are UTF-8, always.");
	}
	return ftp_refuse(f, out, "501 That has no options.");
}

/* Nothing executes (attack 136). */
static int
do_site(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;

	if (bytes_eq_nocase(text_trim(args), BYTES("HELP")))
		return ftp_reply(out, "214 There are no SITE commands.");
	return ftp_refuse(f, out, "504 There are no SITE commands.");
}

/* With no transfer under way: one is stopped by ftp.c. */
static int
do_abor(void *session, struct bytes args, struct wr *out)
{
	struct ftp *f = session;

	(void)args;
	f->passive = false;
	f->to.port = 0;
	return ftp_reply(out, "226 There was nothing to stop.");
}

static int do_help(void *session, struct bytes args, struct wr *out);

static const struct verb verbs[] = {
    {"USER", ANY, do_user},
    {"PASS", IN(FTP_NAMED), do_pass},
    {"ACCT", ANY, do_acct},
    {"QUIT", ANY, do_quit},
    {"AUTH", ANY, do_auth},
    {"PBSZ", ANY, do_pbsz},
    {"PROT", ANY, do_prot},
    {"CCC", ANY, do_ccc},
    {"SYST", ANY, do_syst},
    {"FEAT", ANY, do_feat},
    {"OPTS", ANY, do_opts},
    {"HELP", ANY, do_help},
    {"NOOP", ANY, do_noop},
    {"ABOR", ANY, do_abor},
    {"CWD", IN(FTP_IN), ftp_do_cwd},
    {"CDUP", IN(FTP_IN), ftp_do_cdup},
    {"PWD", IN(FTP_IN), ftp_do_pwd},
    {"TYPE", IN(FTP_IN), do_type},
    {"STRU", IN(FTP_IN), do_stru},
    {"MODE", IN(FTP_IN), do_mode},
    {"ALLO", IN(FTP_IN), do_allo},
    {"PORT", IN(FTP_IN), ftp_do_port},
    {"PASV", IN(FTP_IN), ftp_do_pasv},
    {"EPRT", IN(FTP_IN), ftp_do_eprt},
    {"EPSV", IN(FTP_IN), ftp_do_epsv},
    {"REST", IN(FTP_IN), ftp_do_rest},
    {"RETR", IN(FTP_IN), ftp_do_retr},
    {"STOR", IN(FTP_IN), ftp_do_stor},
    {"STOU", IN(FTP_IN), ftp_do_stou},
    {"APPE", IN(FTP_IN), ftp_do_appe},
    {"LIST", IN(FTP_IN), ftp_do_list},
    {"NLST", IN(FTP_IN), ftp_do_nlst},
    {"MLSD", IN(FTP_IN), ftp_do_mlsd},
    {"MLST", IN(FTP_IN), ftp_do_mlst},
    {"STAT", ANY, ftp_do_stat},
    {"SIZE", IN(FTP_IN), ftp_do_size},
    {"MDTM", IN(FTP_IN), ftp_do_mdtm},
    {"DELE", IN(FTP_IN), ftp_do_dele},
    {"RNFR", IN(FTP_IN), ftp_do_rnfr},
    {"RNTO", IN(FTP_IN), ftp_do_rnto},
    {"MKD", IN(FTP_IN), ftp_do_mkd},
    {"RMD", IN(FTP_IN), ftp_do_rmd},
    {"SITE", IN(FTP_IN), do_site},
    /* RFC 1123 4.1.3.1 */
    {"XCWD", IN(FTP_IN), ftp_do_cwd},
    {"XCUP", IN(FTP_IN), ftp_do_cdup},
    {"XPWD", IN(FTP_IN), ftp_do_pwd},
    {"XMKD", IN(FTP_IN), ftp_do_mkd},
    {"XRMD", IN(FTP_IN), ftp_do_rmd},
};

/* Of the standards, and not here. */
static const char *const others[] = {"REIN", "SMNT", "ADAT", "MIC", "CONF", "ENC", "LANG", "HOST"};

static int
do_help(void *session, struct bytes args, struct wr *out)
{
	(void)session;
	if (args.n) {
		bool known = verb_find(verbs, COUNT(verbs), text_trim(args)) != NULL;

		return ftp_reply(out, known ? "214 That is a command here."
		                            : "502 That is no command here.");
	}
	wr_text(out, "214-The commands:");
	for (size_t i = 0; i < COUNT(verbs); i++)
		wr_printf(out, "%s%s", i % 8 ? " " : "\r\n ", verbs[i].name);
	return ftp_reply(out, "\r\n214 End");
}

int
ftp_status(struct ftp *f, struct wr *out)
{
	bool moving = f->open == FTP_TRANSFER;
	const char *code = moving ? "213" : "211";

	wr_printf(out, "%s-Stead at ", code);
	wr_bytes(out, f->conf->host);
	wr_printf(out, ":\r\n %s\r\n", f->state == FTP_IN ? "logged in" : "not logged in");
	wr_printf(out, " control connection %s, data connections %s\r\n",
	          f->tls ? "in TLS" : "in clear", f->protect ? "in TLS" : "in clear");
	wr_printf(out, " TYPE %s; STRU F; MODE S\r\n", f->image ? "I" : "A");
	if (moving)
		wr_printf(out, " %llu octets have been transferred\r\n",
		          (unsigned long long)f->moved);
	wr_printf(out, "%s End\r\n", code);
	return FTP_GO_ON;
}

int
ftp_verb(struct ftp *f, struct bytes line, struct wr *out)
{
	struct bytes word, args;
	const struct verb *v;
	uint8_t errors = f->errors;
	int want;

	if (f->state != FTP_IN && ++f->early > FTP_EARLY_MAX)
		return ftp_leave(f, out, "421 Too many commands without a login, closing.");
	verb_cut(line, &word, &args);
	v = verb_find(verbs, COUNT(verbs), word);
	for (size_t i = 0; !v && i < COUNT(others); i++)
		if (bytes_eq_nocase(word, bytes_of(others[i])))
			return ftp_refuse(f, out, "502 That command is not offered.");
	if (!v)
		return ftp_refuse(f, out, "500 Unknown command.");
	if (!(v->in & IN(f->state)) && v->in == IN(FTP_NAMED))
		return ftp_refuse(f, out, "503 USER first.");
	if (!(v->in & IN(f->state)))
		return ftp_refuse(f, out, "530 Log in first: USER, then PASS.");
	if (v->run != ftp_do_rnto)
		ftp_drop(&f->from);
	want = v->run(f, args, out);
	if (f->errors == errors)
		f->errors = 0;
	return want;
}
