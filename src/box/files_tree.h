/*
 * files_tree.h - one account's tree of files: what is asked of the kernel, and nothing else.  Only
 * files*.c include it.
 *
 * A path is absolute, "/" between names.  Answers of all: ERR_SYNTAX not a path that there could
 * be, ERR_NOTFOUND, ERR_EXISTS something is there, or a folder is not empty, ERR_DENIED it may not
 * be, or would leave the tree, ERR_FULL no space, ERR_LATER try again.
 */
#ifndef BOX_FILES_TREE_H
#define BOX_FILES_TREE_H

#include "base/bytes.h"
#include "base/err.h"
#include "talk/talk.h"

enum { TREE_HIDDEN = 17 }; /* octets of a hidden file's name, with its NUL */

struct tree_facts {
	enum file_kind kind;
	uint64_t size, modified_s;
};

/* The account's root, made when it is not there. */
MUST_CHECK struct err tree_root(int areas, uint64_t account, int *root);
/* Removes all hidden files of all accounts; how many there were. */
uint64_t tree_sweep(int areas);

MUST_CHECK struct err tree_stat(int root, struct bytes path, struct tree_facts *);
/* A page of a folder: rows as file_list has them, from *cursor on, which is moved. */
MUST_CHECK struct err tree_list(int root, struct bytes path, uint64_t *cursor, bool *more,
                                struct wr *rows);
/* To read from: a regular file, never anything that could block. */
MUST_CHECK struct err tree_read(int root, struct bytes path, int *fd, struct tree_facts *);
/* May a file be put there? */
MUST_CHECK struct err tree_place(int root, struct bytes path);
MUST_CHECK struct err tree_change(int root, enum file_change, struct bytes path, struct bytes to);

/* A new hidden file, to write to. */
MUST_CHECK struct err tree_hide(int root, const char name[TREE_HIDDEN], int *fd);
/* One that is there. */
MUST_CHECK struct err tree_hidden(int root, const char name[TREE_HIDDEN], int *fd);
/* The hidden file takes its place; durable when this is OK.  It must be on the disk before. */
MUST_CHECK struct err tree_put(int root, const char name[TREE_HIDDEN], struct bytes path);
void tree_drop(int root, const char name[TREE_HIDDEN]);

/* openat2(2), again where a rename elsewhere disturbed it. */
MUST_CHECK struct err tree_open(int folder, const char *path, uint64_t flags, uint64_t resolve,
                                int *fd);

/* What an errno of a file means. */
struct err tree_error(int number, const char *why);
#define TREE_ERROR(what) tree_error(errno, __FILE__ ":" ERR_STR(__LINE__) ": " what)

#endif
