/*
 * imap_args.h - what stands behind each command's name, made into struct imap_command.  Only imap*.c
 * include this.
 */
#ifndef PROTO_IMAP_ARGS_H
#define PROTO_IMAP_ARGS_H

#include "proto/imap_parse.h"

/*
 * `in` is behind the command's name.  Answers: ERR_SYNTAX; ERR_RANGE too many or too deep;
 * ERR_NOTFOUND a charset that we do not know; ERR_FULL the arena's cap.  A parser that only marks
 * in->bad answers OK: the caller looks at both.
 */
typedef struct err imap_args_fn(struct imap_command *, struct rd *in, struct arena *);

imap_args_fn imap_args_none, imap_args_id, imap_args_login, imap_args_authenticate,
    imap_args_enable, imap_args_mailbox, imap_args_create, imap_args_rename, imap_args_list,
    imap_args_status, imap_args_append, imap_args_search, imap_args_fetch, imap_args_store,
    imap_args_copy, imap_args_expunge;

#endif
