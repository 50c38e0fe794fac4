/*
 * imap_list.c - the lines of LIST and LSUB (RFC 3501 6.3.8, 6.3.9, 7.2.2; RFC 3348, 6154).  Rows
 * come in imap_name_order(), so all that is beneath a level comes together: a level that is no
 * mailbox is told with the first row beneath it.
 */
#include "proto/imap_name.h"
#include "proto/imap_session.h"

#include <assert.h>

struct imap_listing {
	size_t last_n; /* the row before */
	uint8_t last[IMAP_NAME_MAX];
};

static const struct {
	uint32_t flag;
	const char *name;
} uses[] = {
    {IMAP_FOLDER_SENT, "\\Sent"},
    {IMAP_FOLDER_DRAFTS, "\\Drafts"},
    {IMAP_FOLDER_TRASH, "\\Trash"},
    {IMAP_FOLDER_JUNK, "\\Junk"},
};

enum { USES = IMAP_FOLDER_SENT | IMAP_FOLDER_DRAFTS | IMAP_FOLDER_TRASH | IMAP_FOLDER_JUNK };

static void
put_line(const struct imap *m, struct wr *out, const char *first, uint32_t flags, struct bytes name)
{
	const struct imap_command *c = m->command;
	bool list = c->verb == IMAP_DO_LIST;

	wr_text(out, list ? "* LIST (" : "* LSUB (");
	wr_text(out, first);
	wr_text(out, *first ? " " : "");
	wr_text(out, flags & IMAP_FOLDER_CHILDREN ? "\\HasChildren" : "\\HasNoChildren");
	if (list && c->tell_subscribed && (flags & IMAP_FOLDER_SUBSCRIBED))
		wr_text(out, " \\Subscribed");
	for (size_t i = 0; i < COUNT(uses); i++)
		if (list && (flags & uses[i].flag)) {
			wr_u8(out, ' ');
			wr_text(out, uses[i].name);
		}
	wr_text(out, ") \"/\" ");
	imap_put_name(out, name);
	imap_line(out, "");
}

/* LIST with an empty pattern asks for the separator and the root (RFC 3501 6.3.8). */
static int
list_root(struct imap *m, struct wr *out)
{
	wr_text(out, m->command->verb == IMAP_DO_LIST ? "* LIST" : "* LSUB");
	imap_line(out, " (\\Noselect) \"/\" \"\"");
	return imap_finish(m, "OK that is all");
}

/* Is the row one that was asked for at all? */
static bool
is_meant(const struct imap_command *c, const struct imap_folder *f)
{
	if (c->verb == IMAP_DO_LSUB || c->subscribed)
		if (!(f->flags & IMAP_FOLDER_SUBSCRIBED))
			return false;
	if (c->special && !(f->flags & USES))
		return false;
	return c->verb == IMAP_DO_LSUB || c->subscribed || (f->flags & IMAP_FOLDER_EXISTS);
}

/*
 * "%" at the end of a pattern shows the level above a row, too, that is as deep as the pattern.
 * With "*" in it that would be any number of levels, of which RFC 3501 asks none.
 */
static void
put_level(const struct imap *m, struct bytes name, struct wr *out)
{
	struct bytes pattern = m->command->pattern;
	struct bytes last = {m->listing->last, m->listing->last_n};

	if (!pattern.n || pattern.p[pattern.n - 1] != '%' || memchr(pattern.p, '*', pattern.n) ||
	    m->command->special)
		return;
	for (size_t n = 1; n < name.n; n++) {
		struct bytes level = {name.p, n};

		if (name.p[n] != IMAP_NAME_SEPARATOR)
			continue;
		if (!bytes_eq(last, level) && !imap_name_beneath(last, level) &&
		    imap_name_match(pattern, level)) {
			put_line(m, out, "\\Noselect", IMAP_FOLDER_CHILDREN, level);
			return;
		}
	}
}

int
imap_list_begin(struct imap *m, struct wr *out)
{
	if (m->command->root)
		return list_root(m, out);
	m->listing = arena_alloc(&m->arena, sizeof(*m->listing));
	if (!m->listing)
		return imap_refuse(m, out, IMAP_TEMP);
	return imap_ask(m, IMAP_FOLDERS);
}

bool
imap_folder(struct imap *m, const struct imap_folder *f, struct wr *out)
{
	const struct imap_command *c = m->command;
	const char *first = "";

	assert(m->open == IMAP_FOLDERS && !m->answered);
	if (!is_meant(c, f))
		return true;
	if (wr_room(out) < IMAP_REPLY_MAX)
		return false;
	if (c->verb == IMAP_DO_LIST && !(f->flags & IMAP_FOLDER_EXISTS))
		first = "\\NonExistent";
	put_level(m, f->name, out);
	if (imap_name_match(c->pattern, f->name))
		put_line(m, out, first, f->flags, f->name);
	memcpy(m->listing->last, f->name.p, f->name.n);
	m->listing->last_n = f->name.n;
	return true;
}
