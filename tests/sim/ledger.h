/*
 * ledger.h - what clients were told, against what the mailboxes hold.
 *
 * 1. A letter whose 250 was seen is in each of its mailboxes exactly once, until a QUIT that
 *    deletes it was sent.
 * 2. One whose end was sent and not answered with 250 is there once or not at all.
 * 3. One whose end was never sent is nowhere.
 * 4. What a QUIT has deleted with +OK is never seen again.
 * 5. A unique id names the same letter for ever.
 */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include "base/buf.h"
#include "world.h"

enum { LETTERS = 64, LETTER_MAX = 400 * 1024 };

enum letter_fate { LETTER_UNSENT, LETTER_UNKNOWN, LETTER_TAKEN };
enum removal { REMOVAL_NONE, REMOVAL_ASKED, REMOVAL_DONE };

struct letter {
	enum letter_fate fate;
	unsigned to; /* a bit for each user */
	enum removal removed[WORLD_USERS];
};

struct ledger {
	struct world *world;
	struct letter letters[LETTERS];
	size_t n;
	struct seen {
		int user;
		uint8_t uid[16];
		size_t letter;
	} * seen;
	size_t n_seen, cap_seen;
	uint8_t text[LETTER_MAX]; /* of the last letter that was asked for */
};

void ledger_init(struct ledger *, struct world *);
void ledger_fini(struct ledger *);
/* A letter's text, CRLF and all; always the same for its number. */
struct bytes ledger_text(struct ledger *, size_t letter);
/* Which letter is this message?  Fails the test when it is not just as it was sent. */
size_t ledger_which(struct ledger *, struct bytes message);
/* A reader sees a message with this unique id. */
void ledger_saw(struct ledger *, int user, struct bytes uid, size_t letter);
/* Reads every mailbox and compares. */
void ledger_audit(struct ledger *);

#endif
