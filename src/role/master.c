/*
 * master.c - reads, binds, starts, supervises, and ends in the order that loses nothing: fronts
 * first, then those that work for them, the store, the log last.
 */
#include "role/master.h"

#include "base/log.h"
#include "role/children.h"
#include "role/layout.h"
#include "role/listen.h"
#include "role/master_state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DRAIN_MS = 10000, STAGES = 4 };

/* The order of starting; each drains in its stage, the first stage first. */
static const struct role_row {
	enum role role;
	uint8_t stage;
	bool offline; /* needed by commands without a server */
} roles[] = {
    {ROLE_LOG, 3, true},   {ROLE_KEYS, 1, false}, {ROLE_AUTH, 1, true},  {ROLE_BOX, 2, true},
    {ROLE_QUEUE, 1, true}, {ROLE_ZONE, 1, true},  {ROLE_DIAL, 1, false}, {ROLE_RESOLVE, 1, false},
    {ROLE_OUT, 0, false},  {ROLE_DNS, 0, false},  {ROLE_SMTP, 0, false}, {ROLE_MAIL, 0, false},
    {ROLE_FTP, 0, false},  {ROLE_CTL, 0, true},
};

/* ---- reading the configuration ---- */

static struct err
read_file(int dir, const char *path, size_t max, struct arena *a, struct bytes *out)
{
	int fd = openat(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct err e = OK;
	struct stat st;
	uint8_t *p;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? ERR(ERR_NOTFOUND, ENOENT, "open")
		                       : ERR(ERR_IO, errno, "open");
	if (fstat(fd, &st))
		e = ERR(ERR_IO, errno, "look at it");
	else if (!S_ISREG(st.st_mode) || st.st_size > (off_t)max)
		e = ERR(ERR_RANGE, EFBIG, "not a file of a sensible size");
	if (is_ok(e)) {
		p = arena_alloc(a, (size_t)st.st_size + 1);
		if (!p)
			e = ERR(ERR_MEMORY, 0, "file");
		else if ((n = read(fd, p, (size_t)st.st_size)) != st.st_size)
			e = ERR(ERR_IO, n < 0 ? errno : EIO, "read");
		else
			*out = (struct bytes){p, (size_t)st.st_size};
	}
	close(fd);
	return e;
}

static void
say_faults(const struct conf_faults *faults, struct wr *text)
{
	for (size_t i = 0; i < faults->n && i < CONF_FAULTS_MAX; i++)
		wr_printf(text, "%s\n", faults->list[i].text);
	if (faults->n > CONF_FAULTS_MAX)
		wr_printf(text, "and %zu more\n", faults->n - CONF_FAULTS_MAX);
}

/* On anything but OK, what is wrong was written to `text`. */
static struct err
read_settings(int dir, struct settings *s, struct arena *a, struct wr *text)
{
	struct conf_faults *faults = calloc(1, sizeof(*faults));
	struct bytes file = NO_BYTES;
	struct err e;

	if (!faults)
		return ERR(ERR_MEMORY, 0, "configuration");
	e = read_file(dir, "stead.conf", CONF_INPUT_MAX, a, &file);
	if (is_ok(e)) {
		e = settings_read(file, "stead.conf", s, a, faults);
		say_faults(faults, text);
	} else {
		wr_printf(text, "stead.conf: %s%s\n", strerror(e.sys),
		          e.code == ERR_NOTFOUND ? " (is this a folder that `stead init` made?)"
		                                 : "");
	}
	free(faults);
	return e;
}

static struct err
read_certificate(struct master *m, const struct settings *s, struct arena *a, struct bytes *pem,
                 struct wr *text)
{
	char *path = arena_string(a, s->tls.certificate);
	struct err e;

	if (!path)
		return ERR(ERR_MEMORY, 0, "certificate");
	e = read_file(m->dir, path, MASTER_CERTIFICATE_MAX, a, pem);
	if (e.code == ERR_NOTFOUND && bytes_eq(s->tls.certificate, BYTES("tls/cert.pem"))) {
		*pem = NO_BYTES; /* without one, nothing offers TLS */
		return OK;
	}
	if (is_ok(e) && !pem->n)
		e = ERR(ERR_SYNTAX, ENODATA, "an empty certificate file");
	if (!is_ok(e))
		wr_printf(text, "tls.certificate: %s: %s\n", path, strerror(e.sys));
	return e;
}

/* ---- what a child is told ---- */

static void
give_folder(struct child *c, struct chan *chan, int dir, const char *path, enum folder purpose)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const struct talk_folder word = {.purpose = (uint8_t)purpose};

	if (fd < 0 || !chan_say(chan, talk_folder_out(&word), fd))
		log_event(LOG_ERROR, "master.folder_failed", kv_word("role", role_name(c->role)),
		          kv_i64("errno", errno));
	if (fd >= 0)
		close(fd);
}

