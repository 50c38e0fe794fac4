/*
 * internet.h - name servers from the root down, a resolver, and two sites: ycp.edu, where Alice
 * writes, and fakeplace.edu, where Bob and Carol read.
 */
#ifndef SIM_INTERNET_H
#define SIM_INTERNET_H

#include "ledger.h"
#include "nameserver.h"

enum { INTERNET_NAMESERVERS = 4, INTERNET_MOVES = 8, INTERNET_MOVING_TTL = 60 };

/* The ledger's people; the last two are nobody. */
enum internet_person { ALICE, BOB, CAROL, NOBODY, NOWHERE, INTERNET_PEOPLE };

struct internet {
	struct scene scene;
	struct site ycp, fakeplace;
	struct nameserver servers[INTERNET_NAMESERVERS]; /* the root's, edu's, and the sites' */
	char zone[2048];                                 /* of ycp.edu, as it reads now */
	uint64_t moved_ms[INTERNET_MOVES];               /* when moving.ycp.edu got its address n */
	size_t moves;
};

void internet_open(struct internet *, uint64_t seed);
void internet_close(struct internet *);
void internet_people(struct internet *, struct ledger_person[INTERNET_PEOPLE]);
/* moving.ycp.edu gets its next address, 192.0.2.100 + how often it moved. */
void internet_move(struct internet *);
/* A role or a name server, that the dice tell, dies for so long. */
void internet_crash(struct internet *, uint64_t back_ms);
/* All that fakeplace.edu has is away. */
void internet_away(struct internet *, uint64_t back_ms);
/* Nothing is broken from now on; what is away comes back in its time. */
void internet_mend(struct internet *);
bool internet_is_whole(const struct internet *);

#endif
