/*
 * keys.h - the private keys, by number, and what they sign.  Key 0 is the server's for TLS.
 */
#ifndef GUARD_KEYS_H
#define GUARD_KEYS_H

#include "base/bytes.h"
#include "base/err.h"

struct keys;

enum { KEYS_TLS = 0 };

MUST_CHECK struct err keys_open(struct keys **);
/* Wipes them. */
void keys_close(struct keys *);
/*
 * Reads the TLS key from `name` in the folder and holds it against the certificate (empty: none is
 * there, and no key is needed).  With an answer the old one stays: ERR_NOTFOUND no such file,
 * ERR_SYNTAX no key in it, ERR_RANGE a kind not taken, ERR_DENIED it is not the certificate's.
 */
MUST_CHECK struct err keys_load_tls(struct keys *, int folder, struct bytes name,
                                    struct bytes certificate);
/*
 * Signs the message of a TLS handshake.  Answers: ERR_NOTFOUND no such key, ERR_DENIED the message
 * is none that this key ever signs, or the scheme is not its own; ERR_FULL no room.
 */
MUST_CHECK struct err keys_sign(struct keys *, uint32_t key, uint16_t scheme, struct bytes message,
                                struct wr *signature);

#endif