/* A file that the configuration names; no FIFO or device, which could hold us up (attack 166). */
static struct err
open_conf_file(struct master *m, struct bytes file, int *fd)
{
	char *path = strndup((const char *)file.p, file.n);
	struct stat st;
	struct err e;

	if (!path)
		return ERR(ERR_MEMORY, 0, "file of the configuration");
	*fd = openat(m->dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	free(path);
	if (*fd < 0)
		return ERR(ERR_NOTFOUND, errno, "open a file of the configuration");
	e = fstat(*fd, &st)        ? ERR(ERR_NOTFOUND, errno, "look at a file of the configuration")
	    : !S_ISREG(st.st_mode) ? ERR(ERR_NOTFOUND, EINVAL, "not a regular file")
	                           : OK;
	if (!is_ok(e))
		close(*fd);
	return e;
}

static void
give_file(struct master *m, struct chan *chan, struct bytes name, struct bytes file)
{
	const struct talk_zone_file word = {.zone = name};
	int fd;
	struct err e = open_conf_file(m, file, &fd);

	if (is_ok(e) && !chan_say(chan, talk_zone_file_out(&word), fd))
		e = ERR(ERR_GONE, 0, "a role took no more files");
	if (!is_ok(e))
		log_event(LOG_ERROR, "master.zone_file_failed", kv_text("zone", name),
		          kv_text("file", file), kv_err(e));
	if (is_ok(e) || e.code == ERR_GONE)
		close(fd);
}

static void
give_files(struct master *m, const struct config *config, struct child *c)
{
	const struct settings *s = &config->settings;
	const struct zone_settings *list = s->dns.zones.list;

	for (size_t i = 0; c->role == ROLE_ZONE && i < s->dns.zones.n; i++)
		give_file(m, c->chan, s->dns.zones.names[i], list[i].file);
	if (c->role != ROLE_RESOLVE)
		return;
	if (s->resolver.root_hints.n)
		give_file(m, c->chan, BYTES("hints"), s->resolver.root_hints);
	if (s->resolver.hosts.n)
		give_file(m, c->chan, BYTES("hosts"), s->resolver.hosts);
}

static struct err
check_file(struct master *m, const char *key, struct bytes file, struct wr *text)
{
	int fd;
	struct err e = open_conf_file(m, file, &fd);

	if (is_ok(e)) {
		close(fd);
		return OK;
	}
	if (is_fault(e))
		return e;
	wr_printf(text, "%s: %.*s: %s\n", key, (int)file.n, (const char *)file.p, strerror(e.sys));
	return ERR(ERR_SYNTAX, 0, "a file of the configuration");
}

struct err
master_check_files(struct master *m, const struct config *config, struct wr *text)
{
	const struct settings *s = &config->settings;
	const struct zone_settings *list = s->dns.zones.list;
	struct err e = OK;

	for (size_t i = 0; is_ok(e) && i < s->dns.zones.n; i++)
		e = check_file(m, "dns.zones", list[i].file, text);
	if (is_ok(e) && s->resolver.root_hints.n)
		e = check_file(m, "resolver.root_hints", s->resolver.root_hints, text);
	return e;
}

void
master_offer(struct master *m, const struct config *config, struct child *c)
{
	const struct talk_certificate word = {.chain = config->certificate, .key = 0};

	if ((c->role == ROLE_SMTP || c->role == ROLE_MAIL || c->role == ROLE_FTP ||
	     c->role == ROLE_KEYS) &&
	    config->certificate.n)
		chan_say(c->chan, talk_certificate_out(&word), -1);
	give_files(m, config, c);
}

static void
give(void *owner, struct child *c, struct chan *chan)
{
	struct master *m = owner;
	struct layout_user user = layout_user(c->role);
	uint8_t packed[MASTER_SETTINGS_MAX];
	struct wr w = wr_of(packed, sizeof(packed));

	m->uids[c->role] = user.uid;
	settings_pack(&m->config.settings, (uint32_t)getuid(), &w);
	chan_say(chan,
	         talk_settings_out(&(struct talk_settings){
		     .uid = user.uid, .gid = user.gid, .config = wr_since(&w, packed)}),
	         -1);
	give_folder(c, chan, m->dir, "run/empty", FOLDER_EMPTY);
	if (layout_folder(c->role))
		give_folder(c, chan, m->dir, layout_folder(c->role), FOLDER_OWN);
	if (c->role == ROLE_BOX)
		give_folder(c, chan, m->dir, "files", FOLDER_FILES);
	for (size_t i = 0; i < m->listeners.n; i++) {
		const struct listener *l = &m->listeners.list[i];

		if (service_row(l->service)->role == c->role && l->instance == c->instance)
			chan_say(chan,
			         talk_listener_out(
				     &(struct talk_listener){.service = (uint8_t)l->service}),
			         l->fd);
	}
	if (c->role == ROLE_CTL)
		chan_say(chan,
		         talk_listener_out(&(struct talk_listener){.service = SERVICE_CONTROL}),
		         m->control);
	master_offer(m, &m->config, c);
	chan_say(chan, talk_go_out(&(struct talk_go){0}), -1);
}

/* ---- ready, and the end ---- */

/* systemd's sd_notify(3) protocol: one datagram to the socket named in the environment. */
static void
tell_systemd(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (!n || n >= sizeof(un.sun_path))
		return;
	memcpy(un.sun_path, path, n);
	if (path[0] == '@')
		un.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&un,
	           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		log_event(LOG_WARN, "master.notify_failed", kv_i64("errno", errno));
	close(fd);
}

/* To the log role as long as it is there, else to stderr. */
static void
to_log_role(void *owner, const struct log_record *record)
{
	struct master *m = owner;
	struct child *log = m->children ? children_find(m->children, ROLE_LOG, 0) : NULL;
	uint8_t packed[LOG_PACKED_MAX];
	struct wr w = wr_of(packed, sizeof(packed));

	log_pack(&w, record);
	if (log && log->chan && log->state == REPORT_READY &&
	    chan_say(log->chan,
	             talk_log_event_out(&(struct talk_log_event){.event = wr_since(&w, packed)}),
	             -1))
		return;
	log_to(NULL, NULL);
	log_write(record->scope, record->level, record->name, record->fields);
	log_to(to_log_role, m);
}

void
master_settled(struct master *m)
{
	if (m->ready || m->draining)
		return;
	m->ready = true;
	if (m->mode == MASTER_SERVE)
		fprintf(stderr, "stead: ready\n");
	if (m->ready_fd >= 0)
		close(m->ready_fd);
	m->ready_fd = -1;
	tell_systemd("READY=1");
}

static void
child_ready(void *owner, struct child *child)
{
	struct master *m = owner;

	log_event(LOG_INFO, "role.ready", kv_word("role", role_name(child->role)),
	          kv_u64("pid", (uint64_t)child->pid));
	for (struct child *c = children_first(m->children); c; c = c->next)
		if (c->state != REPORT_READY)
			return;
	if (!m->ready)
		master_settle(m);
}

static void
drain_stage(struct master *m)
{
	for (; m->stage < STAGES; m->stage++) {
		bool waiting = false;

		for (struct child *c = children_first(m->children); c; c = c->next)
			for (size_t i = 0; i < COUNT(roles); i++)
				if (roles[i].role == c->role && roles[i].stage == m->stage) {
					children_drain(m->children, c, DRAIN_MS);
					waiting |= c->pid != 0;
				}
		if (waiting)
			return;
	}
	loop_stop(m->loop);
}

static void
finish(void *owner)
{
	struct master *m = owner;

	if (m->draining)
		return;
	m->draining = true;
	tell_systemd("STOPPING=1");
	log_event(LOG_INFO, "master.drain");
	drain_stage(m);
}

static void
child_died(void *owner, struct child *c, int status)
{
	struct master *m = owner;
	bool wrong = !WIFEXITED(status) || WEXITSTATUS(status);

	if (wrong || !m->draining)
		log_event(LOG_ERROR, "role.died", kv_word("role", role_name(c->role)),
		          kv_u64("signal", WIFSIGNALED(status) ? (uint64_t)WTERMSIG(status) : 0),
		          kv_u64("code", WIFEXITED(status) ? (uint64_t)WEXITSTATUS(status) : 0),
		          kv_u64("restarts", c->restarts), kv_u64("pause_ms", c->pause_ms));
	master_child_died(m, c);
	if (!m->ready && !m->draining) {
		fprintf(stderr, "stead: the role %s could not start\n", role_name(c->role));
		m->exit_code = 1;
		finish(m);
	}
	if (m->draining)
		drain_stage(m);
}

static void
on_child(void *owner)
{
	struct master *m = owner;

	children_reap(m->children);
}

static void
on_hangup(void *owner)
{
	master_reload_all(owner, NULL, 0);
}

/* ---- the configuration ---- */

struct err
master_read(struct master *m, struct config *config, struct wr *text)
{
	struct err e;

	*config = (struct config){.arena = arena_init(0)};
	e = read_settings(m->dir, &config->settings, &config->arena, text);
	if (is_ok(e))
		e = read_certificate(m, &config->settings, &config->arena, &config->certificate,
		                     text);
	if (!is_ok(e))
		arena_free(&config->arena);
	return e;
}

void
master_adopt(struct master *m, struct config *config)
{
	arena_free(&m->config.arena);
	m->config = *config;
	*config = (struct config){0};
}

/* ---- starting ---- */

static struct err
prepare(struct master *m, const char *dir)
{
	char why[512] = "";
	struct err e;

	m->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->dir < 0) {
		fprintf(stderr, "stead: %s: %s\n", dir, strerror(errno));
		return ERR(ERR_IO, errno, "open DIR");
	}
	e = layout_make(m->dir, why, sizeof(why));
	if (!is_ok(e)) {
		fprintf(stderr, "stead: %s/%s\n", dir, why);
		return e;
	}
	m->lock = openat(m->dir, "run/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (m->lock < 0 || flock(m->lock, LOCK_EX | LOCK_NB)) {
		fprintf(stderr, "stead: %s: %s\n", dir,
		        errno == EWOULDBLOCK ? "a server is running in this folder"
		                             : strerror(errno));
		return ERR(ERR_IO, errno, "lock DIR");
	}
	m->executable = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (m->executable < 0) {
		fprintf(stderr, "stead: /proc/self/exe: %s\n", strerror(errno));
		return ERR(ERR_IO, errno, "open the executable");
	}
	return OK;
}

