/* settings.c - every key of stead.conf, what is complained of, and what a role is told. */
#include "role/settings.h"

#include "base/random.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

/* Cases of one test share these. */
static struct arena arena;
static struct conf_faults faults;
static struct settings s;

static struct err
read_text(const char *text)
{
	arena_free(&arena);
	arena = arena_init(0);
	return settings_read(bytes_of(text), "stead.conf", &s, &arena, &faults);
}

static void
must_read(const char *text)
{
	struct err e = read_text(text);

	if (!is_ok(e))
		fail_msg("%s: %s", text, faults.n ? faults.list[0].text : e.why);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static const char *
list_text(const struct conf_addrs *list)
{
	static char room[4096];
	struct wr w = wr_of(room, sizeof(room) - 1);

	for (size_t i = 0; i < list->n; i++) {
		wr_text(&w, i ? " " : "");
		addr_text(&w, &list->list[i]);
	}
	*w.p = 0;
	return room;
}

static const char *
listen_text(enum service which)
{
	return list_text(settings_listen(&s, which));
}

/* ---- what an empty file means ---- */

static void
an_empty_file_works(void **state)
{
	(void)state;
	must_read("");
	assert_true(bytes_eq(s.host_name, BYTES("localhost")));
	assert_true(bytes_eq(s.domain, BYTES("localhost")));
	assert_int_equal(s.port_offset, 0);
	assert_int_equal(s.log.to, LOG_TO_STDERR);
	assert_int_equal(s.log.format, LOG_AS_TEXT);
	assert_int_equal(s.log.level, 2);
	assert_int_equal(s.smtp.message_size, 50 * 1024 * 1024);
	assert_int_equal(s.smtp.recipients, 1000);
	assert_int_equal(s.smtp.relay.n, 0);
	assert_int_equal(s.dns.rate_limit, 50);
	assert_int_equal(s.dns.zones.n, 0);
	assert_int_equal(s.auth.hash_cost, 5);
	assert_int_equal(s.auth.plaintext_login.n, 2);
	assert_true(bytes_eq(s.tls.certificate, BYTES("tls/cert.pem")));
	assert_true(bytes_eq(s.tls.key, BYTES("tls.pem")));
	assert_string_equal(listen_text(SERVICE_SMTP), "[::]:25");
	assert_string_equal(listen_text(SERVICE_POP3), "[::]:110");
	assert_string_equal(listen_text(SERVICE_POP3S), "[::]:995");
	assert_string_equal(listen_text(SERVICE_DNS), "[::]:53");
	assert_string_equal(listen_text(SERVICE_SUBMISSION), "[::]:587");
	assert_string_equal(listen_text(SERVICE_SUBMISSIONS), "[::]:465");
	assert_string_equal(listen_text(SERVICE_IMAP), "[::]:143");
	assert_string_equal(listen_text(SERVICE_IMAPS), "[::]:993");
	assert_string_equal(listen_text(SERVICE_FTP), "[::]:21");
	assert_string_equal(listen_text(SERVICE_RESOLVER), "127.0.0.1:53 [::1]:53");
	assert_int_equal(s.ftp.passive.n, 64);
	assert_int_equal(s.ftp.passive.list[0].port, 49152);
	assert_int_equal(s.ftp.passive.list[63].port, 49215);
	assert_true(s.ftp.data_resumes);
	assert_int_equal(s.out.port, 25);
	assert_false(s.out.loopback);
	assert_int_equal(s.resolver.clients.n, 2);
	assert_true(bytes_eq(s.resolver.hosts, BYTES("/etc/hosts")));
	assert_string_equal(listen_text(SERVICE_CONTROL), "");
	assert_string_equal(listen_text(SERVICE_COUNT), "");
	for (enum role role = ROLE_MASTER; role < ROLE_COUNT; role++)
		assert_int_equal(settings_instances(&s, role), 1);
}

/* ---- each key ---- */

enum kind { NUMBER, FLAG, WORD, TEXT, TEXTS, ADDRS, NETS, NAMED };
#define AT(m) offsetof(struct settings, m)

static const struct {
	const char *path, *text; /* as settings_describe() has it */
	enum kind kind;
	size_t offset;
	uint64_t is;         /* a number, or how many */
	const char *is_text; /* of a text; of a list the first */
	const char *bad;     /* what is refused */
} keys[] = {
    {"host_name", "host_name a.org;", TEXT, AT(host_name), 0, "a.org", "host_name \"\";"},
    {"domain", "domain b.org;", TEXT, AT(domain), 0, "b.org", "domain a b;"},
    {"addresses", "addresses [192.0.2.1 ::1];", TEXTS, AT(addresses), 2, "192.0.2.1",
     "addresses [];"},
    {"port_offset", "port_offset 64000;", NUMBER, AT(port_offset), 64000, NULL,
     "port_offset 64001;"},
    {"log.to", "log { to journal; }", WORD, AT(log.to), LOG_TO_JOURNAL, NULL,
     "log { to nowhere; }"},
    {"log.format", "log { format json; }", WORD, AT(log.format), LOG_AS_JSON, NULL,
     "log { format xml; }"},
    {"log.level", "log { level debug; }", WORD, AT(log.level), 3, NULL, "log { level all; }"},
    {"smtp.listen", "smtp { listen [192.0.2.1:26]; }", ADDRS, AT(smtp.service.listen), 1,
     "192.0.2.1:26", "smtp { listen [192.0.2.256]; }"},
    {"smtp.instances", "smtp { instances 16; }", NUMBER, AT(smtp.service.instances), 16, NULL,
     "smtp { instances 17; }"},
    {"smtp.message_size", "smtp { message_size 1g; }", NUMBER, AT(smtp.message_size), 1u << 30,
     NULL, "smtp { message_size 63k; }"},
    {"smtp.recipients", "smtp { recipients 100; }", NUMBER, AT(smtp.recipients), 100, NULL,
     "smtp { recipients 99; }"},
    {"smtp.relay", "smtp { relay [192.0.2.0/24]; }", NETS, AT(smtp.relay), 1, NULL,
     "smtp { relay [192.0.2.1/24]; }"},
    {"submission.listen", "submission { listen [192.0.2.1]; }", ADDRS, AT(submission.listen), 1,
     "192.0.2.1:587", "submission { listen x; }"},
    {"submission.tls_listen", "submission { tls_listen [192.0.2.1]; }", ADDRS,
     AT(submission.tls_listen), 1, "192.0.2.1:465", "submission { tls_listen [:1]; }"},
    {"imap.listen", "imap { listen [::1]; }", ADDRS, AT(imap.service.listen), 1, "[::1]:143",
     "imap { listen [a.org]; }"},
    {"imap.instances", "imap { instances 2; }", NUMBER, AT(imap.service.instances), 2, NULL,
     "imap { instances 0; }"},
    {"imap.tls_listen", "imap { tls_listen [::1]; }", ADDRS, AT(imap.tls_listen), 1, "[::1]:993",
     "imap { tls_listen [a]; }"},
    {"ftp.listen", "ftp { listen [192.0.2.1]; }", ADDRS, AT(ftp.listen), 1, "192.0.2.1:21",
     "ftp { listen [a]; }"},
    {"ftp.passive_port", "ftp { passive_port 2000; }", NUMBER, AT(ftp.passive_port), 2000, NULL,
     "ftp { passive_port 65500; }"},
    {"ftp.passive_ports", "ftp { passive_ports 1024; }", NUMBER, AT(ftp.passive_ports), 1024, NULL,
     "addresses [::1 127.0.0.1]; ftp { passive_ports 1024; }"},
    {"ftp.passive_address", "ftp { passive_address 192.0.2.7; }", TEXT, AT(ftp.passive_address), 0,
     "192.0.2.7", "ftp { passive_address ::1; }"},
    {"ftp.data_resumes", "ftp { data_resumes off; }", FLAG, AT(ftp.data_resumes), 0, NULL,
     "ftp { data_resumes maybe; }"},
    {"out.port", "out { port 2525; }", NUMBER, AT(out.port), 2525, NULL, "out { port 0; }"},
    {"out.relay", "out { relay mx.a.org:26; }", TEXT, AT(out.relay), 0, "mx.a.org:26",
     "out { relay b@a.org; }"},
    {"out.loopback", "out { loopback on; }", FLAG, AT(out.loopback), 1, NULL,
     "out { loopback 1; }"},
    {"resolver.listen", "resolver { listen [192.0.2.1]; }", ADDRS, AT(resolver.listen), 1,
     "192.0.2.1:53", "resolver { listen [a]; }"},
    {"resolver.clients", "resolver { clients [10.0.0.0/8]; }", NETS, AT(resolver.clients), 1, NULL,
     "resolver { clients [10.0.0.0/33]; }"},
    {"resolver.root_hints", "resolver { root_hints hints; }", TEXT, AT(resolver.root_hints), 0,
     "hints", "resolver { root_hints; }"},
    {"resolver.hosts", "resolver { hosts h; }", TEXT, AT(resolver.hosts), 0, "h",
     "resolver { hosts a b; }"},
    {"resolver.upstream_port", "resolver { upstream_port 5353; }", NUMBER,
     AT(resolver.upstream_port), 5353, NULL, "resolver { upstream_port 0; }"},
    {"pop3.listen", "pop3 { listen [::1]:111; }", ADDRS, AT(pop3.service.listen), 1, "[::1]:111",
     "pop3 { listen 111; }"},
    {"pop3.instances", "pop3 { instances 2; }", NUMBER, AT(pop3.service.instances), 2, NULL,
     "pop3 { instances 0; }"},
    {"pop3.tls_listen", "pop3 { tls_listen [192.0.2.1]; }", ADDRS, AT(pop3.tls_listen), 1,
     "192.0.2.1:995", "pop3 { tls_listen [192.0.2.1:0]; }"},
    {"dns.listen", "dns { listen [192.0.2.1]; }", ADDRS, AT(dns.service.listen), 1, "192.0.2.1:53",
     "dns { listen [a.org]; }"},
    {"dns.instances", "dns { instances 3; }", NUMBER, AT(dns.service.instances), 3, NULL,
     "dns { instances many; }"},
    {"dns.rate_limit", "dns { rate_limit 0; }", NUMBER, AT(dns.rate_limit), 0, NULL,
     "dns { rate_limit 1000001; }"},
    {"dns.zones", "dns { zones { a.org { file x; } B.org { file y; } } }", NAMED, AT(dns.zones), 2,
     "a.org", "dns { zones { a.org { file x; } A.ORG { file y; } } }"},
    {"dns.zones.NAME.file", "dns { zones { a.org { file x; } } }", NAMED, AT(dns.zones), 1, "a.org",
     "dns { zones { a.org { } } }"},
    {"auth.hash_cost", "auth { hash_cost 11; }", NUMBER, AT(auth.hash_cost), 11, NULL,
     "auth { hash_cost 12; }"},
    {"auth.plaintext_login", "auth { plaintext_login []; }", NETS, AT(auth.plaintext_login), 0,
     NULL, "auth { plaintext_login [10.0.0.1/8]; }"},
    {"tls.certificate", "tls { certificate /c.pem; }", TEXT, AT(tls.certificate), 0, "/c.pem",
     "tls { certificate \"\"; }"},
    {"tls.key", "tls { key k.pem; }", TEXT, AT(tls.key), 0, "k.pem", "tls { key; }"},
};

static void
check_value(size_t i)
{
	const void *at = (const uint8_t *)&s + keys[i].offset;
	const struct conf_texts *texts = at;
	const struct conf_named *named = at;
	const struct conf_nets *nets = at;

	switch (keys[i].kind) {
	case NUMBER:
		assert_true(*(const uint64_t *)at == keys[i].is);
		break;
	case FLAG:
		assert_int_equal(*(const bool *)at, keys[i].is);
		break;
	case WORD:
		assert_int_equal(*(const uint32_t *)at, keys[i].is);
		break;
	case TEXT:
		assert_true(bytes_eq(*(const struct bytes *)at, bytes_of(keys[i].is_text)));
		break;
	case TEXTS:
		assert_int_equal(texts->n, keys[i].is);
		assert_true(bytes_eq(texts->list[0], bytes_of(keys[i].is_text)));
		break;
	case ADDRS:
		assert_string_equal(list_text(at), keys[i].is_text);
		break;
	case NETS:
		assert_int_equal(nets->n, keys[i].is);
		break;
	case NAMED:
		assert_int_equal(named->n, keys[i].is);
		assert_true(bytes_eq(named->names[0], bytes_of(keys[i].is_text)));
		assert_true(
		    bytes_eq(((const struct zone_settings *)named->list)->file, BYTES("x")));
		break;
	}
}

static void
each_key_is_read_and_has_its_range(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		must_read(keys[i].text);
		check_value(i);
		if (is_ok(read_text(keys[i].bad)) || !faults.n)
			fail_msg("%s was taken", keys[i].bad);
		if (strncmp(faults.list[0].text, "stead.conf:1:", 13) != 0)
			fail_msg("no place: %s", faults.list[0].text);
	}
}

