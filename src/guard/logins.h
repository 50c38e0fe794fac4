/*
 * logins.h - who may log in: the password verifiers, in a store of their own.
 *
 * Each login is a shard, named by the SHA-256 of the address in lower case, with one key: p, whose
 * value is the account's number and crypt/password's record.  A name without a domain is completed
 * with the default one.
 */
#ifndef GUARD_LOGINS_H
#define GUARD_LOGINS_H

#include "base/err.h"
#include "store/store.h"

struct random;
struct logins;

/* Store and random stay the caller's until logins_close(); cost: of new hashes (crypt/password.h). */
MUST_CHECK struct err logins_open(struct logins **, struct store *, struct random *, unsigned cost,
                                  struct bytes default_domain);
void logins_close(struct logins *);
/* Of hashes that are made from now on, and of the check of unknown names.  Faults: the old one stays. */
MUST_CHECK struct err logins_cost(struct logins *, unsigned cost);

typedef void logins_done(void *owner, struct err);
/*
 * Sets or replaces the password; done() when it is durable.  Answers: ERR_SYNTAX, ERR_RANGE no
 * password or name that can be taken, ERR_FULL no space.
 */
void logins_set(struct logins *, struct bytes address, uint64_t account, struct bytes password,
                logins_done *, void *owner);
/* Answers as above; one that is not there is removed already. */
void logins_remove(struct logins *, struct bytes address, logins_done *, void *owner);
/*
 * Is this the user's password?  Blocks for as long as the hash costs, also when there is no such
 * user (attack 93).  Answers: ERR_DENIED no.
 */
MUST_CHECK struct err logins_check(struct logins *, struct bytes name, struct bytes password,
                                   uint64_t *account);

#endif
