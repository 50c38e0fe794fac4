/* ftp.c - the front that serves files. */
#include "role/resting.h"

const struct role_body role_ftp = {
    .cage = {.name = "ftp",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_ACCEPT,
             .files = 16384,
             .file_size = ROLE_FILE_SIZE},
    .open = resting_open,
};