/* A key that is added to the schema is added above. */
static void
no_key_is_left_out_here(void **state)
{
	static uint8_t room[65536];
	struct wr w = wr_of(room, sizeof(room));
	struct bytes all;
	size_t n = 0;

	(void)state;
	settings_describe(&w);
	assert_false(w.full);
	for (all = wr_since(&w, room); all.n;) {
		struct bytes line = text_cut(&all, '\n');
		size_t i = 0;

		if (!line.n || line.p[0] == '\t')
			continue;
		while (i < COUNT(keys) && !bytes_eq(line, bytes_of(keys[i].path)))
			i++;
		if (i == COUNT(keys))
			fail_msg("%.*s", (int)line.n, (const char *)line.p);
		n++;
	}
	assert_int_equal(n, COUNT(keys));
}

/* ---- where it listens ---- */

static const struct {
	const char *text, *smtp, *pop3, *pop3s, *dns;
} places[] = {
    {"port_offset 10000;", "[::]:10025", "[::]:10110", "[::]:10995", "[::]:10053"},
    {"addresses [192.0.2.1 2001:db8::1];", "192.0.2.1:25 [2001:db8::1]:25",
     "192.0.2.1:110 [2001:db8::1]:110", "192.0.2.1:995 [2001:db8::1]:995",
     "192.0.2.1:53 [2001:db8::1]:53"},
    {"addresses [127.0.0.1]; port_offset 64000;", "127.0.0.1:64025", "127.0.0.1:64110",
     "127.0.0.1:64995", "127.0.0.1:64053"},
    {"addresses ::1;", "[::1]:25", "[::1]:110", "[::1]:995", "[::1]:53"},
    {"smtp { listen []; }", "", "[::]:110", "[::]:995", "[::]:53"},
    {"smtp { listen []; } pop3 { listen []; tls_listen []; } dns { listen []; }", "", "", "", ""},
    {"pop3 { listen []; }", "[::]:25", "", "[::]:995", "[::]:53"},
    {"pop3 { tls_listen []; }", "[::]:25", "[::]:110", "", "[::]:53"},
    /* who says where is taken at his word: no offset is added */
    {"port_offset 10000; smtp { listen [192.0.2.1 192.0.2.2:2525]; }",
     "192.0.2.1:25 192.0.2.2:2525", "[::]:10110", "[::]:10995", "[::]:10053"},
    {"smtp { instances 2; }", "[::]:25", "[::]:110", "[::]:995", "[::]:53"},
};