static struct err
configure(struct master *m)
{
	char text[8192];
	struct wr w = wr_of(text, sizeof(text));
	struct err e = master_read(m, &m->config, &w);

	/* a command's own words are enough for who typed it */
	if (m->mode == MASTER_OFFLINE)
		m->config.settings.log.level = LOG_WARN;
	if (!is_ok(e))
		fprintf(stderr, "%.*s", (int)wr_since(&w, (uint8_t *)text).n, text);
	return e;
}

static struct err
bind_all(struct master *m)
{
	struct listener failed;
	char text[ADDR_TEXT];
	struct wr w = wr_of(text, sizeof(text));
	struct err e = OK;

	if (m->mode == MASTER_SERVE)
		e = listen_all(&m->listeners, m->loop, &m->config.settings, &failed);
	if (!is_ok(e)) {
		addr_text(&w, &failed.addr);
		fprintf(stderr, "stead: cannot listen on %.*s for %s: %s\n",
		        (int)wr_since(&w, (uint8_t *)text).n, text,
		        service_row(failed.service)->name, strerror(e.sys));
		return e;
	}
	e = listen_control(m->dir, &m->control);
	if (!is_ok(e))
		fprintf(stderr, "stead: run/control.sock: %s: %s\n", e.why, strerror(e.sys));
	return e;
}

