/* roles.c - the rows of role.h by number. */
#include "role/role.h"

static const struct role_body *const bodies[ROLE_COUNT] = {
    [ROLE_LOG] = &role_log,         [ROLE_KEYS] = &role_keys,   [ROLE_AUTH] = &role_auth,
    [ROLE_BOX] = &role_box,         [ROLE_QUEUE] = &role_queue, [ROLE_CTL] = &role_ctl,
    [ROLE_DIAL] = &role_dial,       [ROLE_SMTP] = &role_smtp,   [ROLE_MAIL] = &role_mail,
    [ROLE_OUT] = &role_out,         [ROLE_DNS] = &role_dns,     [ROLE_ZONE] = &role_zone,
    [ROLE_RESOLVE] = &role_resolve, [ROLE_FTP] = &role_ftp,
};

const struct role_body *
role_body(enum role role)
{
	return bodies[role];
}