static void
services_listen_where_they_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		must_read(places[i].text);
		assert_string_equal(listen_text(SERVICE_SMTP), places[i].smtp);
		assert_string_equal(listen_text(SERVICE_POP3), places[i].pop3);
		assert_string_equal(listen_text(SERVICE_POP3S), places[i].pop3s);
		assert_string_equal(listen_text(SERVICE_DNS), places[i].dns);
	}
}

static void
the_resolver_is_the_machines_own(void **state)
{
	(void)state;
	must_read("addresses [192.0.2.1]; port_offset 10000;");
	assert_string_equal(listen_text(SERVICE_RESOLVER), "127.0.0.1:10054 [::1]:10054");
	must_read("resolver { listen []; }");
	assert_string_equal(listen_text(SERVICE_RESOLVER), "");
}

static void
passive_ports_are_where_ftp_listens(void **state)
{
	(void)state;
	must_read("addresses [192.0.2.1 ::1]; port_offset 10000; ftp { passive_ports 2; }");
	assert_string_equal(listen_text(SERVICE_FTP_DATA),
	                    "192.0.2.1:11024 192.0.2.1:11025 [::1]:11024 [::1]:11025");
	must_read("ftp { listen []; }");
	assert_string_equal(listen_text(SERVICE_FTP_DATA), "");
	must_read("ftp { listen [192.0.2.1:2121]; passive_port 2200; passive_ports 1; }");
	assert_string_equal(listen_text(SERVICE_FTP_DATA), "192.0.2.1:2200");
}

