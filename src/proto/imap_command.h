/*
 * imap_command.h - one command of a client as a value, made before anything is done.  All that it
 * points to lives as long as the command: until its tagged answer was written.
 */
#ifndef PROTO_IMAP_COMMAND_H
#define PROTO_IMAP_COMMAND_H

#include "proto/imap_fetch.h"
#include "proto/imap_search.h"
#include "proto/imap_set.h"

enum {
	IMAP_TAG_MAX = 64,
	IMAP_NAME_MAX = 255,   /* octets of a mailbox's name in UTF-8, as talk/rows.h has it */
	IMAP_KEYWORD_MAX = 63, /* octets of a keyword */
	IMAP_KEYWORDS_MAX = 64,
};

enum imap_verb {
	IMAP_NO_VERB,
	IMAP_DO_CAPABILITY,
	IMAP_DO_NOOP,
	IMAP_DO_LOGOUT,
	IMAP_DO_ID,
	IMAP_DO_STARTTLS,
	IMAP_DO_LOGIN,
	IMAP_DO_AUTHENTICATE,
	IMAP_DO_ENABLE,
	IMAP_DO_NAMESPACE,
	IMAP_DO_SELECT,
	IMAP_DO_EXAMINE,
	IMAP_DO_CREATE,
	IMAP_DO_DELETE,
	IMAP_DO_RENAME,
	IMAP_DO_SUBSCRIBE,
	IMAP_DO_UNSUBSCRIBE,
	IMAP_DO_LIST,
	IMAP_DO_LSUB,
	IMAP_DO_STATUS,
	IMAP_DO_APPEND,
	IMAP_DO_IDLE,
	IMAP_DO_CHECK,
	IMAP_DO_CLOSE,
	IMAP_DO_UNSELECT,
	IMAP_DO_EXPUNGE,
	IMAP_DO_SEARCH,
	IMAP_DO_FETCH,
	IMAP_DO_STORE,
	IMAP_DO_COPY,
	IMAP_DO_MOVE,
};

/* As enum flags_how in talk/rows.h. */
enum imap_store { IMAP_STORE_SET = 1, IMAP_STORE_ADD, IMAP_STORE_REMOVE };

struct imap_flags {
	uint32_t flags;               /* enum imap_flag */
	const struct bytes *keywords; /* each once, at most IMAP_KEYWORDS_MAX */
	size_t n;
};

enum imap_status_item {
	IMAP_STATUS_MESSAGES = 1,
	IMAP_STATUS_RECENT = 2,
	IMAP_STATUS_UIDNEXT = 4,
	IMAP_STATUS_UIDVALIDITY = 8,
	IMAP_STATUS_UNSEEN = 16,
};

struct imap_command {
	struct bytes tag;
	enum imap_verb verb;
	bool uid; /* UID FETCH, STORE, SEARCH, COPY, MOVE, EXPUNGE: the set is of UIDs */
	/* UTF-8, INBOX in capitals, at most IMAP_NAME_MAX octets, without controls.  Whatever else it
	 * holds ("../" too) is the name: a key, never a path (attack 112) */
	struct bytes mailbox;
	struct bytes to;          /* RENAME: the new name */
	struct bytes pattern;     /* LIST, LSUB: reference and pattern in one, UTF-8 */
	bool special, subscribed; /* LIST (SPECIAL-USE SUBSCRIBED): only such */
	bool tell_subscribed;     /* LIST: \Subscribed is wanted */
	bool root;                /* LIST "" "": only the separator is asked for */
	uint32_t status;          /* STATUS: enum imap_status_item */
	struct imap_set set;      /* FETCH, STORE, COPY, MOVE, UID EXPUNGE */
	struct imap_fetch
	    fetch; /* FETCH; STORE: what it answers, without items where it is SILENT */
	struct imap_search search;
	enum imap_store how;     /* STORE */
	struct imap_flags flags; /* STORE, APPEND */
	bool dated;
	int64_t received_s;                   /* APPEND with a date-time: since 1970 */
	uint64_t size;                        /* APPEND: octets of the message */
	struct bytes user, secret, mechanism; /* LOGIN, AUTHENTICATE: the machine's own affair */
	const struct bytes *initial;          /* AUTHENTICATE: the initial response; NULL: none */
};

#endif
