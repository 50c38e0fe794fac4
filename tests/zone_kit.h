/*
 * zone_kit.h - for tests of src/zone: zones in text to an image, questions in text to packets,
 * answers to text.
 */
#ifndef TESTS_ZONE_KIT_H
#define TESTS_ZONE_KIT_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "dns/writer.h"
#include "zone/answer.h"
#include "zone/builder.h"

static const uint8_t kit_key[SIPHASH_KEY] = "sixteen octets.";

struct kit {
	uint8_t *region;
	size_t n;
	struct zone_image img;
};

static inline struct bytes
kit_name(struct dname *room, const char *text)
{
	assert(!dname_parse_text(room, bytes_of(text), DNAME_ROOT));
	return dname_bytes(room);
}

static const char *
kit_record(void *builder, const struct zonefile_record *r)
{
	return is_ok(zone_builder_add(builder, r)) ? NULL : "cannot be added";
}

/* Reads a zone into the builder; its text must be good. */
static inline void
kit_add(struct zone_builder *b, const char *apex, const char *text)
{
	struct zonefile_reader reader = {.owner = b, .record = kit_record};
	struct zonefile_error wrong;
	struct dname room;
	struct bytes name = kit_name(&room, apex);
	struct err e = zone_builder_zone(b, name);

	assert(is_ok(e));
	e = zonefile_parse(&reader, BYTES("zone"), bytes_of(text), name, &wrong);
	if (!is_ok(e))
		printf("%s: %u:%u: %s\n", apex, wrong.line, wrong.column, wrong.text);
	assert(is_ok(e));
}

/* Lays out what the builder has and frees it. */
static inline struct kit
kit_seal(struct zone_builder *b, uint64_t version)
{
	struct kit k = {0};
	struct wr w;
	unsigned errors;
	struct err e = zone_builder_check(b, NULL, NULL, &errors);

	assert(is_ok(e));
	e = zone_builder_size(b, &k.n);
	assert(is_ok(e));
	k.region = malloc(k.n);
	assert(k.region);
	w = wr_of(k.region, k.n);
	zone_builder_build(b, version, &w);
	zone_builder_free(b);
	e = zone_image_open(&k.img, (struct bytes){k.region, k.n});
	assert(is_ok(e));
	return k;
}

static inline void
kit_free(struct kit *k)
{
	free(k->region);
}

enum { KIT_TCP = 1, KIT_DO = 2, KIT_RD = 4 };

#endif
