/* zone_text.c - zone files found, read and parsed into a builder. */
#include "serve/zone_text.h"

#include <fcntl.h>
#include <stdlib.h>

#define SUFFIX BYTES(".zone")

/* ---- names ---- */

bool
zone_text_apex(struct dname *out, struct bytes name)
{
	if (dname_parse_text(out, name, DNAME_ROOT))
		return false;
	dname_lower(out);
	return true;
}

void
zone_text_name(struct wr *w, struct bytes apex)
{
	uint8_t room[DNAME_TEXT_MAX];
	struct wr text = wr_of(room, sizeof(room));
	struct bytes name;

	dname_to_text(&text, apex);
	name = wr_since(&text, room);
	if (!dname_is_root(apex))
		name.n--;
	wr_bytes(w, name);
}

bool
zone_text_file(char out[ZONE_TEXT_FILE], struct bytes apex)
{
	static const struct bytes aside = {(const uint8_t *)".new\0", 5}; /* of disk_replace() */
	uint8_t room[DNAME_TEXT_MAX];
	struct wr text = wr_of(room, sizeof(room)), w = wr_of(out, ZONE_TEXT_FILE);
	struct rd r;

	if (dname_is_root(apex))
		wr_u8(&text, '@');
	else
		zone_text_name(&text, apex);
	for (r = rd_of(wr_since(&text, room)); rd_left(&r);) {
		uint8_t c = rd_u8(&r);

		if (c == '/')
			wr_text(&w, "\\047");
		else
			wr_u8(&w, c);
	}
	wr_bytes(&w, SUFFIX);
	if (wr_room(&w) < aside.n)
		return false;
	wr_u8(&w, 0);
	return true;
}

bool
zone_text_is_file(struct dname *apex, const char *file)
{
	struct bytes name = bytes_of(file);

	if (name.n <= SUFFIX.n ||
	    !bytes_eq((struct bytes){name.p + name.n - SUFFIX.n, SUFFIX.n}, SUFFIX))
		return false;
	name.n -= SUFFIX.n;
	return zone_text_apex(apex, name);
}

/* ---- texts ---- */

struct err
zone_text_read(struct disk *disk, int fd, uint8_t **out, size_t *n)
{
	uint64_t size = 0;
	struct err e = disk_size(disk, fd, &size);
	uint8_t *p;

	if (is_ok(e) && size > ZONE_TEXT_MAX)
		e = ERR(ERR_RANGE, 0, "a zone file longer than 4 GiB");
	if (!is_ok(e))
		return e;
	p = malloc(size ? (size_t)size : 1);
	if (!p)
		return ERR(ERR_MEMORY, 0, "a zone's text");
	e = disk_read(disk, fd, p, (size_t)size, 0, n);
	if (is_ok(e))
		*out = p;
	else
		free(p);
	return e;
}

struct included {
	struct included *next;
	uint8_t *text;
};

struct adding {
	struct zone_builder *builder;
	struct disk *disk;
	int folder;
	struct included *files;
	size_t size;    /* octets of all that was included */
	struct err why; /* what the builder answered, where it was no fault of the text */
};

static const char *
add(void *owner, const struct zonefile_record *r)
{
	struct adding *a = owner;
	struct err e = zone_builder_add(a->builder, r);

	if (is_ok(e))
		return NULL;
	if (e.code == ERR_SYNTAX)
		return "a record that no zone may hold";
	a->why = e;
	return "there is no room for more records";
}

/* One plain name: then nothing can lead out of the folder (attack 13). */
static bool
is_plain(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == '/' || name.p[i] == 0)
			return false;
	return name.n && name.p[0] != '.';
}

static bool
include(void *owner, struct bytes name, struct bytes *text)
{
	struct adding *a = owner;
	char file[ZONE_TEXT_FILE] = "";
	struct included *f;
	struct err e;
	int fd = -1;

	if (!is_plain(name) || name.n >= sizeof(file))
		return false;
	memcpy(file, name.p, name.n);
	f = calloc(1, sizeof(*f));
	if (!f)
		return false;
	/* a pipe in the folder must not stop us: O_NONBLOCK; no links: disk.h */
	e = disk_open(a->disk, a->folder, file, O_RDONLY | O_NONBLOCK, &fd);
	if (is_ok(e))
		e = zone_text_read(a->disk, fd, &f->text, &text->n);
	disk_close(a->disk, fd);
	if (!is_ok(e) || text->n > ZONE_TEXT_MAX - a->size) {
		free(f->text);
		free(f);
		return false;
	}
	a->size += text->n;
	text->p = f->text;
	f->next = a->files;
	a->files = f;
	return true;
}

struct err
zone_text_add(struct zone_builder *b, struct bytes apex, struct bytes file, struct bytes text,
              struct disk *disk, int folder, struct zonefile_error *wrong)
{
	struct adding a = {.builder = b, .disk = disk, .folder = folder, .why = OK};
	const struct zonefile_reader reader = {&a, add, folder >= 0 ? include : NULL};
	struct err e = zone_builder_zone(b, apex);

	if (!is_ok(e))
		return e;
	e = zonefile_parse(&reader, file, text, apex, wrong);
	while (a.files) {
		struct included *f = a.files;

		a.files = f->next;
		free(f->text);
		free(f);
	}
	if (!is_ok(a.why))
		e = a.why;
	if (!is_ok(e))
		zone_builder_drop(b);
	return e;
}
