/*
 * address.h - the mailbox of a MAIL or RCPT path (RFC 5321 4.1.2), as a value that is safe to look
 * up, to keep and to log: the local part without its quotes, the domain in lower case, no control
 * and no NUL in either.
 *
 * What has two spellings for one mailbox has one here: "bob"@d and bob@d are equal, a source route
 * is read and forgotten (RFC 5321 F.2).  A name is a key, never a path or a command (attack 43).
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "base/bytes.h"
#include "base/err.h"

enum {
	ADDRESS_LOCAL_MAX = 64,   /* RFC 5321 4.5.3.1.1, counted without quotes */
	ADDRESS_DOMAIN_MAX = 255, /* RFC 5321 4.5.3.1.2 */
	ADDRESS_MAX = 254,        /* RFC 5321 4.5.3.1.3: a path of 256 with its brackets */
};

/* A plain value.  All lengths are 0 in the null path <>; domain_n is 0 in <postmaster>. */
struct address {
	uint8_t n, local_n, domain_n;
	uint8_t text[ADDRESS_MAX]; /* local part, "@", domain; the last "@" is the one between */
};

/* What else address_parse() may take. */
enum {
	ADDRESS_NULL = 1,       /* <>: the sender of a bounce */
	ADDRESS_POSTMASTER = 2, /* <postmaster> without a domain (RFC 5321 4.5.1) */
	ADDRESS_LOOSE = 4,      /* alice@example.org without brackets, as a person writes it */
};

/*
 * Reads one path from the start of `in` and leaves `in` behind it: at its end, or at the blank
 * before the parameters.  Answers: ERR_SYNTAX not a path, ERR_RANGE longer than the limits,
 * ERR_DENIED has octets beyond ASCII, which need SMTPUTF8 (553 5.6.7).  After an answer the address
 * is empty and `in` is anywhere.
 */
MUST_CHECK struct err address_parse(struct address *, struct rd *in, unsigned flags);

/* The same without brackets or quotes around it: local@domain, as smtp_text() gives it. */
static inline struct bytes
address_text(const struct address *a)
{
	return (struct bytes){a->text, a->n};
}

static inline struct bytes
address_local(const struct address *a)
{
	return (struct bytes){a->text, a->local_n};
}

static inline struct bytes
address_domain(const struct address *a)
{
	return (struct bytes){a->text + (a->n - a->domain_n), a->domain_n};
}

/* Cuts an address_text() into its parts again; the domain is empty where there is no "@". */
void address_cut(struct bytes text, struct bytes *local, struct bytes *domain);
/*
 * Writes an address_text() as an RFC 5321 mailbox without brackets, with quotes where the local
 * part needs them: what goes into Return-Path, Received or a MAIL command.
 */
void address_write(struct wr *, struct bytes text);

#endif
