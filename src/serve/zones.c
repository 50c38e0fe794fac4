/*
 * zones.c - zone files to one image, whole at each change.
 *
 * What is served is the image, the files are where it came from.  A load reads every file into a
 * new builder; an import puts one new zone beside those of the image that is served.  Either way the
 * old image stays until the new one is sealed, and an imported text is durable in its file before
 * anybody is told of it.
 */
#include "serve/zones.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/map.h"
#include "base/random.h"
#include "net/snap.h"
#include "serve/zone_draft.h"
#include "serve/zone_text.h"
#include "talk/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Where the text of a zone is. */
struct source {
	struct bytes apex; /* lower case */
	char *file;        /* in the folder; NULL: the configuration's ... */
	int fd;            /* ... which is this; else -1 */
};

struct row {
	struct bytes name;
	uint32_t serial, records;
};

struct zones {
	struct zones_conf conf;
	uint8_t key[SIPHASH_KEY];
	struct map sources; /* by apex */
	struct snap *image; /* NULL: nothing is served yet */
	struct zone_image view;
	int fd;           /* of the image */
	struct row *rows; /* of what is served, in order; NULL: not made yet */
	size_t n_rows;
	struct arena names; /* of the rows */
	uint64_t loads, imports, refused;
};

/* ---- sources ---- */

static void
source_free(struct source *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s->file);
	free(s);
}

/* file: of the folder, or NULL with the descriptor, which is copied.  NULL: no memory. */
static struct source *
source_new(struct bytes apex, const char *file, int fd)
{
	struct source *s = calloc(1, sizeof(*s) + apex.n);
	uint8_t *name = (uint8_t *)(s + 1);

	if (!s)
		return NULL;
	memcpy(name, apex.p, apex.n);
	s->apex = (struct bytes){name, apex.n};
	s->fd = file ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	s->file = file ? strdup(file) : NULL;
	if (s->file || s->fd >= 0)
		return s;
	source_free(s);
	return NULL;
}

static void
sources_free(struct map *sources)
{
	struct map_at at = {0};
	struct source *s;

	while ((s = map_next(sources, &at, NULL)))
		source_free(s);
	map_free(sources);
}

static struct err
read_source(struct zones *z, const struct source *s, uint8_t **text, size_t *n)
{
	int fd = s->fd;
	struct err e = OK;

	if (s->file) /* a pipe in the folder must not stop us */
		e = disk_open(z->conf.disk, z->conf.folder, s->file, O_RDONLY | O_NONBLOCK, &fd);
	if (is_ok(e))
		e = zone_text_read(z->conf.disk, fd, text, n);
	if (s->file)
		disk_close(z->conf.disk, fd);
	return e;
}

/* ---- publishing ---- */

static uint64_t
next_version(const struct zones *z)
{
	uint64_t now = loop_wall_ns(z->conf.loop);

	return z->image && now <= z->view.version ? z->view.version + 1 : now;
}

static const struct zone_image *
served(const struct zones *z)
{
	return z->image ? &z->view : NULL;
}

/* fd is taken over. */
static struct err
publish(struct zones *z, int fd)
{
	struct talk_zone_image word;
	struct zone_image view;
	struct snap *image = NULL;
	struct err e = snap_map(&image, fd, ZONE_IMAGE_MAX);

	if (is_ok(e))
		e = zone_image_open(&view, snap_bytes(image));
	if (!is_ok(e)) {
		snap_release(image);
		close(fd);
		return e;
	}
	snap_swap(&z->image, image);
	if (z->fd >= 0)
		close(z->fd);
	z->fd = fd;
	z->view = view;
	free(z->rows);
	z->rows = NULL;
	arena_free(&z->names);
	word.version = view.version;
	if (z->conf.peers)
		peers_say_all(z->conf.peers, ROLE_DNS, talk_zone_image_out(&word), fd);
	return OK;
}

/* ---- loading ---- */

struct load {
	struct zones *zones;
	struct zone_draft draft;
	struct map sources;
};

