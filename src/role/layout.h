/*
 * layout.h - the folder DIR: what lies in it, whose it is, and as whom each role runs.
 *
 *	stead.conf      the configuration
 *	tls/cert.pem    the certificate and its chain
 *	keys/           private keys         (role keys)
 *	auth/           password verifiers   (role auth)
 *	store/          mail and accounts    (role box)
 *	files/          the accounts' files  (role box)
 *	zones/          NAME.zone            (role zone)
 *	log/stead.log   when log.to is file  (role log)
 *	run/            lock, control.sock, an empty folder that becomes every role's root
 */
#ifndef ROLE_LAYOUT_H
#define ROLE_LAYOUT_H

#include "base/err.h"
#include "talk/talk.h"

#include <sys/types.h>

/* As whom a role runs when root starts it: the user stead-ROLE, else one of a reserved range. */
struct layout_user {
	uid_t uid;
	gid_t gid;
};
struct layout_user layout_user(enum role);

/* The folder of a role, beneath DIR; NULL: it has none. */
const char *layout_folder(enum role);

/*
 * Makes what is missing beneath DIR and mends owners and modes.  *why: what could not be done, for
 * a person.
 */
MUST_CHECK struct err layout_make(int dir, char *why, size_t n);
/* Calls tell() with each thing that is not as it should be; the number of them. */
typedef void layout_tell(void *owner, const char *what);
size_t layout_check(int dir, layout_tell *, void *owner);

#endif
