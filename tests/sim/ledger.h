/*
 * ledger.h - what clients were told, against what the mailboxes hold.
 *
 * 1. A letter whose 250 was seen is in the mailboxes of each of its recipients, until a QUIT that
 *    deletes it was sent: exactly once, over all folders.  One that went over SMTP between two sites
 *    may be there more often only where something broke between one copy and the next, when nobody
 *    could know whether the other site had taken it.
 * 2. One whose end was sent and not answered with 250 is there as if it had been, or not at all.
 * 3. One whose end was never sent is nowhere.
 * 4. What a QUIT has deleted with +OK is never seen again, nor is what an EXPUNGE was told of, once
 *    all have had time to hear it.
 * 5. A unique id names the same letter for ever.
 * 6. Of each recipient that does not exist the sender is told exactly once, of others never; that it
 *    takes long he is told once at most.
 */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include "base/buf.h"
#include "site.h"

enum { LETTERS = 64, LETTER_MAX = 400 * 1024, LEDGER_PEOPLE = 8, LEDGER_COPIES = 16 };

enum letter_fate { LETTER_UNSENT, LETTER_UNKNOWN, LETTER_TAKEN };
enum removal { REMOVAL_NONE, REMOVAL_ASKED, REMOVAL_DONE };

/* Who letters go to. */
struct ledger_person {
	const char *address;
	struct site *site; /* NULL: there is nobody of this address, and a sender is told so */
	size_t number;     /* of the site's people */
	bool relayed;      /* letters come from another site */
	bool moves;        /* and go from folder to folder, where each has a new unique id */
};

struct letter {
	enum letter_fate fate;
	unsigned to; /* a bit for each person */
	enum removal removed[LEDGER_PEOPLE];
	/* what the audit has found */
	struct letter_found {
		unsigned n, failed, delayed; /* copies; reports */
		struct letter_copy {
			uint64_t at_ms; /* when it came */
			uint64_t print; /* of all octets: each way here has left its own Received */
		} copies[LEDGER_COPIES];
	} found[LEDGER_PEOPLE];
};

struct ledger {
	struct scene *scene;
	struct ledger_person people[LEDGER_PEOPLE];
	size_t n_people;
	const char *header; /* of all letters, before the subject */
	bool small;         /* few letters are long */
	struct letter letters[LETTERS];
	size_t n;
	/* what the audit found: copies more than one; reports of failures, of delays */
	size_t repeats, reports, delays;
	struct seen {
		size_t person;
		uint8_t uid[40];
		size_t uid_n, letter;
		bool removed;     /* with +OK */
		uint64_t gone_ms; /* when somebody was told that it went; 0: nobody was */
	} * seen;
	size_t n_seen, cap_seen;
	uint8_t text[LETTER_MAX]; /* of the last letter that was asked for */
};

void ledger_init(struct ledger *, struct scene *, const struct ledger_person *, size_t n);
void ledger_fini(struct ledger *);
const struct site_person *ledger_login(const struct ledger *, size_t person);
/* A letter's text, CRLF and all; always the same for its number. */
struct bytes ledger_text(struct ledger *, size_t letter);
/* Which letter is this message?  Fails the test when it is not just as it was sent. */
size_t ledger_which(struct ledger *, struct bytes message);
/* Somebody sees a message with this unique id. */
void ledger_saw(struct ledger *, size_t person, struct bytes uid, size_t letter);
/* A QUIT was sent that removes the message, or was answered with +OK. */
void ledger_removed(struct ledger *, size_t person, struct bytes uid, size_t letter, enum removal);
/* Somebody is about to delete it; false: nobody has seen what letter it is. */
bool ledger_deletes(struct ledger *, size_t person, struct bytes uid);
/* Somebody was told that it went from its folder. */
void ledger_went(struct ledger *, size_t person, struct bytes uid);
/* Reads every mailbox, as what a new life of box would find, and compares.  Box stays dead. */
void ledger_audit(struct ledger *);

#endif
