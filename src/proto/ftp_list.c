/* ftp_list.c - the forms of a listing's lines. */
#include "proto/ftp_list.h"

#include "base/calendar.h"
#include "proto/ftp_path.h"

enum { DAY = 86400, HALF_A_YEAR = 182 * DAY };

/* Years of four digits, which every form has room for. */
static const uint64_t latest_s = 253402300799;

const char *const ftp_fact_names[] = {"type", "size", "modify", "perm", NULL};

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Nothing that ends a line early (attack 136), and for people nothing that moves a cursor. */
static void
put_name(struct wr *w, struct bytes name, bool people)
{
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];
		bool odd =
		    c == '\r' || c == '\n' || c == '\0' || (people && (c < ' ' || c == 0x7f));

		wr_u8(w, odd ? '?' : c);
	}
}

static void
put_long(struct wr *w, const struct ftp_facts *f, uint64_t now_s)
{
	uint64_t s = f->modified_s < latest_s ? f->modified_s : latest_s;
	struct calendar_date d = calendar_date((int64_t)(s / DAY));
	bool folder = f->kind == FTP_FOLDER;

	wr_printf(w, "%s   1 ftp      ftp      %12llu %s %2u ",
	          folder ? "drwxr-xr-x" : "-rw-r--r--",
	          (unsigned long long)(folder ? 4096 : f->size), months[d.month - 1], d.day);
	if (s <= now_s + DAY && s + HALF_A_YEAR > now_s)
		wr_printf(w, "%02u:%02u ", (unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60));
	else
		wr_printf(w, "%5lld ", (long long)d.year);
	put_name(w, f->name, true);
}

/* What can be used as an argument as it is (RFC 1123 4.1.2.7). */
static void
put_short(struct wr *w, const struct ftp_transfer *t, const struct ftp_facts *f, bool itself)
{
	struct bytes given = t->given;

	if (itself || t->pattern.n)
		given.n -= ftp_path_last(given).n;
	put_name(w, given, false);
	if (given.n && given.p[given.n - 1] != '/')
		wr_u8(w, '/');
	put_name(w, f->name, false);
}

void
ftp_time_put(struct wr *w, uint64_t s)
{
	struct calendar_date d;

	if (s > latest_s)
		s = latest_s;
	d = calendar_date((int64_t)(s / DAY));
	wr_printf(w, "%04lld%02u%02u%02u%02u%02u", (long long)d.year, d.month, d.day,
	          (unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60), (unsigned)(s % 60));
}

void
ftp_facts_put(struct wr *w, const struct ftp_facts *f, unsigned mask, bool root)
{
	if (mask & FTP_FACT_TYPE)
		wr_text(w, f->kind == FTP_FOLDER ? "type=dir;" : "type=file;");
	if (mask & FTP_FACT_SIZE && f->kind == FTP_FILE)
		wr_printf(w, "size=%llu;", (unsigned long long)f->size);
	if (mask & FTP_FACT_MODIFY) {
		wr_text(w, "modify=");
		ftp_time_put(w, f->modified_s);
		wr_u8(w, ';');
	}
	if (mask & FTP_FACT_PERM)
		wr_text(w, f->kind == FTP_FILE ? "perm=adfrw;"
		           : root              ? "perm=celm;"
		                               : "perm=cdeflmp;");
}

void
ftp_row(struct wr *w, const struct ftp_transfer *t, const struct ftp_facts *f, bool itself,
        uint64_t now_s)
{
	if (t->act == FTP_NLST) {
		put_short(w, t, f, itself);
	} else if (t->act == FTP_MLSD) {
		ftp_facts_put(w, f, t->facts, false);
		wr_u8(w, ' ');
		put_name(w, f->name, false);
	} else {
		put_long(w, f, now_s);
	}
	wr_text(w, "\r\n");
}
