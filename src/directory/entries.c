/* entries.c - the forms of addresses, and the look-up that follows the reader's rules. */
#include "directory/entries.h"

#include "base/text.h"

static struct entry *
get_address(const struct directory_builder *b, struct bytes local, struct bytes domain)
{
	uint8_t room[FORMAT_KEY_MAX];
	struct wr w = wr_of(room, sizeof(room));

	wr_bytes(&w, local);
	wr_u8(&w, '@');
	wr_bytes(&w, domain);
	return w.full ? NULL : entries_get(b, wr_since(&w, room));
}

bool
entries_is_clean(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < ' ' || b.p[i] == 0x7f)
			return false;
	return b.n > 0;
}

bool
entries_is_domain(struct bytes b)
{
	return entries_is_clean(b) && b.n <= ENTRIES_DOMAIN_MAX && !memchr(b.p, '@', b.n) &&
	       !memchr(b.p, ' ', b.n);
}

bool
entries_split(struct bytes address, struct bytes *local, struct bytes *domain)
{
	size_t n = address.n;

	while (n && address.p[n - 1] != '@')
		n--;
	if (!n)
		return false;
	*local = (struct bytes){address.p, n - 1};
	*domain = (struct bytes){address.p + n, address.n - n};
	return entries_is_domain(*domain);
}

struct bytes
entries_lowered(struct bytes b, uint8_t room[FORMAT_KEY_MAX])
{
	struct wr w = wr_of(room, FORMAT_KEY_MAX);

	text_lower_into(&w, b);
	return wr_since(&w, room);
}

struct entry *
entries_get(const struct directory_builder *b, struct bytes text)
{
	uint8_t room[FORMAT_KEY_MAX];

	return map_get(&b->map, entries_lowered(text, room));
}

struct entry *
entries_find(const struct directory_builder *b, struct bytes local, struct bytes domain)
{
	const uint8_t *plus = local.n > 1 ? memchr(local.p + 1, '+', local.n - 1) : NULL;
	struct entry *e = get_address(b, local, domain);

	if (!e && plus)
		e = get_address(b, (struct bytes){local.p, (size_t)(plus - local.p)}, domain);
	return e ? e : get_address(b, NO_BYTES, domain);
}
