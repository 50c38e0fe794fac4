/*
 * zonefile.c - any text as a master file: errors have a place, records are well formed, and a
 * record's line is the same record.
 */
#include "dns/zonefile.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct state {
	struct bytes whole;
	const struct zonefile_record *want; /* NULL: the outer file is read */
	unsigned records;
};

static uint8_t line[ZONEFILE_TEXT_MAX];

static const char *
compare(void *owner, const struct zonefile_record *rr)
{
	struct state *s = owner;

	assert(bytes_eq(rr->owner, s->want->owner) && bytes_eq(rr->rdata, s->want->rdata));
	assert(rr->type == s->want->type && rr->ttl == s->want->ttl);
	s->records++;
	return NULL;
}

static const char *
take(void *owner, const struct zonefile_record *rr)
{
	struct state *s = owner, inner = {NO_BYTES, rr, 0};
	struct zonefile_reader reader = {&inner, compare, NULL};
	struct wr w = wr_of(line, sizeof(line));
	struct zonefile_error e;
	struct err err;

	assert(dname_ok(rr->owner) && rdata_check(rr->type, rr->rdata) && rr->line);
	if (++s->records > 100)
		return "enough";
	zonefile_write(&w, rr->owner, rr->ttl, rr->class, rr->type, rr->rdata);
	assert(!w.full);
	err = zonefile_parse(&reader, BYTES("line"), wr_since(&w, line), DNAME_ROOT, &e);
	assert(is_ok(err) && inner.records == 1);
	return NULL;
}

/* Each included file is what stands behind the first octet of the whole. */
static bool
include(void *owner, struct bytes name, struct bytes *text)
{
	struct state *s = owner;

	assert(name.n && name.n <= ZONEFILE_NAME_MAX);
	if (!s->whole.n || name.p[0] == '/')
		return false;
	*text = (struct bytes){s->whole.p + 1, s->whole.n - 1};
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct state s = {{data, n}, NULL, 0};
	struct zonefile_reader reader = {&s, take, include};
	struct zonefile_error e = {.text = NULL};
	struct err err = zonefile_parse(&reader, BYTES("zone"), (struct bytes){data, n},
	                                BYTES("\7example\0"), &e);

	assert(is_ok(err) || (err.code == ERR_SYNTAX && e.text && e.line && e.column));
	return 0;
}