static void
roles_have_their_instances(void **state)
{
	(void)state;
	must_read("smtp { instances 2; } pop3 { instances 3; } imap { instances 1; } "
	          "dns { instances 4; }");
	assert_int_equal(settings_instances(&s, ROLE_SMTP), 2);
	assert_int_equal(settings_instances(&s, ROLE_MAIL), 3);
	assert_int_equal(settings_instances(&s, ROLE_DNS), 4);
	assert_int_equal(settings_instances(&s, ROLE_BOX), 1);
	for (enum service which = SERVICE_SMTP; which < SERVICE_COUNT; which++)
		assert_non_null(service_row(which)->name);
}

/* ---- complaints (attack 156) ---- */

static const struct {
	const char *text;
	const char *complaints[4]; /* how each begins; all of them, in this order */
} wrong[] = {
    {"nonsense 1;", {"stead.conf:1:1: "}},
    {"host_name a.org;\nhost_name b.org;", {"stead.conf:2:1: "}},
    {"smtp {\n  lissten [];\n}", {"stead.conf:2:3: "}},
    {"host_name a.org", {"stead.conf:1:"}},
    {"\n\nlog { level loud; to sky; }", {"stead.conf:3:13: ", "stead.conf:3:22: "}},
    {"port_offset -1;", {"stead.conf:1:13: "}},
    {"addresses [127.0.0.1\n  nowhere\n  ::2];", {"stead.conf:2:3: addresses: \"nowhere\""}},
    {"addresses [a b];", {"stead.conf:1:12: ", "stead.conf:1:14: "}},
    {"addresses [127.0.0.1:25];", {"stead.conf:1:12: "}},
    {"ftp {\n passive_port 65535;\n}", {"stead.conf:1:1: passive_port"}},
    {"\nftp {\n passive_address 1.2.3;\n}", {"stead.conf:3:18: passive_address: \"1.2.3\""}},
    {"addresses [127.0.0.1:1 127.0.0.1:2];", {"stead.conf:1:12: ", "stead.conf:1:24: "}},
    {"addresses [\"[::1]:25\"];", {"stead.conf:1:12: "}},
    {"host_name \"a\\nQUIT\";", {"stead.conf:1:11: host_name: \"a\\x0aQUIT\""}},
    {"domain \"a b\";", {"stead.conf:1:8: domain: \"a b\""}},
    {"domain b\xc3\xbc"
     "cher.example;",
     {"stead.conf:1:8: "}},
};

