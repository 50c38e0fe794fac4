/*
 * password.h - what is kept of a password, and the check against it.
 *
 * A record holds a hash as crypt(3) writes it (ours are yescrypt, "$y$"; others of the "$..$" form
 * may be imported) and, when the password itself was seen, the verifier of SCRAM-SHA-256 (RFC 5802,
 * 7677).  Neither gives the password back.
 *
 * Passwords are bytes as they come; whoever wants OpaqueString (RFC 8265) prepares them before.  A
 * password of more than PASSWORD_MAX bytes, an empty one and one with a NUL are refused before
 * anything is hashed; no byte of another is ever dropped (attack 95).
 */
#ifndef CRYPT_PASSWORD_H
#define CRYPT_PASSWORD_H

#include "base/bytes.h"
#include "base/err.h"
#include "crypt/digest.h"

#define PASSWORD_MAX        1024
#define PASSWORD_COST_MIN   1 /* 1 MiB and 1 ms; each step doubles, to 1 GiB at 11 */
#define PASSWORD_COST_MAX   11
#define PASSWORD_COST       5  /* 16 MiB: the default of crypt(5) */
#define PASSWORD_RANDOM     32 /* what password_make() uses up: half for each salt */
#define PASSWORD_SALT       16
#define PASSWORD_ITERATIONS 10000 /* of SCRAM; RFC 7677 4 wants 4096 at least */
#define PASSWORD_HASH_MAX   384   /* with its NUL */
#define PASSWORD_PACKED_MAX 512

struct password_record {
	char hash[PASSWORD_HASH_MAX]; /* a text with a NUL; never empty */
	bool has_scram;               /* false: imported; the fields below are zero */
	uint32_t iterations;
	uint8_t salt[PASSWORD_SALT];
	uint8_t stored_key[DIGEST_SIZE], server_key[DIGEST_SIZE];
};

/*
 * Answers: ERR_RANGE too long, or a cost outside the limits; ERR_SYNTAX empty, or with a NUL.
 * `random` must be fresh for each call.
 */
MUST_CHECK struct err password_make(struct bytes password, unsigned cost,
                                    const uint8_t random[PASSWORD_RANDOM],
                                    struct password_record *out);
/*
 * A record of a foreign hash.  Answers: ERR_SYNTAX not a hash of the "$..$" form that crypt(3)
 * knows, ERR_RANGE one that would take the checker seconds.
 */
MUST_CHECK struct err password_import(struct bytes hash, struct password_record *out);
/*
 * A record that no password opens and whose check takes as long as that of one made with `cost`:
 * to be checked where there is no such user (attack 93).  For a SCRAM exchange set its salt to
 * something that stays the same for the same name.
 */
MUST_CHECK struct err password_dummy(unsigned cost, const uint8_t random[PASSWORD_RANDOM],
                                     struct password_record *out);

/*
 * OK when it is the password.  Answers: ERR_DENIED it is not, also when it is one that
 * password_make() would refuse.  Blocks for as long as the hash costs.
 */
MUST_CHECK struct err password_check(const struct password_record *, struct bytes password);
/*
 * The server's side of SCRAM-SHA-256 (RFC 5802 3): is `proof` the client's proof for this
 * AuthMessage?  Then gives the ServerSignature.  Answers: ERR_DENIED.  Does not block.
 */
MUST_CHECK struct err password_scram(const struct password_record *, struct bytes auth_message,
                                     struct bytes proof, uint8_t signature[DIGEST_SIZE]);

/* At most PASSWORD_PACKED_MAX bytes, with a version. */
void password_pack(struct wr *, const struct password_record *);
/* Faults: ERR_CORRUPT not what password_pack() wrote. */
MUST_CHECK struct err password_unpack(struct rd *, struct password_record *out);

#endif
