/* init.c - stead init: a folder that `stead serve` can serve at once. */
#include "base/addr.h"
#include "base/random.h"
#include "crypt/certificate.h"
#include "crypt/digest.h"
#include "tool/zone.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ADDRESSES_MAX = 16, TEXT_MAX = 16384, OFFSET_MAX = 64000 /* stead.conf: port_offset */ };

struct plan {
	const char *dir, *domain, *offset;
	char host[300];
	char addresses[ADDRESSES_MAX][ZONE_ADDRESS_TEXT];
	size_t n;
	int folder;
};

static bool
complain(const struct plan *p, const char *what)
{
	fprintf(stderr, "stead: %s/%s: %s\n", p->dir, what, strerror(errno));
	return false;
}

/* ---- what this machine is called and where it is ---- */

static void
add_address(struct plan *p, const uint8_t ip[16])
{
	struct wr w = wr_of(p->addresses[p->n], ADDR_IP_TEXT);

	addr_ip_text(&w, ip);
	*w.p = 0;
	p->n++;
}

static void
add_loopback(struct plan *p)
{
	static const uint8_t v4[16] = {[10] = 0xff, 0xff, 127, 0, 0, 1}, v6[16] = {[15] = 1};

	add_address(p, v4);
	add_address(p, v6);
}

