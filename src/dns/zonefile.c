/*
 * zonefile.c - reads and writes master files (RFC 1035 5, RFC 2308 4).
 *
 * A stack of open files of fixed depth; each keeps its own origin, owner and TTLs, so what an
 * included file sets ends with it.  The loop reads a line at a time from the file on top.
 */
#include "dns/zonefile.h"

#include <stdlib.h>

#include "dns/generate.h"

struct file {
	struct lex l;
	struct dname origin, owner;     /* owner.n 0: there was none yet */
	uint32_t ttl_default, ttl_last; /* of $TTL; the last one stated */
	bool has_default, has_last;
	uint8_t name_size;
	uint8_t name[ZONEFILE_NAME_MAX];
};

struct parse {
	const struct zonefile_reader *reader;
	struct zonefile_error *wrong;
	unsigned depth, includes; /* files open; $INCLUDE carried out */
	struct file files[ZONEFILE_DEPTH_MAX];
	uint8_t rdata[RDATA_MAX];
	uint8_t pattern[ZONEFILE_LINE_MAX], line[ZONEFILE_LINE_MAX];
};

static struct bytes
file_name(const struct file *f)
{
	return (struct bytes){f->name, f->name_size};
}

/* The error at a place of the file on top; false always. */
static bool
fail_at(struct parse *p, uint32_t line, uint32_t column, const char *text)
{
	const struct file *f = &p->files[p->depth - 1];

	*p->wrong = (struct zonefile_error){.line = line, .column = column, .text = text};
	memcpy(p->wrong->file, f->name, f->name_size);
	return false;
}

/* The error at the token on which the file on top stands. */
static bool
fail(struct parse *p, const char *text)
{
	const struct lex *l = &p->files[p->depth - 1].l;

	return fail_at(p, l->line, l->column, l->kind == LEX_BAD ? l->wrong : text);
}

/* ---- a record ---- */

static bool
is_digit_first(struct bytes b)
{
	return b.n && b.p[0] >= '0' && b.p[0] <= '9';
}

/*
 * TTL, class and type, where TTL and class may change places and may lack (RFC 1035 5.1); a TTL
 * begins with a digit, and no class or type does.
 */
static bool
read_head(struct lex *l, struct zonefile_record *rr, bool *has_ttl)
{
	bool has_class = false;

	*has_ttl = false;
	for (;; lex_next(l)) {
		if (l->kind != LEX_WORD)
			return lex_fail(l, "a TTL, a class or a record type is wanted");
		if (is_digit_first(l->text)) {
			if (*has_ttl || !dns_ttl_parse(&rr->ttl, l->text))
				return lex_fail(l, "a wrong TTL");
			*has_ttl = true;
		} else if (!has_class && dns_class_parse(&rr->class, l->text)) {
			has_class = true;
			if (rr->class != DNS_CLASS_IN)
				return lex_fail(l, "a class other than IN");
		} else if (dns_type_parse(&rr->type, l->text) && !dns_type_is_meta(rr->type)) {
			lex_next(l);
			return true;
		} else {
			return lex_fail(l, "not a record type that a zone may hold");
		}
	}
}

/* The TTL of a record that has none of its own. */
static bool
find_ttl(struct lex *l, const struct file *f, struct zonefile_record *rr)
{
	if (f->has_default) {
		rr->ttl = f->ttl_default;
	} else if (f->has_last) {
		rr->ttl = f->ttl_last;
	} else if (rr->type == DNS_TYPE_SOA) {
		struct rd minimum = {rr->rdata.p + rr->rdata.n - 4, rr->rdata.p + rr->rdata.n,
		                     false};

		rr->ttl = rd_u32(&minimum);
		if (rr->ttl > INT32_MAX)
			return lex_fail(l, "a MINIMUM that is too large for a TTL");
	} else {
		return lex_fail(l, "a record without a TTL, and none stated before");
	}
	return true;
}

/*
 * A line that holds a record, from its owner on.  The lexer is the file's, or that of a generated
 * line; where it fails, it stands at the fault and says it.
 */
