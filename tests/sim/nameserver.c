/* nameserver.c - zones to an image, as `zone` makes it, and `dns` that serves it. */
#include "nameserver.h"

#include "net/snap.h"
#include "serve/zone_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
add_zone(struct nameserver *n, struct zone_builder *b, const struct nameserver_zone *z)
{
	struct zonefile_error wrong = {0};
	struct dname apex;
	struct err e;

	assert_true(zone_text_apex(&apex, bytes_of(z->apex)));
	e = zone_text_add(b, dname_bytes(&apex), bytes_of(z->apex), bytes_of(z->text), NULL, -1,
	                  &wrong);
	if (!is_ok(e))
		scene_broken(n->scene, "the zone %s, line %u: %s", z->apex, (unsigned)wrong.line,
		             wrong.text ? wrong.text : e.why);
}

static void
load(struct nameserver *n)
{
	static const uint8_t key[SIPHASH_KEY] = "names of zones";
	struct zone_builder *b = zone_builder_new(key, 0);
	struct snap_draft draft;
	unsigned errors;
	struct wr w;
	size_t size;
	int fd;

	assert_non_null(b);
	for (size_t i = 0; i < NAMESERVER_ZONES && n->zones[i].apex; i++)
		add_zone(n, b, &n->zones[i]);
	assert_true(is_ok(zone_builder_check(b, NULL, NULL, &errors)));
	assert_int_equal(errors, 0);
	assert_true(is_ok(zone_builder_size(b, &size)));
	assert_true(is_ok(snap_make(&draft, "zones", size)));
	w = wr_of(draft.p, size);
	zone_builder_build(b, ++n->version, &w);
	assert_false(w.full);
	assert_true(is_ok(snap_seal(&draft, size, &fd)));
	zone_builder_free(b);
	assert_true(is_ok(names_image(n->names, fd)));
	close(fd);
}

static void
come(void *owner)
{
	struct nameserver *n = owner;
	struct loop *loop = n->scene->loop;
	int fd;

	assert_true(is_ok(names_open(&n->names, 0, loop, n->scene->random)));
	load(n);
	assert_true(is_ok(loop_listen(loop, &n->at, LOOP_DATAGRAM, false, &fd)));
	assert_true(is_ok(names_udp(n->names, fd)));
	assert_true(is_ok(loop_listen(loop, &n->at, LOOP_STREAM, false, &fd)));
	assert_true(is_ok(names_tcp(n->names, fd)));
}

void
nameserver_open(struct nameserver *n, struct scene *scene, const char *ip, const char *apex,
                const char *text)
{
	*n = (struct nameserver){.scene = scene, .at = scene_addr(ip, 53), .zones = {{apex, text}}};
	come(n);
}

void
nameserver_close(struct nameserver *n)
{
	loop_timer_stop(n->scene->loop, &n->revive);
	names_close(n->names);
	n->names = NULL;
}

void
nameserver_change(struct nameserver *n, const char *text)
{
	n->zones[0].text = text;
	if (n->names)
		load(n);
}

void
nameserver_crash(struct nameserver *n, uint64_t back_ms)
{
	if (!n->names)
		return;
	scene_incident(n->scene);
	names_close(n->names);
	n->names = NULL;
	loop_timer_set(n->scene->loop, &n->revive, back_ms, come, n);
}
