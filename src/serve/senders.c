/* senders.c - the directory's answers, read the other way round. */
#include "serve/senders.h"

static enum smtp_answer
is_target(struct directory_answer *found, uint64_t account)
{
	struct directory_target t;

	while (directory_target(found, &t))
		if (!t.is_remote && t.account == account)
			return SMTP_OK;
	return found->kind == DIRECTORY_BROKEN ? SMTP_TEMP : SMTP_ALIEN;
}

enum smtp_answer
senders_envelope(const struct directory *d, struct bytes address, uint64_t account)
{
	struct directory_answer found;

	switch (directory_lookup(d, address, &found)) {
	case DIRECTORY_ACCOUNT:
		return found.account == account ? SMTP_OK : SMTP_ALIEN;
	case DIRECTORY_LIST:
		return is_target(&found, account);
	case DIRECTORY_NONE:
	case DIRECTORY_NO_DOMAIN:
		return SMTP_ALIEN;
	case DIRECTORY_BROKEN:
		break;
	}
	return SMTP_TEMP;
}

enum smtp_answer
senders_from(const struct directory *d, const struct smtp_fields *fields, uint64_t account)
{
	struct smtp_from walk = smtp_from_begin(fields);
	enum smtp_from_kind kind;
	struct address a;
	bool any = false;

	while ((kind = smtp_from_next(&walk, &a)) == SMTP_FROM_ADDRESS) {
		enum smtp_answer is = senders_envelope(d, address_text(&a), account);

		if (is != SMTP_OK)
			return is == SMTP_ALIEN ? SMTP_FORGED : is;
		any = true;
	}
	return kind == SMTP_FROM_END && any ? SMTP_OK : SMTP_NO_FROM;
}
