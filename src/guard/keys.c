/* keys.c - keys are read once; the file's bytes are wiped when the key is made of them. */
#include "guard/keys.h"

#include "crypt/certificate.h"
#include "crypt/digest.h"
#include "crypt/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { KEY_FILE_MAX = 16384, NAME_MAX_ = 256 };

struct keys {
	struct sign_key *tls;
};

static struct err
read_key(int folder, struct bytes name, struct sign_key **out)
{
	uint8_t pem[KEY_FILE_MAX];
	char path[NAME_MAX_];
	struct err e;
	ssize_t n;
	int fd;

	if (!name.n || name.n >= sizeof(path) || memchr(name.p, '/', name.n))
		return ERR(ERR_NOTFOUND, 0, "tls.key: not a file in DIR/keys");
	memcpy(path, name.p, name.n);
	path[name.n] = 0;
	fd = openat(folder, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return ERR(errno == ENOENT ? ERR_NOTFOUND : ERR_IO, errno, "tls.key: open");
	n = read(fd, pem, sizeof(pem));
	e = n < 0 ? ERR(ERR_IO, errno, "tls.key: read")
	          : sign_key_load(out, (struct bytes){pem, (size_t)n});
	close(fd);
	digest_wipe(pem, sizeof(pem));
	return e;
}

static struct err
check(const struct sign_key *key, struct bytes certificate)
{
	uint8_t der[SIGN_PUBLIC_MAX];
	struct wr w = wr_of(der, sizeof(der));
	struct err e = sign_key_public(key, &w);

	return is_ok(e) ? certificate_check(certificate, wr_since(&w, der)) : e;
}

struct err
keys_load_tls(struct keys *ks, int folder, struct bytes name, struct bytes certificate)
{
	struct sign_key *fresh = NULL;
	struct err e;

	if (!certificate.n)
		return OK;
	e = read_key(folder, name, &fresh);
	if (is_ok(e))
		e = check(fresh, certificate);
	if (!is_ok(e)) {
		sign_key_free(fresh);
		return e;
	}
	sign_key_free(ks->tls);
	ks->tls = fresh;
	return OK;
}

struct err
keys_sign(struct keys *ks, uint32_t key, uint16_t scheme, struct bytes message,
          struct wr *signature)
{
	if (key != KEYS_TLS || !ks->tls)
		return ERR(ERR_NOTFOUND, 0, "key");
	return sign_message(ks->tls, SIGN_TLS, scheme, message, signature);
}

struct err
keys_open(struct keys **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? OK : ERR(ERR_MEMORY, 0, "keys");
}

void
keys_close(struct keys *ks)
{
	if (!ks)
		return;
	sign_key_free(ks->tls);
	free(ks);
}
