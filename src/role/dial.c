/* dial.c - the role that connects out for a stated purpose, and hands back the descriptor; no role asks it yet. */
#include "role/resting.h"

const struct role_body role_dial = {
    .cage = {.name = "dial",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_TCP_OPEN | CAGE_UDP_OPEN,
             .files = 128,
             .file_size = ROLE_FILE_SIZE},
    .open = resting_open,
};
