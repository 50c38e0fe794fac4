/*
 * senders.h - who may send as whom: an address belongs to an account when mail for it comes to that
 * account, itself or by an alias (attack 52).
 */
#ifndef SERVE_SENDERS_H
#define SERVE_SENDERS_H

#include "directory/image.h"
#include "proto/smtp.h"
#include "proto/smtp_fields.h"

/* The envelope's: SMTP_OK, SMTP_ALIEN, or SMTP_TEMP where the directory cannot tell. */
enum smtp_answer senders_envelope(const struct directory *, struct bytes address, uint64_t account);
/* All of a From whose header has ended: SMTP_OK, SMTP_FORGED, SMTP_NO_FROM or SMTP_TEMP. */
enum smtp_answer senders_from(const struct directory *, const struct smtp_fields *,
                              uint64_t account);

#endif
