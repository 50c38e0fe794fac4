/* zone.c - stead zone: import, export, list, check. */
#include "tool/zone.h"
#include "base/random.h"
#include "dns/zonefile.h"
#include "net/snap.h"
#include "zone/builder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ZONE_MAX = 256 * 1024 * 1024 };

static void
forget(struct bytes text)
{
	free((void *)(uintptr_t)text.p);
}

/* ---- check, without a server ---- */

struct checking {
	struct zone_builder *builder;
	unsigned records, warnings;
};

static const char *
on_record(void *owner, const struct zonefile_record *record)
{
	struct checking *c = owner;
	struct err e = zone_builder_add(c->builder, record);

	c->records++;
	return is_ok(e) ? NULL : "cannot stand in a zone";
}

static void
on_problem(void *owner, const struct zone_problem *problem)
{
	struct checking *c = owner;
	uint8_t room[ZONE_PROBLEM_TEXT_MAX];
	struct wr w = wr_of(room, sizeof(room));

	c->warnings += !problem->is_error;
	zone_problem_text(problem, &w);
	fwrite(room, 1, wr_since(&w, room).n, stderr);
	fputc('\n', stderr);
}

static struct err
parse(struct checking *c, const char *file, struct bytes text, const struct dname *origin)
{
	const struct zonefile_reader reader = {.owner = c, .record = on_record};
	struct zonefile_error wrong = {{0}, 0, 0, NULL};
	struct err e = zone_builder_zone(c->builder, dname_bytes(origin));

	if (is_ok(e))
		e = zonefile_parse(&reader, bytes_of(file), text, dname_bytes(origin), &wrong);
	if (e.code == ERR_SYNTAX)
		fprintf(stderr, "%s:%u:%u: %s\n", wrong.file, wrong.line, wrong.column, wrong.text);
	return e;
}

static int
check_text(const char *file, struct bytes text, const struct dname *origin)
{
	struct random *random = random_open();
	uint8_t key[SIPHASH_KEY];
	struct checking c = {0};
	unsigned errors = 1;
	struct err e;

	if (!random)
		return EXIT_FAILED;
	random_fill(random, key, sizeof(key));
	random_close(random);
	c.builder = zone_builder_new(key, 0);
	e = c.builder ? parse(&c, file, text, origin) : ERR(ERR_MEMORY, 0, "zone");
	if (is_ok(e))
		e = zone_builder_check(c.builder, on_problem, &c, &errors);
	if (is_fault(e))
		fprintf(stderr, "stead: %s\n", err_text(e));
	if (is_ok(e) && !errors)
		printf("%s: %u records, %u warnings\n", file, c.records, c.warnings);
	zone_builder_free(c.builder);
	return is_ok(e) && !errors ? EXIT_DONE : EXIT_WRONG;
}

/* The zone's name: as told, or the file's without ".zone". */
static bool
origin_of(const char *told, const char *file, struct dname *origin)
{
	const char *base = strrchr(file, '/');
	struct bytes name = bytes_of(told ? told : base ? base + 1 : file);

	if (!told && name.n > 5 && !memcmp(name.p + name.n - 5, ".zone", 5))
		name.n -= 5;
	return !dname_parse_text(origin, name, DNAME_ROOT);
}

int
zone_check_file(const char *file, const char *zone)
{
	struct dname origin;
	struct bytes text;
	int code;

	if (!origin_of(zone, file, &origin)) {
		fprintf(stderr, "stead: %s: which zone is it? say --zone NAME\n", file);
		return EXIT_WRONG;
	}
	if (!is_ok(command_read(file, ZONE_MAX, &text)))
		return EXIT_FAILED;
	code = check_text(file, text, &origin);
	forget(text);
	return code;
}

static int
zone_check(const struct command_env *env, int argc, char **argv)
{
	const char *told = command_value(&argc, argv, "--zone");

	if (argc != 2 || command_unknown(argc, argv))
		return command_usage(env, "which file?");
	return zone_check_file(argv[1], told);
}

/* ---- at the server ---- */

int
zone_give(struct client *c, const char *zone, struct bytes text)
{
	const struct talk_zone_import word = {.zone = bytes_of(zone)};
	struct talk_zone_import_answer a;
	int fd = -1, code = EXIT_FAILED;
	struct chan_word w;

	if (!is_ok(snap_copy("zone", text, &fd))) {
		fprintf(stderr, "stead: out of memory\n");
		return EXIT_FAILED;
	}
	if (is_ok(client_ask(c, talk_zone_import_out(&word), fd, &w)) &&
	    talk_zone_import_answer_get(&w.body, &a)) {
		code = command_answered(a.code, a.text);
		if (a.code == ERR_SYNTAX)
			code = EXIT_WRONG;
	}
	close(fd);
	return code;
}