static struct err
start_roles(struct master *m)
{
	struct err e = OK;

	for (size_t i = 0; is_ok(e) && i < COUNT(roles); i++) {
		uint8_t n = settings_instances(&m->config.settings, roles[i].role);

		if (m->mode == MASTER_OFFLINE && !roles[i].offline)
			continue;
		for (uint8_t k = 0; is_ok(e) && k < n; k++)
			e = children_start(m->children, roles[i].role, k);
	}
	return e;
}

static const struct children_handlers handlers = {give, master_word, child_ready, child_died};

static struct err
run(struct master *m)
{
	static const struct {
		int number;
		loop_fn *fn;
	} wanted[] = {
	    {SIGTERM, finish}, {SIGINT, finish}, {SIGCHLD, on_child}, {SIGHUP, on_hangup}};
	struct loop_signal *signals[COUNT(wanted)] = {NULL};
	struct err e = loop_open(&m->loop);

	if (is_ok(e))
		e = bind_all(m);
	if (is_ok(e))
		e = children_open(&m->children, m->loop, m->executable, &handlers, m);
	for (size_t i = 0; is_ok(e) && i < COUNT(wanted); i++)
		e = loop_signal_open(&signals[i], m->loop, wanted[i].number, wanted[i].fn, m);
	m->started_ms = is_ok(e) ? loop_now_ms(m->loop) : 0;
	if (is_ok(e))
		e = start_roles(m);
	if (is_ok(e))
		e = loop_run(m->loop);
	else
		log_event(LOG_ERROR, "master.failed", kv_err(e));
	for (size_t i = 0; i < COUNT(wanted); i++)
		if (signals[i])
			loop_signal_close(signals[i]);
	master_forget(m);
	log_to(NULL, NULL);
	children_close(m->children);
	listen_close(&m->listeners, m->loop);
	loop_close(m->loop);
	return e;
}

