/* imap_args.c - the arguments of each command (RFC 3501 6 and 9, and the extensions). */
#include "proto/imap_args.h"

#include "proto/imap_name.h"

enum { ID_PAIRS = 30 }; /* RFC 2971 3.3 */

/* "foo/" says that there will be mailboxes beneath it, as there may be beneath each. */
static struct bytes
without_separator(struct bytes name)
{
	name.n -= name.n && name.p[name.n - 1] == IMAP_NAME_SEPARATOR;
	return name;
}

static void
list_selection(struct imap_command *c, struct rd *in)
{
	while (!in->bad && imap_peek(in) != ')') {
		if (imap_skip_word(in, "SUBSCRIBED"))
			c->subscribed = c->tell_subscribed = true;
		else if (imap_skip_word(in, "SPECIAL-USE"))
			c->special = true;
		else if (!imap_skip_word(in, "REMOTE"))
			in->bad = true;
		if (imap_peek(in) != ')')
			imap_take(in, ' ');
	}
	imap_take(in, ')');
}

/* What is told of a mailbox anyway need not be remembered. */
static void
list_return(struct imap_command *c, struct rd *in)
{
	imap_take(in, ' ');
	imap_take(in, '(');
	while (!in->bad && imap_peek(in) != ')') {
		if (imap_skip_word(in, "SUBSCRIBED"))
			c->tell_subscribed = true;
		else if (!imap_skip_word(in, "SPECIAL-USE") && !imap_skip_word(in, "CHILDREN"))
			in->bad = true;
		if (imap_peek(in) != ')')
			imap_take(in, ' ');
	}
	imap_take(in, ')');
}

/* "inbox" at the start of a pattern, where it is a level of its own. */
static void
capital_inbox(struct bytes p, uint8_t *start)
{
	if (bytes_begins_nocase(p, BYTES("INBOX")) &&
	    (p.n == 5 || p.p[5] == IMAP_NAME_SEPARATOR || p.p[5] == '*' || p.p[5] == '%'))
		memcpy(start, "INBOX", 5);
}

static struct err
take_set(struct imap_command *c, struct rd *in, struct arena *a)
{
	imap_take(in, ' ');
	return imap_set_read(&c->set, in, a);
}

/* An item that is answered unasked: before the others; there is room for two. */
static void
put_first(struct imap_fetch *f, enum imap_item_kind kind)
{
	if (f->needs & 1u << kind)
		return;
	memmove(f->items + 1, f->items, f->n * sizeof(*f->items));
	f->items[0] = (struct imap_item){.kind = kind};
	f->n++;
	f->needs |= 1u << kind;
}

struct err
imap_args_none(struct imap_command *c, struct rd *in, struct arena *a)
{
	(void)c;
	(void)in;
	(void)a;
	return OK;
}

/* Who the client says it is; nobody here acts on it. */
struct err
imap_args_id(struct imap_command *c, struct rd *in, struct arena *a)
{
	size_t pairs = 0;

	(void)c;
	imap_take(in, ' ');
	if (!imap_skip(in, '(')) {
		imap_take_nstring(in, a);
		return OK;
	}
	while (!in->bad && imap_peek(in) != ')') {
		if (pairs++)
			imap_take(in, ' ');
		imap_take_string(in, a);
		imap_take(in, ' ');
		imap_take_nstring(in, a);
	}
	imap_take(in, ')');
	return pairs > ID_PAIRS ? ERR(ERR_RANGE, 0, "id") : OK;
}

struct err
imap_args_login(struct imap_command *c, struct rd *in, struct arena *a)
{
	imap_take(in, ' ');
	c->user = imap_take_astring(in, a);
	imap_take(in, ' ');
	c->secret = imap_take_astring(in, a);
	return OK;
}

/* The initial response is not in quotes (RFC 4959 3). */
struct err
imap_args_authenticate(struct imap_command *c, struct rd *in, struct arena *a)
{
	struct bytes *initial = arena_alloc(a, sizeof(*initial));

	if (!initial)
		return ERR(ERR_FULL, 0, "authenticate");
	imap_take(in, ' ');
	c->mechanism = imap_take_atom(in);
	if (imap_skip(in, ' ')) {
		*initial = imap_take_atom(in);
		c->initial = initial;
	}
	return OK;
}

struct err
imap_args_enable(struct imap_command *c, struct rd *in, struct arena *a)
{
	(void)c;
	(void)a;
	imap_take(in, ' ');
	do
		imap_take_atom(in);
	while (!in->bad && imap_skip(in, ' '));
	return OK;
}

struct err
imap_args_mailbox(struct imap_command *c, struct rd *in, struct arena *a)
{
	imap_take(in, ' ');
	c->mailbox = imap_take_mailbox(in, a);
	return OK;
}

struct err
imap_args_create(struct imap_command *c, struct rd *in, struct arena *a)
{
	imap_take(in, ' ');
	c->mailbox = without_separator(imap_take_mailbox(in, a));
	return OK;
}

struct err
imap_args_rename(struct imap_command *c, struct rd *in, struct arena *a)
{
	imap_take(in, ' ');
	c->mailbox = imap_take_mailbox(in, a);
	imap_take(in, ' ');
	c->to = without_separator(imap_take_mailbox(in, a));
	return OK;
}