void
zone_first(struct wr *w, const char *domain, const char *host, char addresses[][ZONE_ADDRESS_TEXT],
           size_t n)
{
	size_t host_n = strlen(host), domain_n = strlen(domain);
	bool inside = host_n > domain_n && host[host_n - domain_n - 1] == '.' &&
	              bytes_eq_nocase(bytes_of(host + host_n - domain_n), bytes_of(domain));

	wr_printf(w,
	          "$TTL 3600\n"
	          "@\tSOA\t%s. hostmaster 1 7200 3600 1209600 3600\n"
	          "@\tNS\t%s.\n"
	          "@\tMX\t10 %s.\n"
	          "@\tTXT\t\"v=spf1 mx -all\"\n",
	          host, host, host);
	for (size_t i = 0; i < n; i++) {
		const char *type = strchr(addresses[i], ':') ? "AAAA" : "A";

		wr_printf(w, "@\t%s\t%s\n", type, addresses[i]);
		if (inside)
			wr_printf(w, "%s.\t%s\t%s\n", host, type, addresses[i]);
	}
	if (n)
		wr_text(w, "www\tCNAME\t@\n");
}

static int
zone_import(const struct command_env *env, int argc, char **argv)
{
	struct client *c = NULL;
	struct bytes text;
	int code = EXIT_FAILED;

	if (argc != 3 || command_unknown(argc, argv) || strlen(argv[1]) > 255)
		return command_usage(env, "which zone, from which file?");
	if (!is_ok(command_read(argv[2], ZONE_MAX, &text)))
		return EXIT_FAILED;
	if (is_ok(client_open(&c, env->dir, env->serve)))
		code = zone_give(c, argv[1], text);
	client_close(c);
	forget(text);
	return code;
}

static int
zone_export(const struct command_env *env, int argc, char **argv)
{
	struct talk_zone_export word;
	struct talk_zone_export_answer a;
	struct chan_word w = {.fd = -1};
	struct client *c;
	uint8_t room[16384];
	ssize_t n;
	int code = EXIT_FAILED;

	if (argc != 2 || strlen(argv[1]) > 255)
		return command_usage(env, "which zone?");
	word.zone = bytes_of(argv[1]);
	if (!is_ok(client_open(&c, env->dir, env->serve)))
		return EXIT_FAILED;
	if (is_ok(client_ask(c, talk_zone_export_out(&word), -1, &w)) &&
	    talk_zone_export_answer_get(&w.body, &a))
		code = command_answered(a.code, a.code == ERR_NOTFOUND
		                                    ? BYTES("there is no file of such a zone here")
		                                    : NO_BYTES);
	for (off_t at = 0; w.fd >= 0 && (n = pread(w.fd, room, sizeof(room), at)) > 0; at += n)
		fwrite(room, 1, (size_t)n, stdout);
	if (w.fd >= 0)
		close(w.fd);
	client_close(c);
	return code;
}

/* Prints one answer's rows; *last is the name to go on behind. */
static bool
print_zones(struct bytes rows, uint8_t last[255], size_t *n)
{
	struct rd r = rd_of(rows);

	while (rd_left(&r)) {
		struct bytes name = rd_bytes8(&r);
		uint32_t serial = rd_u32(&r), records = rd_u32(&r);

		if (r.bad || name.n > 255)
			return false;
		memcpy(last, name.p, name.n);
		*n = name.n;
		command_print(stdout, name);
		printf(" serial %u, %u records\n", serial, records);
	}
	return !r.bad;
}

static int
zone_list(const struct command_env *env, int argc, char **argv)
{
	struct talk_zone_list word = {0};
	struct talk_zone_list_answer a = {.more = 1};
	struct chan_word w;
	struct client *c;
	uint8_t last[255];
	size_t n = 0;
	bool ok = true;

	(void)argv;
	if (argc != 1)
		return command_usage(env, "it takes nothing");
	if (!is_ok(client_open(&c, env->dir, env->serve)))
		return EXIT_FAILED;
	while (ok && a.more) {
		word.after = (struct bytes){last, n};
		ok = is_ok(client_ask(c, talk_zone_list_out(&word), -1, &w)) &&
		     talk_zone_list_answer_get(&w.body, &a) &&
		     command_answered(a.code, NO_BYTES) == EXIT_DONE &&
		     print_zones(a.names, last, &n);
		a.more = a.more && a.names.n;
	}
	client_close(c);
	return ok ? EXIT_DONE : EXIT_FAILED;
}

const struct command zone_commands[] = {
    {"zone import", "ZONE FILE", "Check a zone file and serve it at once.", zone_import},
    {"zone export", "ZONE", "Print a zone as it was imported.", zone_export},
    {"zone list", "", "List the zones with their serials.", zone_list},
    {"zone check", "FILE [--zone ZONE]", "Tell what is wrong in a zone file; needs no server.",
     zone_check},
    {0},
};