/* Reads one text into the draft; a text that is refused is no error here. */
static struct err
load_text(struct load *l, const struct source *s, struct bytes file)
{
	struct zones *z = l->zones;
	struct zonefile_error wrong = {.text = NULL};
	uint8_t *text = NULL;
	size_t n = 0;
	struct err e = read_source(z, s, &text, &n);

	if (is_ok(e))
		e = zone_text_add(l->draft.builder, s->apex, file, (struct bytes){text, n},
		                  z->conf.disk, s->file ? z->conf.folder : -1, &wrong);
	free(text);
	if (is_ok(e) || e.code == ERR_MEMORY)
		return e;
	zone_draft_refuse(&l->draft, s->apex, file, e, &wrong);
	return zone_draft_carry(&l->draft, s->apex);
}

/* Takes the source over; the first of two of one zone counts. */
static struct err
load_source(struct load *l, struct source *s)
{
	static const struct zonefile_error no_place;
	uint8_t room[DNAME_TEXT_MAX];
	struct wr name = wr_of(room, sizeof(room));

	if (!s)
		return ERR(ERR_MEMORY, 0, "zones");
	if (s->file)
		wr_text(&name, s->file);
	else
		zone_text_name(&name, s->apex);
	if (map_get(&l->sources, s->apex)) {
		zone_draft_refuse(&l->draft, s->apex, wr_since(&name, room),
		                  ERR(ERR_EXISTS, 0, "zones"), &no_place);
		source_free(s);
		return OK;
	}
	if (!map_put(&l->sources, s->apex, s)) {
		source_free(s);
		return ERR(ERR_MEMORY, 0, "zones");
	}
	return load_text(l, s, wr_since(&name, room));
}

struct listing {
	char **names;
	size_t n, room;
	bool failed;
};