static void
what_is_wrong_is_told_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		size_t n = 0;

		assert_int_equal(read_text(wrong[i].text).code, ERR_SYNTAX);
		for (; n < COUNT(wrong[i].complaints) && wrong[i].complaints[n]; n++) {
			const char *begins = wrong[i].complaints[n];

			if (n >= faults.n || strncmp(faults.list[n].text, begins, strlen(begins)))
				fail_msg("row %zu: %s, not %s", i,
				         n < faults.n ? faults.list[n].text : "nothing", begins);
		}
		if (faults.n != n)
			fail_msg("row %zu: also %s", i, faults.list[n].text);
	}
}

static void
a_long_text_is_told_in_part(void **state)
{
	char text[400];

	(void)state;
	snprintf(text, sizeof(text), "addresses [\"");
	memset(text + 12, 1, 300);
	snprintf(text + 312, sizeof(text) - 312, "\"];");
	assert_int_equal(read_text(text).code, ERR_SYNTAX);
	assert_int_equal(faults.n, 1);
}

static void
garbage_is_refused_or_read(void **state)
{
	static const char octets[] = "smtp{}[];:\"\\ \n#0129.*abcdlistenportaddresses";
	struct random *random = random_seeded(6);
	char text[200];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		size_t n = (size_t)random_below(random, sizeof(text));

		for (size_t k = 0; k < n; k++)
			text[k] = octets[random_below(random, sizeof(octets) - 1)];
		text[n] = 0;
		if (!is_ok(read_text(text)))
			assert_true(faults.n > 0);
	}
	random_close(random);
}

/* ---- what a role is told ---- */

