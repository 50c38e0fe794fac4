/* out.c - the role that speaks with other mail servers over connections from dial; nothing is sent out yet. */
#include "role/resting.h"

const struct role_body role_out = {
    .cage = {.name = "out",
             .promises = CAGE_STDIO | CAGE_TALK,
             .files = 128,
             .file_size = ROLE_FILE_SIZE},
    .open = resting_open,
};
