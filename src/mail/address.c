/*
 * address.c - the path grammar of RFC 5321 4.1.2 and 4.1.3, read once from left to right.
 *
 * Wider than the RFC in one point: dots may stand anywhere in a local part without quotes, since
 * old addresses of large providers have them doubled and at the end.  Narrower in two: an empty
 * local part and literals of unregistered kinds name nobody.
 */
#include "mail/address.h"

#include "base/addr.h"

enum { LABEL_MAX = 63, LITERAL_MAX = 64, DEL = 0x7f };

static const char ipv6_tag[] = "IPv6:";

static bool
is_atext(uint8_t c)
{
	if ((c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z'))
		return true;
	return c && strchr("!#$%&'*+-/=?^_`{|}~", c);
}

static bool
is_name_char(uint8_t c)
{
	return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' ||
	       c == '_';
}

/* The next octet, 0 at the end; a NUL in the input is refused wherever a 0 is looked at. */
static uint8_t
peek(const struct rd *in)
{
	return rd_left(in) ? *in->p : 0;
}

static bool
skip(struct rd *in, uint8_t c)
{
	if (peek(in) != c || !rd_left(in))
		return false;
	rd_u8(in);
	return true;
}

/* What an octet that fits nowhere means. */
static struct err
misfit(const struct rd *in)
{
	if (peek(in) > DEL)
		return ERR(ERR_DENIED, 0, "address: beyond ASCII");
	return ERR(ERR_SYNTAX, 0, "address: misplaced octet");
}

static struct err
add(struct address *a, uint8_t c, size_t max)
{
	if (a->n >= max)
		return ERR(ERR_RANGE, 0, "address: too long");
	a->text[a->n++] = c;
	return OK;
}

/* Behind the opening quote, to the closing one. */
static struct err
parse_quoted(struct address *a, struct rd *in)
{
	struct err e = OK;
	uint8_t c;

	while (is_ok(e) && !skip(in, '"')) {
		skip(in, '\\');
		c = peek(in);
		if (c < ' ' || c >= DEL)
			return misfit(in);
		e = add(a, rd_u8(in), ADDRESS_LOCAL_MAX);
	}
	return e;
}

static struct err
parse_local(struct address *a, struct rd *in)
{
	struct err e = OK;

	if (skip(in, '"'))
		e = parse_quoted(a, in);
	else
		while (is_ok(e) && (is_atext(peek(in)) || peek(in) == '.'))
			e = add(a, rd_u8(in), ADDRESS_LOCAL_MAX);
	if (is_ok(e) && !a->n)
		return misfit(in);
	a->local_n = a->n;
	return e;
}

/* RFC 5321 4.1.3: an IPv4 address, or an IPv6 address behind its tag. */
static bool
is_literal(struct bytes b)
{
	struct bytes tag = {(const uint8_t *)ipv6_tag, sizeof(ipv6_tag) - 1};
	uint8_t ip[16];

	if (!bytes_begins_nocase(b, tag))
		return addr_ip_parse(b, ip) && !memchr(b.p, ':', b.n);
	b = (struct bytes){b.p + tag.n, b.n - tag.n};
	return addr_ip_parse(b, ip) && memchr(b.p, ':', b.n);
}

static struct err
parse_literal(struct rd *in, struct bytes *domain)
{
	const uint8_t *start = in->p;

	rd_u8(in);
	while (peek(in) != ']') {
		if (peek(in) <= ' ' || peek(in) >= DEL)
			return misfit(in);
		if (rd_u8(in) && in->p - start > LITERAL_MAX)
			return ERR(ERR_RANGE, 0, "address: literal too long");
	}
	if (!is_literal((struct bytes){start + 1, (size_t)(in->p - start) - 1}))
		return ERR(ERR_SYNTAX, 0, "address: no IP address in brackets");
	rd_u8(in);
	*domain = (struct bytes){start, (size_t)(in->p - start)};
	return OK;
}

/* RFC 5321 4.1.2 Domain; "_" is taken too, since hosts have it in their names. */
static struct err
parse_domain(struct rd *in, struct bytes *domain)
{
	const uint8_t *start = in->p;
	size_t label = 0;
	uint8_t c;

	if (peek(in) == '[')
		return parse_literal(in, domain);
	for (;; label++) {
		c = peek(in);
		if (!is_name_char(c) || (c == '-' && !label)) {
			if (!label || in->p[-1] == '-')
				return misfit(in);
			if (c != '.')
				break;
			label = SIZE_MAX;
		} else if (label == LABEL_MAX) {
			return ERR(ERR_RANGE, 0, "address: label too long");
		}
		rd_u8(in);
	}
	*domain = (struct bytes){start, (size_t)(in->p - start)};
	if (domain->n > ADDRESS_DOMAIN_MAX)
		return ERR(ERR_RANGE, 0, "address: domain too long");
	return OK;
}

/* @a,@b: before the mailbox; RFC 5321 4.1.1.3 lets us forget it. */
static struct err
skip_route(struct rd *in)
{
	struct bytes domain;
	struct err e;

	do {
		if (!skip(in, '@'))
			return misfit(in);
		e = parse_domain(in, &domain);
		if (!is_ok(e))
			return e;
	} while (skip(in, ','));
	return skip(in, ':') ? OK : misfit(in);
}

static struct err
parse_mailbox(struct address *a, struct rd *in, unsigned flags)
{
	struct err e = parse_local(a, in);
	struct bytes domain;

	if (!is_ok(e))
		return e;
	if (!skip(in, '@')) {
		if ((flags & ADDRESS_POSTMASTER) &&
		    bytes_eq_nocase(address_local(a), BYTES("postmaster")))
			return OK;
		return misfit(in);
	}
	e = add(a, '@', ADDRESS_MAX);
	if (is_ok(e))
		e = parse_domain(in, &domain);
	if (!is_ok(e))
		return e;
	for (size_t i = 0; i < domain.n && is_ok(e); i++)
		e = add(a, lower(domain.p[i]), ADDRESS_MAX);
	a->domain_n = (uint8_t)domain.n;
	return e;
}

static struct err
parse_path(struct address *a, struct rd *in, unsigned flags)
{
	bool bracket = skip(in, '<');
	struct err e = OK;

	if (!bracket && !(flags & ADDRESS_LOOSE))
		return misfit(in);
	if (bracket && (flags & ADDRESS_NULL) && skip(in, '>'))
		bracket = false;
	else {
		if (bracket && peek(in) == '@')
			e = skip_route(in);
		if (is_ok(e))
			e = parse_mailbox(a, in, flags);
	}
	if (!is_ok(e))
		return e;
	if (bracket && !skip(in, '>'))
		return misfit(in);
	if (rd_left(in) && peek(in) != ' ' && peek(in) != '\t')
		return misfit(in);
	return OK;
}

struct err
address_parse(struct address *a, struct rd *in, unsigned flags)
{
	struct err e;

	memset(a, 0, sizeof(*a));
	e = parse_path(a, in, flags);
	if (!is_ok(e))
		memset(a, 0, sizeof(*a));
	return e;
}

void
address_cut(struct bytes text, struct bytes *local, struct bytes *domain)
{
	size_t at = text.n;

	*local = text;
	*domain = NO_BYTES;
	while (at && text.p[at - 1] != '@')
		at--;
	if (!at)
		return;
	*local = (struct bytes){text.p, at - 1};
	*domain = (struct bytes){text.p + at, text.n - at};
}

void
address_write(struct wr *w, struct bytes text)
{
	struct bytes local, domain;
	bool dot = true, plain = true; /* RFC 5321 Dot-string: no dot at an end or beside another */

	address_cut(text, &local, &domain);
	for (size_t i = 0; i < local.n; i++) {
		plain &= local.p[i] == '.' ? !dot : is_atext(local.p[i]);
		dot = local.p[i] == '.';
	}
	if (!local.n)
		return;
	if (plain && !dot) {
		wr_bytes(w, text);
		return;
	}
	wr_u8(w, '"');
	for (size_t i = 0; i < local.n; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			wr_u8(w, '\\');
		wr_u8(w, local.p[i]);
	}
	wr_u8(w, '"');
	if (domain.n) {
		wr_u8(w, '@');
		wr_bytes(w, domain);
	}
}
