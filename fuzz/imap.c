/*
 * imap.c - any input to the IMAP machine: what is said and done does not depend on how the input is
 * cut, how large the pieces of a message are, and how much room there is; and no session holds more
 * than its caps.
 */
#include "../tests/play_imap.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct imap_play_folder folders[] = {
    {"INBOX", IMAP_FOLDER_EXISTS | IMAP_FOLDER_SUBSCRIBED},
    {"a", IMAP_FOLDER_EXISTS | IMAP_FOLDER_CHILDREN},
    {"a/b/c", IMAP_FOLDER_EXISTS | IMAP_FOLDER_SENT},
    {"b/c/d", IMAP_FOLDER_SUBSCRIBED},
    {"\xc3\xa9", IMAP_FOLDER_EXISTS | IMAP_FOLDER_JUNK},
};

static const struct imap_play_part parts[] = {
    {1, {5, 10, 30, 0}}, {2, {10, 15, 35, 25}}, {11, {9, 3, 1, 0}}};

static void
fill(struct imap_play *t, uint8_t how)
{
	imap_play_init(t);
	imap_play_message(t, 3, IMAP_SEEN, "Subject: a\r\n b\r\nTo : c\r\n\r\none\r\n.two\r\n");
	imap_play_message(t, 5, 0, "no field\r\na: b\r\n\r\n\r\n...\r\nno line end");
	imap_play_message(t, 6, IMAP_DELETED, "");
	imap_play_message(t, 9, IMAP_DRAFT, "\r\n");
	imap_play_message(t, 10, 0, ":");
	t->folders = folders;
	t->folders_n = COUNT(folders);
	t->parts = parts;
	t->parts_n = COUNT(parts);
	t->tls = how & 1;
	t->bare = how & 2;
}

/* A refusal that may be given to that question. */
static void
choose_refusal(struct imap_play *t, uint8_t octet)
{
	enum imap_want question = IMAP_NONCE + octet % (IMAP_REMOVE - IMAP_NONCE + 1);

	t->with = octet & 0x80 ? IMAP_TEMP : IMAP_GONE;
	if (question != IMAP_SASL && octet & 0x40)
		t->refuse = question;
}

static bool
may_be_anyone(uint8_t how)
{
	return how & 4;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct imap_play whole, cut;
	static uint8_t text[8192];
	struct rd in = rd_of((struct bytes){data, n});
	uint8_t how = rd_u8(&in), piece = rd_u8(&in), refusal = rd_u8(&in);
	struct wr w = wr_of(text, sizeof(text));
	struct bytes client = rd_rest(&in);

	fill(&whole, how);
	fill(&cut, how);
	choose_refusal(&whole, refusal);
	choose_refusal(&cut, refusal);
	whole.room = (size_t)4 * IMAP_REPLY_MAX;
	cut.room = IMAP_REPLY_MAX + piece % 64;
	cut.piece = piece + 1u;
	if (!may_be_anyone(how))
		wr_text(&w, "l LOGIN bob \"hun\\\"gry\"\r\ns SELECT INBOX\r\n");
	if (client.n > 4096)
		client.n = 4096;
	wr_bytes(&w, client);
	client = wr_since(&w, text);
	if (!client.n)
		return 0;
	imap_play(&whole, client, client.n + 1);
	imap_play(&cut, client, (how >> 3) + 1u);
	assert(bytes_eq(imap_play_said(&whole), imap_play_said(&cut)));
	assert(bytes_eq(imap_play_did_all(&whole), imap_play_did_all(&cut)));
	assert(whole.closed == cut.closed);
	assert(cut.peak < IMAP_MEMORY_MAX + IMAP_COMMAND_MAX + 8192);
	return 0;
}
