/* lookup.c - reads the question, asks, shows. */
#include "tool/lookup.h"

#include <stdlib.h>

#include "base/random.h"
#include "tool/lookup_show.h"
#include "tool/lookup_trace.h"

static enum lookup_exit
as_dig(const struct lookup_ask *ask, const struct lookup_servers *servers, struct random *random,
       struct lookup_reply *reply)
{
	enum lookup_exit code = lookup_net_ask(ask, servers, random, reply, stdout);
	bool good;

	if (code != LOOKUP_DONE)
		return code;
	good = ask->brief ? lookup_show_brief(reply, stdout) : lookup_show_dig(ask, reply, stdout);
	return good ? LOOKUP_DONE : LOOKUP_INTERNAL;
}

static enum lookup_exit
as_nslookup(struct lookup_ask *ask, const struct lookup_servers *servers, struct random *random,
            struct lookup_reply *reply)
{
	enum lookup_exit code = lookup_net_ask(ask, servers, random, reply, stdout);
	enum lookup_found found;

	if (code != LOOKUP_DONE)
		return LOOKUP_USAGE;
	if (!ask->reverse)
		lookup_show_server(reply->server, stdout);
	found = lookup_show_nslookup(ask, reply, false, stdout);
	if (ask->both && found < LOOKUP_NO_NAME) {
		ask->type = DNS_TYPE_AAAA;
		code = lookup_net_ask(ask, servers, random, reply, stdout);
		/* an alias alone, or nothing, is said once: of the one type or the other */
		if (code == LOOKUP_DONE && lookup_show_nslookup(ask, reply, found == LOOKUP_RECORDS,
		                                                stdout) == LOOKUP_RECORDS)
			found = LOOKUP_RECORDS;
	}
	if (found != LOOKUP_RECORDS)
		lookup_show_missing(ask, reply, stdout);
	fputs("\n", stdout);
	return found < LOOKUP_NO_NAME ? LOOKUP_DONE : LOOKUP_USAGE;
}

int
lookup_main(int argc, char **argv, enum lookup_manner manner)
{
	struct lookup_ask ask;
	struct lookup_servers servers;
	struct lookup_reply *reply;
	struct random *random;
	enum lookup_exit code = LOOKUP_INTERNAL;

	switch (lookup_ask_read(&ask, argc, argv, manner, stderr)) {
	case LOOKUP_HELP:
		lookup_ask_help(stdout, manner);
		return LOOKUP_DONE;
	case LOOKUP_WRONG:
		return LOOKUP_USAGE;
	case LOOKUP_ASKED:
		break;
	}
	code = ask.trace ? LOOKUP_DONE : lookup_net_servers(&ask, &servers, stderr);
	if (code != LOOKUP_DONE)
		return manner == LOOKUP_AS_NSLOOKUP ? LOOKUP_USAGE : (int)code;
	reply = malloc(sizeof(*reply));
	random = random_open();
	if (!reply || !random) {
		fprintf(stderr, "lookup: no memory\n");
		code = LOOKUP_INTERNAL;
	} else if (ask.trace) {
		code = lookup_trace(&ask, random, stdout, stderr);
	} else if (manner == LOOKUP_AS_DIG) {
		lookup_show_begin(&ask, servers.n, argc, argv, stdout);
		code = as_dig(&ask, &servers, random, reply);
	} else {
		code = as_nslookup(&ask, &servers, random, reply);
	}
	random_close(random);
	free(reply);
	if (fflush(stdout) || ferror(stdout))
		code = LOOKUP_INTERNAL;
	return (int)code;
}
