/* zone.c - the role that makes the image of all zones from their files. */
#include "role/role.h"
#include "serve/zones.h"

#include <stdlib.h>
#include <unistd.h>

enum { TEXT_MAX = 8192, NAMES_MAX = 57344 };

struct state {
	struct attach *attach;
	struct zones *zones;
};

/* A zone that is refused is told in the log, and does not stop the others. */
static struct err
load(struct state *s, struct wr *told)
{
	const struct attach_files *given = &s->attach->files;
	struct zones_file *files = calloc(given->n + 1, sizeof(*files));
	struct err e;

	if (!files)
		return ERR(ERR_MEMORY, 0, "zones");
	for (size_t i = 0; i < given->n; i++)
		files[i] = (struct zones_file){given->list[i].name, given->list[i].fd};
	e = zones_load(s->zones, files, given->n, told);
	free(files);
	return e;
}

static struct err
open_zone(struct attach *a, void **out)
{
	struct state *s = calloc(1, sizeof(*s));
	const struct zones_conf conf = {.disk = disk_real(),
	                                .folder = a->folder,
	                                .loop = a->loop,
	                                .random = a->random,
	                                .peers = a->peers};

	if (!s)
		return ERR(ERR_MEMORY, 0, "zone");
	*out = s;
	s->attach = a;
	return zones_open(&s->zones, &conf);
}

/* Zones are parsed in the whole cage only; the server is ready when this is done. */
static void
start(void *state)
{
	struct state *s = state;
	struct err e = load(s, NULL);

	if (is_fault(e))
		attach_fail(s->attach, e);
}

static struct err
reload(void *state, const struct role_settings *fresh, struct wr *told)
{
	(void)fresh;
	return load(state, told);
}

static void
come(void *state, const struct peer *p)
{
	struct state *s = state;

	if (p->role == ROLE_DNS)
		zones_show(s->zones, p->chan);
}

static void
import(struct state *s, const struct peer *p, struct chan_word *w)
{
	struct talk_zone_import ask;
	struct talk_zone_import_answer answer = {0};
	uint8_t room[TEXT_MAX];
	struct wr told = wr_of(room, sizeof(room));

	if (!talk_zone_import_get(&w->body, &ask))
		return;
	answer.code = talk_code(zones_import(s->zones, ask.zone, w->fd, &told));
	answer.text = wr_since(&told, room);
	chan_answer(p->chan, w->seq, talk_zone_import_answer_out(&answer), -1);
}

static void export(struct state *s, const struct peer *p, struct chan_word *w)
{
	struct talk_zone_export ask;
	struct talk_zone_export_answer answer = {0};
	int fd = -1;

	if (!talk_zone_export_get(&w->body, &ask))
		return;
	answer.code = talk_code(zones_export(s->zones, ask.zone, &fd));
	chan_answer(p->chan, w->seq, talk_zone_export_answer_out(&answer), fd);
	if (fd >= 0)
		close(fd);
}

static void
list(struct state *s, const struct peer *p, struct chan_word *w)
{
	struct talk_zone_list ask;
	struct talk_zone_list_answer answer = {0};
	uint8_t room[NAMES_MAX];
	struct wr rows = wr_of(room, sizeof(room));
	bool more = false;

	if (!talk_zone_list_get(&w->body, &ask))
		return;
	answer.code = talk_code(zones_list(s->zones, ask.after, &rows, &more));
	answer.more = more;
	answer.names = wr_since(&rows, room);
	chan_answer(p->chan, w->seq, talk_zone_list_answer_out(&answer), -1);
}

static void
word(void *state, const struct peer *p, struct chan_word *w)
{
	if (w->word == WORD_ZONE_IMPORT)
		import(state, p, w);
	else if (w->word == WORD_ZONE_EXPORT)
		export(state, p, w);
	else if (w->word == WORD_ZONE_LIST)
		list(state, p, w);
}

static void
status(void *state, struct wr *counters)
{
	struct state *s = state;

	zones_status(s->zones, counters);
}

static void
close_zone(void *state)
{
	struct state *s = state;

	zones_close(s->zones);
	free(s);
}

const struct role_body role_zone = {
    .cage = {.name = "zone",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_MEMFD | CAGE_FILES_READ | CAGE_FILES_WRITE,
             .files = 8192,
             .file_size = ROLE_FILE_SIZE},
    .open = open_zone,
    .start = start,
    .come = come,
    .word = word,
    .reload = reload,
    .status = status,
    .close = close_zone,
};
