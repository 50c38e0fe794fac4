/*
 * logins.h - who may log in: the password verifiers, in a store of their own.
 *
 * Each login is a shard, named by the SHA-256 of the address in lower case, with one key: p, whose
 * value is the account's number and crypt/password's record.  A name without a domain is completed
 * with the default one.  The shard of no name (32 zeros) has one key: s, the secret from which the
 * salts of unknown names are made.
 */
#ifndef GUARD_LOGINS_H
#define GUARD_LOGINS_H

#include "base/err.h"
#include "crypt/digest.h"
#include "store/store.h"

struct random;
struct logins;

/*
 * Store and random stay the caller's until logins_close(); cost: of new hashes (crypt/password.h).
 * Calls store_turn() when the store is new.
 */
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

enum { LOGINS_SALT = 16 };
/*
 * What SCRAM-SHA-256 tells first: the salt and iterations of this name.  Every name has them, and
 * they stay the same, also over restarts: nobody learns who exists (attack 93).
 */
MUST_CHECK struct err logins_salt(struct logins *, struct bytes name, uint8_t salt[LOGINS_SALT],
                                  uint32_t *iterations);
/*
 * Is this the proof of who knows the user's password, for this AuthMessage (RFC 5802 3)?  Then gives
 * the ServerSignature.  Answers: ERR_DENIED no, also for a user whose password was never seen here
 * (crypt/password.h: imported), who logs in otherwise.
 */
MUST_CHECK struct err logins_scram(struct logins *, struct bytes name, struct bytes message,
                                   struct bytes proof, uint64_t *account,
                                   uint8_t signature[DIGEST_SIZE]);

#endif
