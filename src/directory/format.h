/*
 * format.h - the bytes of an image, which builder.c writes and image.c reads; numbers are in
 * network order.
 *
 * Header: magic, format u32, u32 0, version u64, size u64, slots u64, SipHash key, u64 0.
 *
 * Slots: u64 each, 0 or the hash's highest 16 bits before 48 bits of an entry's offset.
 *
 * Entries: kind u8, flags u32, key with its length in 16 bits, and then
 *	of an account: id u64
 *	of a list: count u32, and for each target u8 0, id u64, flags u32, or u8 1 and an address
 *	with its length in 16 bits
 *	of a domain, and of what is broken: nothing
 *
 * 1. slots is a power of two and at least twice the number of entries.
 * 2. An entry is in the first free slot from hash & (slots - 1) on, round the end.
 * 3. Keys are in lower case: "local@domain", "@domain" for the catch-all, "domain", and
 *    "postmaster@" for postmaster without a domain.
 */
#ifndef DIRECTORY_FORMAT_H
#define DIRECTORY_FORMAT_H

#include "directory/image.h"

#define FORMAT_MAGIC   BYTES("STEADDIR")
#define FORMAT_OFFSETS ((UINT64_C(1) << 48) - 1)

enum {
	FORMAT_VERSION = 1,
	FORMAT_HEADER = 64,
	FORMAT_SLOT = 8,
	FORMAT_KEY_MAX = DIRECTORY_ADDRESS_MAX,
};

enum format_kind { FORMAT_DOMAIN = 1, FORMAT_ACCOUNT, FORMAT_LIST, FORMAT_BROKEN };

#endif