static bool
read_record(struct parse *p, struct lex *l, uint32_t line)
{
	struct file *f = &p->files[p->depth - 1];
	struct zonefile_record rr = {.class = DNS_CLASS_IN, .line = line};
	struct wr data = wr_of(p->rdata, sizeof(p->rdata));
	const char *wrong = NULL;
	bool has_ttl;

	if (l->kind == LEX_WORD)
		wrong = dname_parse_text(&f->owner, l->text, dname_bytes(&f->origin));
	else if (l->kind != LEX_BLANK)
		wrong = "an owner is wanted";
	else if (!f->owner.n)
		wrong = "no owner, and none before";
	if (wrong)
		return lex_fail(l, wrong);
	lex_next(l);
	if (!read_head(l, &rr, &has_ttl) ||
	    !rdata_from_text(rr.type, l, dname_bytes(&f->origin), &data))
		return false;
	rr.rdata = wr_since(&data, p->rdata);
	if (!has_ttl && !find_ttl(l, f, &rr))
		return false;
	f->ttl_last = rr.ttl;
	f->has_last = true;
	rr.owner = dname_bytes(&f->owner);
	rr.file = file_name(f);
	wrong = p->reader->record(p->reader->owner, &rr);
	if (wrong) {
		l->line = line;
		l->column = 1;
		return lex_fail(l, wrong);
	}
	return true;
}

/* ---- directives ---- */

/* The word that a directive needs next. */
static bool
argument(struct parse *p, struct lex *l, struct bytes *out)
{
	lex_next(l);
	if (!lex_is_text(l))
		return fail(p, "a directive without its argument");
	*out = l->text;
	return true;
}

static bool
line_ends(struct parse *p, struct lex *l)
{
	lex_next(l);
	return lex_is_end(l) || fail(p, "more than the directive takes");
}

static bool
do_origin(struct parse *p, struct file *f)
{
	struct dname origin;
	struct bytes text;
	const char *wrong;

	if (!argument(p, &f->l, &text))
		return false;
	wrong = dname_parse_text(&origin, text, dname_bytes(&f->origin));
	if (wrong)
		return fail(p, wrong);
	f->origin = origin;
	return line_ends(p, &f->l);
}

static bool
do_ttl(struct parse *p, struct file *f)
{
	struct bytes text;

	if (!argument(p, &f->l, &text))
		return false;
	if (!dns_ttl_parse(&f->ttl_default, text))
		return fail(p, "a wrong TTL");
	f->has_default = true;
	return line_ends(p, &f->l);
}

/* The name of the file, escapes resolved, into the file to be opened. */
static bool
include_name(struct parse *p, struct bytes text, struct file *g)
{
	struct wr w = wr_of(g->name, sizeof(g->name));
	struct rd r = rd_of(text);
	bool escaped;
	int c;

	while ((c = lex_octet(&r, &escaped)) > 0)
		wr_u8(&w, (uint8_t)c);
	g->name_size = (uint8_t)(w.p - g->name);
	if (c != -1 || w.full || !g->name_size)
		return fail(p, "not the name of a file");
	for (unsigned i = 0; i < p->depth; i++)
		if (bytes_eq(file_name(&p->files[i]), file_name(g)))
			return fail(p, "a file that includes itself");
	return true;
}

/* Opens the file on top of the stack; false when it may not be. */
static bool
do_include(struct parse *p, struct file *f)
{
	struct file *g = f + 1;
	struct lex at = f->l; /* errors of the file stand where it is named */
	struct bytes text, origin;
	const char *wrong;

	if (p->depth == ZONEFILE_DEPTH_MAX)
		return fail(p, "included files deeper than 8");
	if (p->includes++ == ZONEFILE_INCLUDES_MAX)
		return fail(p, "more than 1024 included files");
	*g = *f;
	if (!argument(p, &f->l, &text) || !include_name(p, text, g))
		return false;
	at = f->l;
	lex_next(&f->l);
	if (!lex_is_end(&f->l)) {
		origin = f->l.text;
		wrong = lex_is_text(&f->l)
		            ? dname_parse_text(&g->origin, origin, dname_bytes(&f->origin))
		            : "an origin is wanted";
		if (wrong)
			return fail(p, wrong);
		if (!line_ends(p, &f->l))
			return false;
	}
	if (!p->reader->include || !p->reader->include(p->reader->owner, file_name(g), &text))
		return fail_at(p, at.line, at.column, "a file that cannot be included");
	g->l = lex_of(text);
	p->depth++;
	return true;
}