/* The addresses that others can reach; loopback when there are none. */
static void
find_addresses(struct plan *p)
{
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all) == 0)
		for (struct ifaddrs *i = all; i && p->n < ADDRESSES_MAX; i = i->ifa_next) {
			uint8_t ip[16] = {[10] = 0xff, 0xff};

			if (!i->ifa_addr || (i->ifa_flags & IFF_LOOPBACK))
				continue;
			if (i->ifa_addr->sa_family == AF_INET)
				memcpy(ip + 12,
				       &((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr, 4);
			else if (i->ifa_addr->sa_family == AF_INET6)
				memcpy(ip, &((struct sockaddr_in6 *)(void *)i->ifa_addr)->sin6_addr,
				       16);
			else
				continue;
			if (ip[0] != 0xfe || (ip[1] & 0xc0) != 0x80) /* not a link's own */
				add_address(p, ip);
		}
	if (all)
		freeifaddrs(all);
	if (!p->n)
		add_loopback(p);
}

/* ---- files ---- */

static bool
write_file(const struct plan *p, const char *name, mode_t mode, struct bytes text)
{
	int fd = openat(p->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	bool ok = fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0;

	if (!ok)
		complain(p, name);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool
write_conf(const struct plan *p)
{
	char room[TEXT_MAX];
	struct wr w = wr_of(room, sizeof(room));

	wr_printf(&w,
	          "# stead.conf - see stead.conf(5); `stead check` tells what is wrong in it.\n\n"
	          "host_name %s;\ndomain %s;\n",
	          p->host, p->domain);
	if (p->offset)
		wr_printf(&w,
		          "\n# a trial: loopback only, every port shifted\n"
		          "addresses [127.0.0.1 ::1];\nport_offset %s;\n",
		          p->offset);
	return write_file(p, "stead.conf", 0644, wr_since(&w, (uint8_t *)room));
}

static bool
write_certificate(const struct plan *p, const struct sign_key *key)
{
	const struct bytes names[] = {bytes_of(p->host), bytes_of(p->domain)};
	struct certificate_subject subject = {.common_name = bytes_of(p->host),
	                                      .names = names,
	                                      .n = COUNT(names),
	                                      .from = time(NULL) - 3600,
	                                      .days = CERTIFICATE_DAYS};
	struct random *random = random_open();
	uint8_t room[CERTIFICATE_MAX];
	struct wr w = wr_of(room, sizeof(room));
	struct err e = ERR(ERR_MEMORY, 0, "random");

	if (subject.common_name.n > 64)
		subject.common_name.n = 64;
	if (random) {
		random_fill(random, subject.serial, sizeof(subject.serial));
		e = certificate_make(key, &subject, &w);
	}
	random_close(random);
	if (!is_ok(e)) {
		fprintf(stderr, "stead: cannot make a certificate: %s\n", e.why);
		return false;
	}
	return write_file(p, "tls/cert.pem", 0644, wr_since(&w, room));
}

static bool
write_keys(const struct plan *p)
{
	struct sign_key *key = NULL;
	uint8_t room[SIGN_PEM_MAX];
	struct wr w = wr_of(room, sizeof(room));
	struct err e = sign_key_generate(&key);
	bool ok;

	if (is_ok(e))
		e = sign_key_save(key, &w);
	if (!is_ok(e))
		fprintf(stderr, "stead: cannot make a key: %s\n", e.why);
	ok = is_ok(e) && write_file(p, "keys/tls.pem", 0600, wr_since(&w, room)) &&
	     write_certificate(p, key);
	digest_wipe(room, sizeof(room));
	sign_key_free(key);
	return ok;
}

static bool
make_folder(struct plan *p)
{
	static const char *const inside[] = {"tls", "keys"};

	if (mkdir(p->dir, 0755) && errno != EEXIST)
		return complain(p, "");
	p->folder = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->folder < 0)
		return complain(p, "");
	if (!faccessat(p->folder, "stead.conf", F_OK, 0)) {
		fprintf(stderr, "stead: %s/stead.conf is there already: nothing was changed\n",
		        p->dir);
		return false;
	}
	for (size_t i = 0; i < COUNT(inside); i++)
		if (mkdirat(p->folder, inside[i], 0700) && errno != EEXIST)
			return complain(p, inside[i]);
	return true;
}

/* ---- the domain ---- */

static int
add_domain(struct plan *p, const struct command_env *env)
{
	const struct talk_people_change word = {.what = PEOPLE_ADD_DOMAIN,
	                                        .name = bytes_of(p->domain)};
	struct talk_people_change_answer a;
	uint8_t room[ZONE_FIRST_MAX];
	struct wr zone = wr_of(room, sizeof(room));
	struct chan_word w;
	struct client *c;
	int code = EXIT_FAILED;

	if (!is_ok(client_open(&c, p->dir, env->serve)))
		return EXIT_FAILED;
	if (is_ok(client_ask(c, talk_people_change_out(&word), -1, &w)) &&
	    talk_people_change_answer_get(&w.body, &a))
		code = command_answered(a.code, a.text);
	if (code == EXIT_DONE) {
		zone_first(&zone, p->domain, p->host, p->addresses, p->n);
		code = zone_give(c, p->domain, wr_since(&zone, room));
	}
	client_close(c);
	return code;
}

/* What can stand in stead.conf without quotes, and as a name in a zone and in a certificate. */
static bool
is_name(const char *text)
{
	static const char octets[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	size_t n = strlen(text);

	return n > 0 && n <= 250 && strspn(text, octets) == n && text[0] != '-' && text[0] != '.' &&
	       text[n - 1] != '.' && !strstr(text, "..");
}

static bool
is_number(const char *text)
{
	return text[0] && strspn(text, "0123456789") == strlen(text) && strlen(text) < 6 &&
	       strtoul(text, NULL, 10) <= OFFSET_MAX;
}

static int
init(const struct command_env *env, int argc, char **argv)
{
	struct plan p = {.folder = -1};
	const char *address, *host;
	int code = EXIT_FAILED;

	p.domain = command_value(&argc, argv, "--domain");
	p.offset = command_value(&argc, argv, "--offset");
	host = command_value(&argc, argv, "--host");
	while (p.n < ADDRESSES_MAX && (address = command_value(&argc, argv, "--address"))) {
		uint8_t ip[16];

		if (!addr_ip_parse(bytes_of(address), ip))
			return command_usage(env, "--address wants an IP address");
		add_address(&p, ip);
	}
	if (argc != 2 || command_unknown(argc, argv) || !p.domain)
		return command_usage(env, "which folder, for which domain?");
	if (!is_name(p.domain) || (host && !is_name(host)))
		return command_usage(env, "a domain or host name is letters, digits, hyphens, dots "
		                          "(international names go in their xn-- form)");
	if (p.offset && !is_number(p.offset))
		return command_usage(env, "--offset wants a number of ports, up to 64000");
	p.dir = argv[1];
	snprintf(p.host, sizeof(p.host), "%s%s", host ? "" : "mail.", host ? host : p.domain);
	if (!p.n && p.offset)
		add_loopback(&p);
	else if (!p.n)
		find_addresses(&p);
	if (make_folder(&p) && write_keys(&p) && write_conf(&p))
		code = add_domain(&p, env);
	if (p.folder >= 0)
		close(p.folder);
	if (code == EXIT_DONE)
		printf("%s is made for %s.  Next:\n"
		       "  stead -C %s user add alice@%s\n"
		       "  stead -C %s serve\n",
		       p.dir, p.domain, p.dir, p.domain, p.dir);
	return code;
}

const struct command init_commands[] = {
    {"init", "DIR --domain DOMAIN [--offset N] [--host NAME] [--address IP]...",
     "Make a folder with configuration, keys, a certificate and the domain's zone.", init},
    {0},
};
