/* check.c - configuration, owners, key and certificate, zones, stores; it changes nothing. */
#include "role/check.h"

#include "crypt/certificate.h"
#include "guard/keys.h"
#include "role/layout.h"
#include "role/master.h"
#include "tool/zone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SOON_S = 14 * 24 * 3600 };

static void
say(void *owner, const char *what)
{
	const char *dir = owner;

	fprintf(stderr, "%s/%s\n", dir, what);
}

static size_t
check_certificate(const char *dir, const struct check_facts *facts)
{
	struct certificate c;
	struct err e;

	if (!facts->certificate.n)
		return 0;
	e = certificate_read(facts->certificate, &c);
	if (!is_ok(e)) {
		fprintf(stderr, "%s: tls.certificate: not a chain of certificates in PEM\n", dir);
		return 1;
	}
	if (c.until < time(NULL)) {
		fprintf(stderr, "%s: tls.certificate: it has expired; get a new one\n", dir);
		return 1;
	}
	if (c.until < time(NULL) + SOON_S)
		fprintf(stderr, "%s: tls.certificate: it expires within two weeks\n", dir);
	return 0;
}

static size_t
check_key(const char *dir, int folder, const struct check_facts *facts)
{
	struct keys *keys = NULL;
	int fd = openat(folder, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = fd < 0 ? ERR(ERR_IO, errno, "DIR/keys") : keys_open(&keys);

	if (is_ok(e))
		e = keys_load_tls(keys, fd, facts->key, facts->certificate);
	if (!is_ok(e))
		fprintf(stderr, "%s: tls.key: %s\n", dir,
		        e.code == ERR_NOTFOUND ? "there is no such file in DIR/keys"
		        : e.code == ERR_DENIED ? "it is not the key of the certificate"
		        : e.code == ERR_SYNTAX ? "not an unencrypted private key in PEM"
		                               : e.why);
	keys_close(keys);
	if (fd >= 0)
		close(fd);
	return !is_ok(e);
}

/* The root's file is @.zone. */
static const char *
zone_of(const char *file)
{
	return strcmp(file, "@.zone") ? NULL : ".";
}

static size_t
check_zones(const char *dir, const struct check_facts *facts)
{
	char folder[4096], file[5000];
	struct dirent *entry;
	size_t wrong = 0;
	DIR *d;

	snprintf(folder, sizeof(folder), "%s/zones", dir);
	d = opendir(folder);
	while (d && (entry = readdir(d))) {
		size_t n = strlen(entry->d_name);

		if (n < 6 || strcmp(entry->d_name + n - 5, ".zone") != 0)
			continue;
		snprintf(file, sizeof(file), "%s/%s", folder, entry->d_name);
		wrong += zone_check_file(file, zone_of(entry->d_name)) != EXIT_DONE;
	}
	if (d)
		closedir(d);
	for (size_t i = 0; i < facts->zones; i++) {
		const char *path = facts->zone_files[i];

		snprintf(file, sizeof(file), "%s%s%s", path[0] == '/' ? "" : dir,
		         path[0] == '/' ? "" : "/", path);
		wrong += zone_check_file(file, facts->zone_names[i]) != EXIT_DONE;
	}
	return wrong;
}

/* A server that runs has its stores open; else the roles that own them open them for a moment. */
static size_t
check_stores(const char *dir, client_serve *serve)
{
	struct client *c;

	if (!is_ok(client_open(&c, dir, serve)))
		return 1;
	client_close(c);
	return 0;
}

int
check_folder(const char *dir, client_serve *serve)
{
	struct check_facts facts = {.arena = arena_init(0)};
	int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), code;
	char where[4096];
	size_t wrong;

	if (folder < 0) {
		fprintf(stderr, "stead: %s: %s\n", dir, strerror(errno));
		return 1;
	}
	code = master_facts(folder, &facts);
	snprintf(where, sizeof(where), "%s", dir);
	wrong = layout_check(folder, say, where);
	if (!code)
		wrong += check_certificate(dir, &facts) + check_key(dir, folder, &facts) +
		         check_zones(dir, &facts);
	if (!code && !wrong)
		wrong += check_stores(dir, serve);
	arena_free(&facts.arena);
	close(folder);
	if (!code && !wrong)
		printf("%s: nothing is wrong\n", dir);
	return code ? code : wrong ? 1 : 0;
}