/* The rest of the line, as text again for each value. */
static bool
generate_pattern(struct parse *p, struct lex *l, struct wr *w)
{
	for (lex_next(l); lex_is_text(l); lex_next(l)) {
		bool quoted = l->kind == LEX_QUOTED;

		wr_text(w, quoted ? "\"" : "");
		wr_bytes(w, l->text);
		wr_text(w, quoted ? "\" " : " ");
	}
	if (l->kind == LEX_BAD)
		return fail(p, l->wrong);
	return !w->full || fail(p, "a line longer than 4096 octets");
}

static bool
do_generate(struct parse *p, struct file *f)
{
	struct wr pattern = wr_of(p->pattern, sizeof(p->pattern));
	struct generate_range range;
	struct lex at = f->l;
	struct bytes text;
	const char *wrong;

	if (!argument(p, &f->l, &text))
		return false;
	wrong = generate_range(&range, text);
	if (wrong)
		return fail(p, wrong);
	if (!generate_pattern(p, &f->l, &pattern))
		return false;
	for (uint64_t v = range.first; v <= range.last; v += range.step) {
		struct wr w = wr_of(p->line, sizeof(p->line));
		struct lex l;

		wrong = generate_line(&w, wr_since(&pattern, p->pattern), (uint32_t)v);
		if (wrong)
			return fail_at(p, at.line, at.column, wrong);
		l = lex_of(wr_since(&w, p->line));
		if (!read_record(p, &l, at.line))
			return fail_at(p, at.line, at.column, l.wrong);
	}
	return true;
}

static bool
directive(struct parse *p, struct file *f)
{
	static const struct {
		const char *name;
		bool (*run)(struct parse *, struct file *);
	} directives[] = {
	    {"$ORIGIN", do_origin},
	    {"$TTL", do_ttl},
	    {"$INCLUDE", do_include},
	    {"$GENERATE", do_generate},
	};

	for (size_t i = 0; i < COUNT(directives); i++)
		if (bytes_eq_nocase(bytes_of(directives[i].name), f->l.text))
			return directives[i].run(p, f);
	return fail(p, "an unknown directive");
}

/* ---- lines and files ---- */

/* The line on which the file on top stands, up to its end or the end of the file. */
static bool
read_line(struct parse *p, struct file *f)
{
	uint32_t line = f->l.line;

	if (f->l.kind == LEX_BLANK) {
		struct lex ahead = f->l;

		lex_next(&ahead);
		if (lex_is_end(&ahead)) {
			f->l = ahead;
			return true;
		}
	}
	if (f->l.kind == LEX_WORD && f->l.text.p[0] == '$')
		return directive(p, f);
	return read_record(p, &f->l, line) || fail(p, f->l.wrong);
}

static bool
read_files(struct parse *p)
{
	while (p->depth) {
		struct file *f = &p->files[p->depth - 1];

		if (f->l.kind == LEX_END)
			p->depth--;
		else if (f->l.kind == LEX_EOL)
			lex_next(&f->l);
		else if (!read_line(p, f))
			return false;
	}
	return true;
}

struct err
zonefile_parse(const struct zonefile_reader *reader, struct bytes name, struct bytes text,
               struct bytes origin, struct zonefile_error *wrong)
{
	struct parse *p = calloc(1, sizeof(*p));
	struct file *f;
	bool good;

	if (!p)
		return ERR(ERR_MEMORY, 0, "zonefile: parser");
	f = &p->files[0];
	p->reader = reader;
	p->wrong = wrong;
	p->depth = 1;
	f->name_size = (uint8_t)(name.n < sizeof(f->name) ? name.n : sizeof(f->name));
	memcpy(f->name, name.p, f->name_size);
	dname_copy(&f->origin, origin);
	f->l = lex_of(text);
	good = read_files(p);
	free(p);
	return good ? OK : ERR(ERR_SYNTAX, 0, "zonefile: not a master file");
}

void
zonefile_write(struct wr *w, struct bytes owner, uint32_t ttl, uint16_t class, uint16_t type,
               struct bytes rdata)
{
	dname_to_text(w, owner);
	wr_printf(w, "\t%u\t", ttl);
	dns_class_text(w, class);
	wr_u8(w, '\t');
	dns_type_text(w, type);
	wr_u8(w, '\t');
	rdata_to_text(type, rdata, w);
	wr_u8(w, '\n');
}
