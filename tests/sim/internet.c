/* internet.c - see internet.h */
#include "internet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { ROOT, EDU, YCP, FAKEPLACE };

static const char hints[] = ". 3600000 NS a.root-servers.net.\n"
			    "a.root-servers.net. 3600000 A 198.51.100.1\n";

static const char root_zone[] = "$TTL 86400\n"
				"@ SOA a.root-servers.net. nstld.example. 1 1800 900 604800 300\n"
				"@ NS a.root-servers.net.\n"
				"a.root-servers.net. A 198.51.100.1\n"
				"edu. NS ns.edu.\n"
				"ns.edu. A 198.51.100.2\n";

static const char edu_zone[] = "$TTL 3600\n"
			       "@ SOA ns hostmaster 1 1800 900 604800 300\n"
			       "@ NS ns\n"
			       "ns A 198.51.100.2\n"
			       "ycp NS ns.ycp\n"
			       "ns.ycp A 192.0.2.53\n"
			       "fakeplace NS ns.fakeplace\n"
			       "ns.fakeplace A 203.0.113.53\n";

static const char ycp_zone[] = "$TTL 3600\n"
			       "@ SOA ns hostmaster %u 1800 900 604800 300\n"
			       "@ NS ns\n"
			       "ns A 192.0.2.53\n"
			       "@ MX 10 mail\n"
			       "mail A 192.0.2.1\n"
			       "www 300 A 192.0.2.11\nwww 300 A 192.0.2.12\n"
			       "www 300 A 192.0.2.13\nwww 300 A 192.0.2.14\n"
			       "www 300 A 192.0.2.15\nwww 300 A 192.0.2.16\n"
			       "web CNAME www\n"
			       "far CNAME host.fakeplace.edu.\n"
			       "moving %u A 192.0.2.%u\n";

static const char fakeplace_zone[] = "$TTL 600\n"
				     "@ SOA ns hostmaster 1 1800 900 604800 300\n"
				     "@ NS ns\n"
				     "ns A 203.0.113.53\n"
				     "@ MX 10 mail\n"
				     "@ MX 20 gone\n"
				     "mail A 203.0.113.1\n"
				     "gone A 203.0.113.2\n" /* nobody listens there */
				     "host A 203.0.113.7\n";

static const struct site_conf ycp = {
    .host = "mail.ycp.edu",
    .domain = "ycp.edu",
    .ip = "192.0.2.1",
    .parts = SITE_SMTP | SITE_SUBMISSION | SITE_QUEUE | SITE_FTP,
    .people = {{"alice@ycp.edu", "in wonderland"}},
    .hints = hints,
};

static const struct site_conf fakeplace = {
    .host = "mail.fakeplace.edu",
    .domain = "fakeplace.edu",
    .ip = "203.0.113.1",
    .parts = SITE_SMTP | SITE_POP3 | SITE_IMAP,
    .people = {{"bob@fakeplace.edu", "of-bob"}, {"carol@fakeplace.edu", "of-carol"}},
};

void
internet_people(struct internet *net, struct ledger_person people[INTERNET_PEOPLE])
{
	const struct ledger_person all[INTERNET_PEOPLE] = {
	    [ALICE] = {.address = "alice@ycp.edu", .site = &net->ycp},
	    [BOB] = {.address = "bob@fakeplace.edu",
	             .site = &net->fakeplace,
	             .relayed = true,
	             .moves = true},
	    [CAROL] = {.address = "carol@fakeplace.edu",
	               .site = &net->fakeplace,
	               .number = 1,
	               .relayed = true},
	    [NOBODY] = {.address = "nobody@fakeplace.edu"},
	    [NOWHERE] = {.address = "somebody@nowhere.edu"},
	};

	memcpy(people, all, sizeof(all));
}

/* ---- what happens to it ---- */

static void
write_zone(struct internet *net)
{
	snprintf(net->zone, sizeof(net->zone), ycp_zone, (unsigned)net->moves + 1,
	         (unsigned)INTERNET_MOVING_TTL, 100 + (unsigned)net->moves);
}

void
internet_move(struct internet *net)
{
	if (net->moves + 1 == INTERNET_MOVES)
		return;
	net->moved_ms[++net->moves] = loop_now_ms(net->scene.loop);
	write_zone(net);
	nameserver_change(&net->servers[YCP], net->zone);
}

void
internet_crash(struct internet *net, uint64_t back_ms)
{
	static const enum role roles[] = {ROLE_BOX, ROLE_SMTP, ROLE_MAIL,    ROLE_QUEUE,
	                                  ROLE_OUT, ROLE_DIAL, ROLE_RESOLVE, ROLE_FTP};
	unsigned what = scene_chance(&net->scene, INTERNET_NAMESERVERS + 2 * COUNT(roles));

	if (what < INTERNET_NAMESERVERS) {
		nameserver_crash(&net->servers[what], back_ms);
		return;
	}
	what -= INTERNET_NAMESERVERS;
	site_crash(what & 1 ? &net->ycp : &net->fakeplace, roles[what / 2], back_ms);
}

void
internet_away(struct internet *net, uint64_t back_ms)
{
	site_crash(&net->fakeplace, ROLE_SMTP, back_ms);
	site_crash(&net->fakeplace, ROLE_MAIL, back_ms);
	site_crash(&net->fakeplace, ROLE_BOX, back_ms);
	if (scene_chance(&net->scene, 2))
		nameserver_crash(&net->servers[FAKEPLACE], back_ms);
}

void
internet_mend(struct internet *net)
{
	const struct sim_weather fine = {.delay_min_ms = 1, .delay_max_ms = 20};

	scene_weather(&net->scene, &fine);
	net->scene.mended = true;
	site_mend(&net->ycp);
	site_mend(&net->fakeplace);
}

bool
internet_is_whole(const struct internet *net)
{
	for (size_t i = 0; i < INTERNET_NAMESERVERS; i++)
		if (!net->servers[i].names)
			return false;
	return site_is_whole(&net->ycp) && site_is_whole(&net->fakeplace);
}

/* ---- beginning and end ---- */

void
internet_open(struct internet *net, uint64_t seed)
{
	struct site_conf conf = ycp;

	*net = (struct internet){.moves = 0};
	scene_open(&net->scene, seed);
	write_zone(net);
	nameserver_open(&net->servers[ROOT], &net->scene, "198.51.100.1", ".", root_zone);
	nameserver_open(&net->servers[EDU], &net->scene, "198.51.100.2", "edu", edu_zone);
	nameserver_open(&net->servers[YCP], &net->scene, "192.0.2.53", "ycp.edu", net->zone);
	nameserver_open(&net->servers[FAKEPLACE], &net->scene, "203.0.113.53", "fakeplace.edu",
	                fakeplace_zone);
	conf.hashes = seed % 16 == 3;
	conf.on_disk = seed % 8 == 4;
	site_open(&net->ycp, &net->scene, &conf);
	conf = fakeplace;
	conf.hashes = seed % 16 == 3;
	conf.on_disk = seed % 8 == 6;
	site_open(&net->fakeplace, &net->scene, &conf);
}

void
internet_close(struct internet *net)
{
	site_close(&net->ycp);
	site_close(&net->fakeplace);
	for (size_t i = 0; i < INTERNET_NAMESERVERS; i++)
		nameserver_close(&net->servers[i]);
	scene_close(&net->scene);
}
