/*
 * smtp_params.h - what stands behind the path of MAIL and RCPT (RFC 5321 4.1.2 esmtp-param).
 */
#ifndef PROTO_SMTP_PARAMS_H
#define PROTO_SMTP_PARAMS_H

#include "base/bytes.h"

/* What is offered here. */
struct smtp_offer {
	uint64_t size_max; /* 0 is no limit */
	bool auth;         /* AUTH= is taken (RFC 4954 5) */
};

struct smtp_params {
	uint64_t size; /* SIZE= (RFC 1870), 0 when it was not given */
};

/*
 * Reads all that is left of the command.  NULL, or the reply that refuses it: 501 for what is
 * wrong or comes twice, 555 for what was not offered (attack 44), 552 for a size above size_max.
 */
const char *smtp_params_mail(struct rd *in, const struct smtp_offer *, struct smtp_params *);
/* RCPT: nothing is offered yet. */
const char *smtp_params_rcpt(struct rd *in);

#endif