struct err
imap_args_list(struct imap_command *c, struct rd *in, struct arena *a)
{
	struct bytes reference, pattern;
	uint8_t *start;
	struct wr w;

	imap_take(in, ' ');
	if (c->verb == IMAP_DO_LIST && imap_skip(in, '(')) {
		list_selection(c, in);
		imap_take(in, ' ');
	}
	reference = imap_take_astring(in, a);
	imap_take(in, ' ');
	pattern = imap_take_pattern(in, a);
	if (c->verb == IMAP_DO_LIST && imap_skip(in, ' ')) {
		if (!imap_skip_word(in, "RETURN"))
			in->bad = true;
		list_return(c, in);
	}
	c->root = !pattern.n;
	start = arena_alloc(a, reference.n + pattern.n + 1);
	if (!start)
		return ERR(ERR_FULL, 0, "list");
	w = wr_of(start, reference.n + pattern.n + 1);
	if (!imap_name_decode(&w, reference))
		in->bad = true;
	pattern.n = imap_name_decode(&w, pattern) ? (size_t)(w.p - start) : 0;
	if (!pattern.n && !c->root)
		in->bad = true;
	c->pattern = (struct bytes){start, pattern.n};
	capital_inbox(c->pattern, start);
	return OK;
}

struct err
imap_args_status(struct imap_command *c, struct rd *in, struct arena *a)
{
	static const struct {
		const char *name;
		enum imap_status_item item;
	} items[] = {
	    {"MESSAGES", IMAP_STATUS_MESSAGES}, {"RECENT", IMAP_STATUS_RECENT},
	    {"UIDNEXT", IMAP_STATUS_UIDNEXT},   {"UIDVALIDITY", IMAP_STATUS_UIDVALIDITY},
	    {"UNSEEN", IMAP_STATUS_UNSEEN},
	};
	struct bytes name;

	imap_args_mailbox(c, in, a);
	imap_take(in, ' ');
	imap_take(in, '(');
	do {
		uint32_t item = 0;

		name = imap_take_atom(in);
		for (size_t i = 0; i < COUNT(items); i++)
			if (bytes_eq_nocase(name, bytes_of(items[i].name)))
				item = items[i].item;
		if (!item)
			in->bad = true;
		c->status |= item;
	} while (!in->bad && imap_skip(in, ' '));
	imap_take(in, ')');
	return OK;
}

/* All but the message: up to the blank before its literal. */
struct err
imap_args_append(struct imap_command *c, struct rd *in, struct arena *a)
{
	imap_args_mailbox(c, in, a);
	imap_take(in, ' ');
	if (imap_peek(in) == '(') {
		imap_take_flags(in, a, &c->flags);
		imap_take(in, ' ');
	}
	if (imap_peek(in) == '"') {
		c->dated = true;
		c->received_s = imap_take_date_time(in);
		imap_take(in, ' ');
	}
	return OK;
}

struct err
imap_args_search(struct imap_command *c, struct rd *in, struct arena *a)
{
	imap_take(in, ' ');
	return imap_search_read(&c->search, in, a);
}

/* UID FETCH and UID STORE answer with UIDs (RFC 3501 6.4.8). */
struct err
imap_args_fetch(struct imap_command *c, struct rd *in, struct arena *a)
{
	struct err e = take_set(c, in, a);

	if (!is_ok(e))
		return e;
	imap_take(in, ' ');
	e = imap_fetch_read(&c->fetch, in, a);
	if (is_ok(e) && c->uid)
		put_first(&c->fetch, IMAP_ITEM_UID);
	return e;
}

struct err
imap_args_store(struct imap_command *c, struct rd *in, struct arena *a)
{
	struct err e = take_set(c, in, a);
	bool silent;

	if (!is_ok(e))
		return e;
	imap_take(in, ' ');
	c->how = imap_skip(in, '+')   ? IMAP_STORE_ADD
	         : imap_skip(in, '-') ? IMAP_STORE_REMOVE
	                              : IMAP_STORE_SET;
	silent = imap_skip_word(in, "FLAGS.SILENT");
	if (!silent && !imap_skip_word(in, "FLAGS"))
		in->bad = true;
	imap_take(in, ' ');
	imap_take_flags(in, a, &c->flags);
	c->fetch.items = arena_alloc(a, 2 * sizeof(*c->fetch.items));
	if (!c->fetch.items)
		return ERR(ERR_FULL, 0, "store");
	if (!silent)
		put_first(&c->fetch, IMAP_ITEM_FLAGS);
	if (!silent && c->uid)
		put_first(&c->fetch, IMAP_ITEM_UID);
	return OK;
}

struct err
imap_args_copy(struct imap_command *c, struct rd *in, struct arena *a)
{
	struct err e = take_set(c, in, a);

	imap_take(in, ' ');
	c->mailbox = imap_take_mailbox(in, a);
	return e;
}

/* Only UID EXPUNGE has a set (RFC 4315 2.1). */
struct err
imap_args_expunge(struct imap_command *c, struct rd *in, struct arena *a)
{
	return c->uid ? take_set(c, in, a) : OK;
}
