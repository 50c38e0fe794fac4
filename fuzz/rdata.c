/*
 * rdata.c - any octets as data of any type and as a name: text brings back the same octets, and any
 * text that is taken makes data of its type's form.  The first two octets are the type.
 */
#include "dns/rdata.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint8_t text[RDATA_TEXT_MAX], wire[RDATA_MAX];

static void
there_and_back(uint16_t type, struct bytes b)
{
	struct wr t = wr_of(text, sizeof(text)), w = wr_of(wire, sizeof(wire));
	struct rdata_walk walk = {type, 0, b};
	struct rdata_part part;
	size_t sum = 0;
	struct lex l;
	bool good;

	while (rdata_next(&walk, &part)) {
		assert(!part.is_name || dname_ok(part.bytes));
		sum += part.bytes.n;
	}
	assert(sum == b.n);
	rdata_to_text(type, b, &t);
	assert(!t.full);
	for (const uint8_t *p = text; p < t.p; p++)
		assert(*p >= ' ' && *p <= '~');
	l = lex_of_words(wr_since(&t, text));
	good = rdata_from_text(type, &l, NO_BYTES, &w);
	assert(good == rdata_check(type, b));
	if (good)
		assert(bytes_eq(wr_since(&w, wire), b));
}

static void
name_there_and_back(struct bytes b)
{
	struct wr t = wr_of(text, sizeof(text));
	struct dname d;
	const char *wrong;

	if (dname_ok(b)) {
		dname_to_text(&t, b);
		wrong = dname_parse_text(&d, wr_since(&t, text), NO_BYTES);
		assert(!wrong && bytes_eq(dname_bytes(&d), b));
		assert(dname_cmp(dname_bytes(&d), b) == 0 && dname_is_below(b, dname_parent(b)));
	}
	if (!dname_parse_text(&d, b, BYTES("\1z\0")))
		assert(dname_ok(dname_bytes(&d)) && d.labels == dname_labels(dname_bytes(&d)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rd r = {data, data + n, false};
	struct wr w = wr_of(wire, sizeof(wire));
	uint16_t type = rd_u16(&r);
	struct bytes rest = rd_rest(&r);
	struct lex l;

	if (r.bad || rest.n > RDATA_MAX)
		return 0;
	name_there_and_back(rest);
	there_and_back(type, rest);
	l = lex_of_words(rest);
	if (rdata_from_text(type, &l, BYTES("\1z\0"), &w))
		assert(rdata_check(type, wr_since(&w, wire)));
	return 0;
}
