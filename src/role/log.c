/*
 * log.c - the role that writes the log: it stamps who an event came from, and trusts nothing in it.
 */
#include "base/log.h"

#include "base/clock.h"
#include "role/role.h"
#include "talk/report.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

struct state {
	struct attach *attach;
	struct role_settings settings;
	int fd;
	uint64_t lines, failed, refused;
};

static void
render(const struct state *s, struct wr *w, const struct log_record *record,
       const struct log_stamp *stamp)
{
	if (s->settings.log_format == LOG_AS_JSON)
		log_render_json(w, record, stamp);
	else if (s->settings.log_to == LOG_TO_JOURNAL)
		log_render_journal(w, record, stamp);
	else
		log_render_text(w, record, stamp);
}

static void
append(struct state *s, const struct log_record *record, const struct log_stamp *stamp)
{
	uint8_t line[LOG_LINE_MAX];
	struct wr w = wr_of(line, sizeof(line));
	struct pollfd there = {.fd = s->fd, .events = POLLOUT};
	struct bytes text;

	render(s, &w, record, stamp);
	text = wr_since(&w, line);
	/* neither a full disk nor a reader who has stopped may stop us (attacks 154, 162): what is
	 * lost is counted */
	if (poll(&there, 1, 0) == 1 && (there.revents & POLLOUT) &&
	    write(s->fd, text.p, text.n) == (ssize_t)text.n)
		s->lines++;
	else
		s->failed++;
}

static void
own_event(void *owner, const struct log_record *record)
{
	const struct log_stamp stamp = {clock_wall_ns(), "log", 0, (uint32_t)getpid()};

	append(owner, record, &stamp);
}

static struct err
open_log(struct attach *a, void **out)
{
	struct state *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR(ERR_MEMORY, 0, "log");
	*out = s;
	*s = (struct state){.attach = a, .settings = a->settings, .fd = STDERR_FILENO};
	if (a->settings.log_to == LOG_TO_FILE)
		s->fd =
		    openat(a->folder, "stead.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	return s->fd < 0 ? ERR(ERR_IO, errno, "open stead.log") : OK;
}

static void
start(void *state)
{
	log_to(own_event, state);
}

static void
word(void *state, const struct peer *p, struct chan_word *w)
{
	struct state *s = state;
	struct log_stamp stamp = {clock_wall_ns(), role_name(p->role), p->instance, 0};
	struct kv fields[LOG_FIELDS_MAX];
	struct talk_log_event event;
	struct log_record record;

	if (w->word == WORD_LOG_EVENT && talk_log_event_get(&w->body, &event) &&
	    log_unpack(event.event, &record, fields))
		append(s, &record, &stamp);
	else
		s->refused++;
}

/* Reload opens the file anew, for whoever moved the old one away. */
static struct err
reload(void *state, const struct role_settings *fresh, struct wr *told)
{
	struct state *s = state;
	int fd = STDERR_FILENO;

	(void)told;
	if (fresh->log_to == LOG_TO_FILE)
		fd = openat(s->attach->folder, "stead.log",
		            O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0)
		return ERR(ERR_SYNTAX, errno, "open stead.log");
	if (s->fd != STDERR_FILENO)
		close(s->fd);
	s->fd = fd;
	s->settings = *fresh;
	return OK;
}

static void
status(void *state, struct wr *counters)
{
	struct state *s = state;

	report_put_counter(counters, "lines", s->lines);
	report_put_counter(counters, "failed", s->failed);
	report_put_counter(counters, "refused", s->refused);
}

static void
close_log(void *state)
{
	struct state *s = state;

	log_to(NULL, NULL);
	if (s->fd != STDERR_FILENO)
		close(s->fd);
	free(s);
}

const struct role_body role_log = {
    .cage = {.name = "log",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_FILES_READ | CAGE_FILES_WRITE,
             .files = 128,
             .file_size = ROLE_FILE_SIZE},
    .open = open_log,
    .start = start,
    .word = word,
    .reload = reload,
    .status = status,
    .close = close_log,
};
