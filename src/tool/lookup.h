/*
 * lookup.h - asks a name server and prints what it says: `stead lookup` and `dig` in the manner of
 * the one, `nslookup` in that of the other.
 */
#ifndef TOOL_LOOKUP_H
#define TOOL_LOOKUP_H

enum lookup_manner { LOOKUP_AS_DIG, LOOKUP_AS_NSLOOKUP };

enum lookup_exit {
	LOOKUP_DONE = 0,      /* there was a reply, whatever it says */
	LOOKUP_USAGE = 1,     /* the words were not understood; as nslookup: nothing was found */
	LOOKUP_FILE = 8,      /* a file could not be read */
	LOOKUP_SILENCE = 9,   /* no server replied */
	LOOKUP_INTERNAL = 10, /* something failed here */
};

/* argv[0] is the command itself, the question follows; gives the exit code. */
int lookup_main(int argc, char **argv, enum lookup_manner manner);

#endif