static void
list_one(void *owner, const char *file)
{
	struct listing *l = owner;
	struct dname apex;

	if (l->failed || !zone_text_is_file(&apex, file))
		return;
	if (l->n == l->room) {
		size_t more = l->room ? 2 * l->room : 16;
		char **grown = realloc(l->names, more * sizeof(*grown));

		l->failed = !grown;
		if (!grown)
			return;
		l->names = grown;
		l->room = more;
	}
	l->names[l->n] = strdup(file);
	l->failed = !l->names[l->n];
	l->n += !l->failed;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the order of names, so that each load of the same folder says the same. */
static struct err
load_folder(struct load *l)
{
	struct listing files = {0};
	struct err e = disk_list(l->zones->conf.disk, l->zones->conf.folder, list_one, &files);

	if (is_ok(e) && files.failed)
		e = ERR(ERR_MEMORY, 0, "zones");
	if (files.n)
		qsort(files.names, files.n, sizeof(*files.names), by_name);
	for (size_t i = 0; i < files.n; i++) {
		struct dname apex;

		if (is_ok(e) && zone_text_is_file(&apex, files.names[i]))
			e = load_source(l, source_new(dname_bytes(&apex), files.names[i], -1));
		free(files.names[i]);
	}
	free(files.names);
	return e;
}

static struct err
load_given(struct load *l, const struct zones_file *files, size_t n)
{
	struct err e = OK;
	struct dname apex;

	for (size_t i = 0; is_ok(e) && i < n; i++) {
		if (zone_text_apex(&apex, bytes_of(files[i].name))) {
			e = load_source(l, source_new(dname_bytes(&apex), NULL, files[i].fd));
			continue;
		}
		log_event(LOG_ERROR, "zone.refused", kv_text("zone", bytes_of(files[i].name)),
		          kv_word("why", "no-domain-name"));
		l->draft.refused++;
	}
	return e;
}

struct err
zones_load(struct zones *z, const struct zones_file *files, size_t n, struct wr *told)
{
	struct load l = {.zones = z};
	int fd = -1;
	struct err e = zone_draft_begin(&l.draft, z->key, served(z), told);

	map_init(&l.sources, z->key);
	if (is_ok(e))
		e = load_given(&l, files, n);
	if (is_ok(e))
		e = load_folder(&l);
	if (is_ok(e))
		e = zone_draft_seal(&l.draft, next_version(z), &fd);
	zone_draft_end(&l.draft);
	if (is_ok(e))
		e = publish(z, fd);
	if (!is_ok(e)) {
		sources_free(&l.sources);
		return is_fault(e) ? e : (struct err){ERR_IO, e.sys, e.why};
	}
	sources_free(&z->sources);
	z->sources = l.sources;
	z->loads++;
	z->refused += l.draft.refused;
	log_event(LOG_INFO, "zone.loaded", kv_u64("zones", z->view.zones),
	          kv_u64("refused", l.draft.refused), kv_u64("octets", z->view.all.n));
	return l.draft.refused ? ERR(ERR_SYNTAX, 0, "zone files with errors") : OK;
}

/* ---- import and export ---- */

/* The zone's new text beside all others that are served. */
static struct err
import_draft(struct zones *z, struct zone_draft *d, const struct source *s, struct bytes text)
{
	struct zonefile_error wrong = {.text = NULL};
	unsigned errors = 0;
	struct err e = zone_text_add(d->builder, s->apex, bytes_of(s->file), text, z->conf.disk,
	                             z->conf.folder, &wrong);

	if (!is_ok(e)) {
		if (!is_fault(e))
			zone_draft_refuse(d, s->apex, bytes_of(s->file), e, &wrong);
		return e;
	}
	e = zone_draft_judge(d, &errors);
	if (is_ok(e) && errors)
		e = ERR(ERR_SYNTAX, 0, "a zone with errors");
	return is_ok(e) ? zone_draft_carry_others(d, s->apex) : e;
}

/* Keeps the text, then serves it; fd is taken over. */
static struct err
import_keep(struct zones *z, const struct source *s, struct bytes text, int fd)
{
	struct source *known = map_get(&z->sources, s->apex), *fresh = NULL;
	struct err e;

	if (!known) {
		fresh = source_new(s->apex, s->file, -1);
		if (!fresh || !map_put(&z->sources, fresh->apex, fresh)) {
			source_free(fresh);
			close(fd);
			return ERR(ERR_MEMORY, 0, "zones");
		}
	}
	e = disk_replace(z->conf.disk, z->conf.folder, s->file, text.p, text.n);
	if (is_ok(e))
		return publish(z, fd);
	close(fd);
	if (fresh)
		source_free(map_remove(&z->sources, s->apex));
	return e;
}

static struct err
import(struct zones *z, const struct source *s, int text, struct wr *told)
{
	struct zone_draft d;
	struct snap *held;
	struct err e = snap_map(&held, text, ZONES_IMPORT_MAX);
	int fd = -1;

	if (!is_ok(e))
		return e;
	e = zone_draft_begin(&d, z->key, served(z), told);
	if (is_ok(e))
		e = import_draft(z, &d, s, snap_bytes(held));
	if (is_ok(e))
		e = zone_draft_seal(&d, next_version(z), &fd);
	zone_draft_end(&d);
	if (is_ok(e))
		e = import_keep(z, s, snap_bytes(held), fd);
	snap_release(held);
	return e;
}

struct err
zones_import(struct zones *z, struct bytes name, int text, struct wr *told)
{
	char file[ZONE_TEXT_FILE];
	const struct source *known;
	struct source s = {.fd = -1, .file = file};
	struct dname apex;
	struct err e;

	if (!zone_text_apex(&apex, name) || !zone_text_file(file, dname_bytes(&apex))) {
		wr_text(told, "not the name of a zone\n");
		return ERR(ERR_SYNTAX, 0, "a zone's name");
	}
	s.apex = dname_bytes(&apex);
	known = map_get(&z->sources, s.apex);
	if (known && !known->file) {
		wr_text(told, "the configuration names the file of this zone: change that one, "
		              "then reload\n");
		return ERR(ERR_DENIED, 0, "a zone of the configuration");
	}
	if (known)
		s.file = known->file;
	e = import(z, &s, text, told);
	if (is_ok(e)) {
		z->imports++;
		log_event(LOG_INFO, "zone.import", kv_text("zone", name));
	} else if (is_fault(e)) {
		log_event(LOG_ERROR, "zone.import_failed", kv_text("zone", name), kv_err(e));
	}
	return e;
}

struct err
zones_export(struct zones *z, struct bytes name, int *fd)
{
	const struct source *s;
	struct dname apex;
	uint8_t *text = NULL;
	size_t n = 0;
	struct err e;

	if (!zone_text_apex(&apex, name))
		return ERR(ERR_SYNTAX, 0, "a zone's name");
	s = map_get(&z->sources, dname_bytes(&apex));
	if (!s)
		return ERR(ERR_NOTFOUND, 0, "no such zone");
	e = read_source(z, s, &text, &n);
	if (is_ok(e) && !n)
		e = ERR(ERR_NOTFOUND, 0, "the zone's file is empty");
	if (is_ok(e))
		e = snap_copy("zone", (struct bytes){text, n}, fd);
	free(text);
	return e;
}

/* ---- the list ---- */

static int
by_row_name(const void *a, const void *b)
{
	return bytes_cmp(((const struct row *)a)->name, ((const struct row *)b)->name);
}

static struct err
make_rows(struct zones *z)
{
	uint8_t room[DNAME_TEXT_MAX];

	z->n_rows = 0;
	z->rows = calloc(z->view.zones + 1u, sizeof(*z->rows));
	if (!z->rows)
		return ERR(ERR_MEMORY, 0, "zones");
	for (uint32_t i = 0; i < z->view.zones; i++) {
		struct wr w = wr_of(room, sizeof(room));
		struct row *row = &z->rows[z->n_rows];
		struct zone_view zone;
		struct zone_node apex;
		struct dname lower;

		if (zone_image_zone(&z->view, i, &zone) != ZONE_FOUND ||
		    zone_image_node(&z->view, zone.apex, &apex) != ZONE_FOUND ||
		    !dname_ok(apex.owner))
			continue;
		dname_copy_lower(&lower, apex.owner);
		zone_text_name(&w, dname_bytes(&lower));
		row->name = arena_copy(&z->names, wr_since(&w, room));
		if (!row->name.p) {
			free(z->rows);
			z->rows = NULL;
			arena_free(&z->names);
			return ERR(ERR_MEMORY, 0, "zones");
		}
		row->serial = zone.serial;
		row->records = zone.records;
		z->n_rows++;
	}
	qsort(z->rows, z->n_rows, sizeof(*z->rows), by_row_name);
	return OK;
}

struct err
zones_list(struct zones *z, struct bytes after, struct wr *out, bool *more)
{
	size_t first = 0, end;
	struct err e = z->rows || !z->image ? OK : make_rows(z);

	*more = false;
	if (!is_ok(e) || !z->rows)
		return e;
	for (end = z->n_rows; first < end;) { /* the first row behind `after` */
		size_t middle = first + (end - first) / 2;

		if (bytes_cmp(z->rows[middle].name, after) > 0)
			end = middle;
		else
			first = middle + 1;
	}
	for (; first < z->n_rows; first++) {
		const struct row *row = &z->rows[first];

		if (row->name.n > UINT8_MAX)
			continue; /* no word has room for it: the configuration's only */
		*more = wr_room(out) < 1 + row->name.n + 8;
		if (*more)
			break;
		wr_bytes8(out, row->name);
		wr_u32(out, row->serial);
		wr_u32(out, row->records);
	}
	return OK;
}

/* ---- public ---- */

struct err
zones_open(struct zones **out, const struct zones_conf *conf)
{
	struct zones *z = calloc(1, sizeof(*z));

	if (!z)
		return ERR(ERR_MEMORY, 0, "zones");
	z->conf = *conf;
	z->fd = -1;
	random_fill(conf->random, z->key, sizeof(z->key));
	map_init(&z->sources, z->key);
	z->names = arena_init(0);
	*out = z;
	return OK;
}

void
zones_close(struct zones *z)
{
	if (!z)
		return;
	sources_free(&z->sources);
	free(z->rows);
	arena_free(&z->names);
	snap_release(z->image);
	if (z->fd >= 0)
		close(z->fd);
	free(z);
}

void
zones_show(struct zones *z, struct chan *to)
{
	const struct talk_zone_image word = {.version = z->view.version};

	if (z->image && to)
		chan_say(to, talk_zone_image_out(&word), z->fd);
}

void
zones_status(const struct zones *z, struct wr *counters)
{
	report_put_counter(counters, "zones", z->image ? z->view.zones : 0);
	report_put_counter(counters, "files", map_count(&z->sources));
	report_put_counter(counters, "octets", z->image ? z->view.all.n : 0);
	report_put_counter(counters, "loads", z->loads);
	report_put_counter(counters, "imports", z->imports);
	report_put_counter(counters, "refused", z->refused);
}
