/* zone_draft.c - a builder, and a second one where the judge has left zones out. */
#include "serve/zone_draft.h"

#include "base/log.h"
#include "base/text.h"
#include "net/snap.h"
#include "serve/zone_text.h"

#include <stdlib.h>
#include <unistd.h>

enum { LINE_MAX = ZONE_PROBLEM_TEXT_MAX + 1 };

/* ---- telling ---- */

/* Whole lines only, and none behind one that did not fit. */
static void
tell(struct zone_draft *d, bool is_error, struct bytes apex, struct bytes text)
{
	uint8_t name[DNAME_TEXT_MAX], room[LINE_MAX];
	struct wr n = wr_of(name, sizeof(name)), line = wr_of(room, sizeof(room));

	zone_text_name(&n, apex);
	if (is_error)
		log_event(LOG_ERROR, "zone.refused", kv_text("zone", wr_since(&n, name)),
		          kv_text("why", text));
	else
		log_event(LOG_WARN, "zone.warning", kv_text("zone", wr_since(&n, name)),
		          kv_text("what", text));
	if (!d->told)
		return;
	wr_bytes(&line, text);
	wr_u8(&line, '\n');
	wr_bytes(d->told, wr_since(&line, room));
}

static const char *
reason(struct err e)
{
	if (e.code == ERR_EXISTS)
		return "another file is of the same zone";
	if (e.code == ERR_FULL)
		return "all zones together are too large";
	return e.code == ERR_IO && e.sys ? strerror(e.sys) : err_text(e);
}

static void
tell_problem(void *owner, const struct zone_problem *p)
{
	struct zone_draft *d = owner;
	uint8_t room[LINE_MAX];
	struct wr text = wr_of(room, sizeof(room));
	struct dname apex;

	zone_problem_text(p, &text);
	tell(d, p->is_error, p->zone, wr_since(&text, room));
	if (!p->is_error)
		return;
	dname_copy_lower(&apex, p->zone);
	if (map_get(&d->bad, dname_bytes(&apex)))
		return;
	d->refused++;
	(void)!map_put(&d->bad, dname_bytes(&apex), d); /* without memory it is only left out */
}

/* ---- images ---- */

static struct err
builder_again(struct zone_draft *d)
{
	zone_builder_free(d->builder);
	d->builder = zone_builder_new(d->key, ZONE_DRAFT_MEMORY);
	return d->builder ? OK : ERR(ERR_MEMORY, 0, "zones");
}

/* All zones of an image but `other`; a damaged one is left out. */
static struct err
carry_all(struct zone_builder *b, const struct zone_image *img, struct bytes other)
{
	for (uint32_t i = 0; i < img->zones; i++) {
		struct zone_view zone;
		struct zone_node apex;
		struct err e;

		if (zone_image_zone(img, i, &zone) != ZONE_FOUND ||
		    zone_image_node(img, zone.apex, &apex) != ZONE_FOUND || !dname_ok(apex.owner) ||
		    (other.n && dname_eq(apex.owner, other)))
			continue;
		e = zone_builder_carry(b, img, apex.owner);
		if (is_fault(e) || e.code == ERR_FULL)
			return e;
	}
	return OK;
}

static struct err
seal(struct zone_builder *b, uint64_t version, int *fd)
{
	struct snap_draft draft;
	struct wr region;
	size_t n;
	struct err e = zone_builder_size(b, &n);

	if (is_ok(e))
		e = snap_make(&draft, "zones", n);
	if (!is_ok(e))
		return e;
	region = wr_of(draft.p, n);
	zone_builder_build(b, version, &region);
	return snap_seal(&draft, n, fd);
}

/* An image of the good zones, which *fd is, and the served versions of the bad ones replaces it. */
static struct err
mend(struct zone_draft *d, uint64_t version, int *fd)
{
	struct zone_image good;
	struct snap *image;
	struct map_at at = {0};
	struct bytes apex;
	unsigned errors;
	struct err e = snap_map(&image, *fd, ZONE_IMAGE_MAX);

	close(*fd);
	if (!is_ok(e))
		return e;
	e = zone_image_open(&good, snap_bytes(image));
	if (is_ok(e))
		e = builder_again(d);
	if (is_ok(e))
		e = carry_all(d->builder, &good, NO_BYTES);
	while (is_ok(e) && map_next(&d->bad, &at, &apex))
		e = zone_draft_carry(d, apex);
	if (is_ok(e))
		e = zone_builder_check(d->builder, NULL, NULL, &errors);
	if (is_ok(e))
		e = seal(d->builder, version, fd);
	snap_release(image);
	return e;
}

/* ---- public ---- */

struct err
zone_draft_begin(struct zone_draft *d, const uint8_t key[SIPHASH_KEY],
                 const struct zone_image *served, struct wr *told)
{
	*d = (struct zone_draft){.key = key, .served = served, .told = told};
	map_init(&d->bad, key);
	return builder_again(d);
}

void
zone_draft_end(struct zone_draft *d)
{
	zone_builder_free(d->builder);
	d->builder = NULL;
	map_free(&d->bad);
}

void
zone_draft_refuse(struct zone_draft *d, struct bytes apex, struct bytes file, struct err why,
                  const struct zonefile_error *wrong)
{
	uint8_t room[LINE_MAX];
	struct wr text = wr_of(room, sizeof(room));

	text_escape(&text, wrong->text ? bytes_of(wrong->file) : file);
	if (wrong->text)
		wr_printf(&text, ":%u:%u: error: %s", wrong->line, wrong->column, wrong->text);
	else
		wr_printf(&text, ": error: %s", reason(why));
	tell(d, true, apex, wr_since(&text, room));
	d->refused++;
}

struct err
zone_draft_carry(struct zone_draft *d, struct bytes apex)
{
	struct err e = d->served ? zone_builder_carry(d->builder, d->served, apex) : OK;

	return is_fault(e) ? e : OK;
}

struct err
zone_draft_carry_others(struct zone_draft *d, struct bytes apex)
{
	return d->served ? carry_all(d->builder, d->served, apex) : OK;
}

struct err
zone_draft_judge(struct zone_draft *d, unsigned *errors)
{
	return zone_builder_check(d->builder, tell_problem, d, errors);
}

struct err
zone_draft_seal(struct zone_draft *d, uint64_t version, int *fd)
{
	unsigned errors;
	struct err e = zone_draft_judge(d, &errors);

	if (is_ok(e))
		e = seal(d->builder, version, fd);
	if (is_ok(e) && d->served && map_count(&d->bad))
		e = mend(d, version, fd);
	return e;
}