static void
a_role_is_told_what_the_file_says(void **state)
{
	uint8_t room[4096];
	struct wr w = wr_of(room, sizeof(room));
	struct role_settings r;

	(void)state;
	must_read(
	    "host_name mail.a.org; domain a.org; tls { key k.pem; } log { to file; format json;"
	    "level error; } smtp { message_size 100k; recipients 101; } dns { rate_limit 7; }"
	    "auth { hash_cost 3; plaintext_login [10.0.0.0/8 2001:db8::/32 ::1]; }"
	    "port_offset 5; out { relay b.org:26; port 27; loopback on; }"
	    "ftp { passive_address 192.0.2.9; data_resumes off; }"
	    "resolver { upstream_port 54; clients [10.0.0.0/8]; }");
	settings_pack(&s, 4321, &w);
	assert_true(role_settings_unpack(wr_since(&w, room), &r));
	assert_true(bytes_eq(r.host_name, BYTES("mail.a.org")));
	assert_true(bytes_eq(r.domain, BYTES("a.org")));
	assert_true(bytes_eq(r.tls_key, BYTES("k.pem")));
	assert_int_equal(r.owner_uid, 4321);
	assert_int_equal(r.message_size, 102400);
	assert_int_equal(r.recipients, 101);
	assert_int_equal(r.rate_limit, 7);
	assert_int_equal(r.hash_cost, 3);
	assert_int_equal(r.log_to, LOG_TO_FILE);
	assert_int_equal(r.log_format, LOG_AS_JSON);
	assert_int_equal(r.log_level, 0);
	assert_int_equal(r.plaintext_login.n, 3);
	assert_memory_equal(r.plaintext_login.list, s.auth.plaintext_login.list,
	                    3 * sizeof(r.plaintext_login.list[0]));
	assert_true(bytes_eq(r.out_relay, BYTES("b.org:26")));
	assert_true(bytes_eq(r.passive_address, BYTES("192.0.2.9")));
	assert_int_equal(r.out_port, 27);
	assert_int_equal(r.upstream_port, 54);
	assert_int_equal(r.ftp_data_port, 25);
	assert_true(r.out_loopback);
	assert_false(r.data_resumes);
	assert_int_equal(r.relay.n, 0);
	assert_int_equal(r.clients.n, 1);
	for (size_t n = 0; n < wr_since(&w, room).n; n++) /* cut short, or with more behind it */
		assert_false(role_settings_unpack((struct bytes){room, n}, &r));
	assert_false(role_settings_unpack((struct bytes){room, wr_since(&w, room).n + 1}, &r));
}

static void
the_largest_settings_fit(void **state)
{
	static char text[16384];
	uint8_t room[8192];
	struct wr w = wr_of(room, sizeof(room)), t = wr_of(text, sizeof(text) - 1);
	struct role_settings r;

	(void)state;
	wr_printf(&t,
	          "host_name %0255d; domain %0253d; tls { key %0255d; } auth { plaintext_login [",
	          1, 2, 3);
	for (int i = 0; i < NETS_MAX; i++)
		wr_printf(&t, " 10.0.%d.0/24", i);
	wr_text(&t, " ]; }");
	must_read(text);
	settings_pack(&s, 0, &w);
	assert_false(w.full);
	assert_true(role_settings_unpack(wr_since(&w, room), &r));
	assert_int_equal(r.plaintext_login.n, NETS_MAX);
}

static void
what_was_not_packed_is_not_unpacked(void **state)
{
	struct random *random = random_seeded(8);
	uint8_t good[4096], room[4096];
	struct wr w = wr_of(good, sizeof(good));
	struct role_settings r;
	struct bytes packed;

	(void)state;
	must_read("");
	settings_pack(&s, 0, &w);
	packed = wr_since(&w, good);
	good[packed.n - 1] = 129; /* a network has 128 bits */
	assert_false(role_settings_unpack(packed, &r));
	good[packed.n - 1] = 128;
	for (int i = 0; i < 5000; i++) {
		memcpy(room, good, packed.n);
		room[random_below(random, packed.n)] = (uint8_t)random_u64(random);
		if (!role_settings_unpack((struct bytes){room, packed.n}, &r))
			continue;
		assert_true(r.clients.n <= NETS_MAX);
		for (size_t k = 0; k < r.clients.n; k++)
			assert_true(r.clients.list[k].bits <= 128);
	}
	random_close(random);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_file_works),
	    cmocka_unit_test(each_key_is_read_and_has_its_range),
	    cmocka_unit_test(no_key_is_left_out_here),
	    cmocka_unit_test(services_listen_where_they_are_told),
	    cmocka_unit_test(the_resolver_is_the_machines_own),
	    cmocka_unit_test(passive_ports_are_where_ftp_listens),
	    cmocka_unit_test(roles_have_their_instances),
	    cmocka_unit_test(what_is_wrong_is_told_with_its_place),
	    cmocka_unit_test(a_long_text_is_told_in_part),
	    cmocka_unit_test(garbage_is_refused_or_read),
	    cmocka_unit_test(a_role_is_told_what_the_file_says),
	    cmocka_unit_test(the_largest_settings_fit),
	    cmocka_unit_test(what_was_not_packed_is_not_unpacked),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
