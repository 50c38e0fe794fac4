/*
 * conf.h - the configuration file: a small language, and a schema that a file is held against.
 *
 *	name value value;    name { ... }    list [a b, c];    "quoted \"text\""    # comment
 *
 * Sizes are 10k 5m 1g (or bytes), durations 200ms 30s 5m 2h 1d, flags on and off.  Strings
 * end on their line and know \" \\ \n \t.  [::1]:25 is an address, not a list.
 *
 * The schema is a table of keys; it fills a plain struct, with defaults for what is not in the
 * file, and the manual's list is written from it.  Every complaint has file, line and column; all
 * are told, not only the first (attack 156).
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/addr.h"
#include "base/arena.h"
#include "base/err.h"

enum {
	CONF_INPUT_MAX = 1 << 20, /* bytes of a file */
	CONF_DEPTH_MAX = 16,      /* blocks within blocks */
	CONF_FAULTS_MAX = 32,     /* complaints kept; more are counted */
};

/* ---- what was found wrong ---- */

struct conf_fault {
	uint32_t line, col; /* from 1; col counts bytes */
	char text[200];     /* stead.conf:12:9: unknown key "lissten" (did you mean "listen"?) */
};

struct conf_faults {
	size_t n; /* how many; list holds the first CONF_FAULTS_MAX of them */
	struct conf_fault list[CONF_FAULTS_MAX];
};

/* Adds a complaint, whose text will begin with the place; foreign text in it must be escaped. */
__attribute__((format(printf, 5, 6))) void conf_complain(struct conf_faults *, const char *file,
                                                         uint32_t line, uint32_t col,
                                                         const char *fmt, ...);

/* ---- the tree ---- */

struct conf_value {
	struct bytes text; /* quotes and escapes resolved */
	uint32_t line, col;
};

struct conf_node {
	struct bytes name;
	uint32_t line, col;
	struct conf_value *values;
	size_t value_count;
	bool is_list;                   /* the values stood in brackets */
	bool is_block;                  /* it ended in { ... }, which may be empty */
	struct conf_node *first, *next; /* the first one inside; the next one of the same block */
};

/*
 * The tree of a text (root is a block without a name), whose texts live in the arena.  ERR_SYNTAX
 * with a complaint added; ERR_MEMORY.
 */
MUST_CHECK struct err conf_parse(struct bytes text, const char *file, struct arena *,
                                 struct conf_node **root, struct conf_faults *);

/* ---- the schema ---- */

enum conf_type {
	CONF_FLAG,     /* on or off: bool */
	CONF_NUMBER,   /* uint64_t */
	CONF_SIZE,     /* uint64_t, bytes */
	CONF_DURATION, /* uint64_t, milliseconds */
	CONF_TEXT,     /* struct bytes */
	CONF_CHOICE,   /* one of the words in `choices`: uint32_t, its number from 0 */
	CONF_TEXTS,    /* a list: struct conf_texts */
	CONF_ADDRS,    /* a list of ADDRESS:PORT: struct conf_addrs */
	CONF_NETS,     /* a list of networks: struct conf_nets */
	CONF_BLOCK,    /* { keys }: a struct, whose members the offsets of `keys` count from */
	CONF_NAMED,    /* { NAME { keys } ... }: struct conf_named, an array of structs of `size` */
};

/* A list is NULL when the key was left out and has no default; an empty one of a file is not. */
struct conf_texts {
	size_t n;
	struct bytes *list;
};

struct conf_addrs {
	size_t n;
	struct addr *list;
};

struct conf_nets {
	size_t n;
	struct net *list;
};

struct conf_named {
	size_t n;
	struct bytes *names; /* as written; none twice, without regard to case */
	void *list;          /* n structs */
};

/* A row of a schema; a row without a name ends it. */
struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset;        /* offsetof() the member to fill */
	const char *fallback; /* as one would write it in the file; NULL: 0, empty, off */
	/* Of numbers, sizes, durations; of a text its length; of lists and CONF_NAMED the count. */
	uint64_t min, max;           /* max 0: no limit but the type's */
	const char *unit;            /* for the manual: "connections"; may be NULL */
	const char *help;            /* one sentence for the manual */
	const char *choices;         /* CONF_CHOICE: "text json journal" */
	uint16_t port;               /* CONF_ADDRS: for addresses without one; 0: they need one */
	bool required;               /* must be in the block, if the block is there */
	const struct conf_key *keys; /* CONF_BLOCK, CONF_NAMED: what may be inside */
	size_t size;                 /* CONF_NAMED: sizeof the struct of one */
};

/*
 * Holds a tree against a schema and fills target (zeroed by it first), with texts and lists in the
 * arena. ERR_SYNTAX when there are faults: target then means nothing.  ERR_MEMORY.
 */
MUST_CHECK struct err conf_fill(const struct conf_node *root, const char *file,
                                const struct conf_key *, void *target, size_t size, struct arena *,
                                struct conf_faults *);
/* conf_parse() and conf_fill(); an empty text gives all defaults. */
MUST_CHECK struct err conf_read(struct bytes text, const char *file, const struct conf_key *,
                                void *target, size_t size, struct arena *, struct conf_faults *);

/* The manual's list, a paragraph a key: path, type, default, range with unit, the sentence. */
void conf_describe(struct wr *, const struct conf_key *);

#endif
