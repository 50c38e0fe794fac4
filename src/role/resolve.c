/* resolve.c - the role that asks the Internet's name servers; it has no listener yet. */
#include "role/resting.h"

const struct role_body role_resolve = {
    .cage = {.name = "resolve",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_UDP_OPEN | CAGE_TCP_OPEN,
             .files = 128,
             .file_size = ROLE_FILE_SIZE},
    .open = resting_open,
};
