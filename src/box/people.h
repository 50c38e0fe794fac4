/*
 * people.h - who has mail here: domains, accounts and aliases, kept in the directory shard, and the
 * directory image that is built from them for the fronts.
 *
 * Keys of the shard: d DOMAIN, a ADDRESS (value: account number), l ALIAS (value: its targets,
 * bytes16 each), n (value: the next account number), x NUMBER (an account whose mail and files are still
 * to be removed).  Names are kept in lower case.
 */
#ifndef BOX_PEOPLE_H
#define BOX_PEOPLE_H

#include "base/err.h"
#include "store/store.h"
#include "talk/talk.h"

struct random;
struct people;

/* Both stay the caller's until people_close(). */
MUST_CHECK struct err people_open(struct people **, struct store *, struct random *);
void people_close(struct people *);

/* code: 0 or an answer of base/err.h; text: why not, for a person, borrowed for the call. */
typedef void people_done(void *owner, enum err_code code, uint64_t account, struct bytes text);
/*
 * Makes one change and calls done() when it is durable; at once when it cannot be made.
 * PEOPLE_FIND_ACCOUNT changes nothing and tells the account's number.
 * Answers: ERR_SYNTAX the name is none, ERR_EXISTS, ERR_NOTFOUND, ERR_DENIED (a domain that is not
 * empty, an alias that goes in a circle), ERR_RANGE too many targets, ERR_FULL no space.
 */
void people_change(struct people *, enum people_change, struct bytes name, struct bytes targets,
                   people_done *, void *owner);

/*
 * Writes names behind `after`, in order, bytes16 each: an account's or alias's address, a domain;
 * an alias is followed by a space and its targets.  *more: there are others behind them.  Answers:
 * ERR_SYNTAX `after` is longer than any name.
 */
MUST_CHECK struct err people_list(struct people *, enum people_kind, struct bytes after,
                                  struct wr *, bool *more);

/* How often the directory changed; an image older than this is to be replaced. */
uint64_t people_version(const struct people *);
/* A sealed descriptor with the directory image of now, which is the caller's. */
MUST_CHECK struct err people_image(struct people *, int *fd);

/*
 * The first account behind `after` whose removal was begun: what it has goes first, then
 * people_forget().  0: none.
 */
MUST_CHECK struct err people_leaving(struct people *, uint64_t after, uint64_t *account);
void people_forget(struct people *, uint64_t account, people_done *, void *owner);

#endif