static void
close_all(struct master *m)
{
	const int fds[] = {m->dir, m->lock, m->executable, m->control, m->ready_fd};

	for (size_t i = 0; i < COUNT(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	arena_free(&m->config.arena);
	free(m);
}

int
master_run(const char *dir, enum master_mode mode, int ready_fd)
{
	struct master *m = calloc(1, sizeof(*m));
	struct err e;
	int code;

	if (!m)
		return 1;
	*m = (struct master){.dir = -1,
	                     .lock = -1,
	                     .executable = -1,
	                     .control = -1,
	                     .ready_fd = ready_fd,
	                     .mode = mode};
	prctl(PR_SET_NAME, "stead:master");
	signal(SIGPIPE, SIG_IGN);
	e = prepare(m, dir);
	if (is_ok(e)) {
		e = configure(m);
		m->exit_code = is_ok(e) ? 0 : 2;
	}
	log_up_to((enum log_level)m->config.settings.log.level);
	log_to(to_log_role, m);
	if (is_ok(e))
		e = run(m);
	code = is_ok(e) || m->exit_code ? m->exit_code : 1;
	close_all(m);
	return code;
}

static struct err
zone_facts(const struct conf_named *zones, struct check_facts *facts)
{
	const struct zone_settings *list = zones->list;

	facts->zone_names = arena_alloc(&facts->arena, zones->n * sizeof(char *));
	facts->zone_files = arena_alloc(&facts->arena, zones->n * sizeof(char *));
	for (; facts->zone_names && facts->zone_files && facts->zones < zones->n; facts->zones++) {
		size_t i = facts->zones;

		facts->zone_names[i] = arena_string(&facts->arena, zones->names[i]);
		facts->zone_files[i] = arena_string(&facts->arena, list[i].file);
		if (!facts->zone_names[i] || !facts->zone_files[i])
			break;
	}
	return facts->zones == zones->n ? OK : ERR(ERR_MEMORY, 0, "zones to check");
}

int
master_facts(int dir, struct check_facts *facts)
{
	struct master m = {.dir = dir};
	struct err e = configure(&m);

	*facts = (struct check_facts){.arena = m.config.arena,
	                              .certificate = m.config.certificate,
	                              .key = m.config.settings.tls.key};
	if (is_ok(e))
		e = zone_facts(&m.config.settings.dns.zones, facts);
	return is_ok(e) ? 0 : 2;
}
