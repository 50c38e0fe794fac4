/* server.c - stead status, reload. */
#include "base/text.h"
#include "net/cage.h"
#include "talk/report.h"
#include "tool/command.h"

static const char *const states[] = {
    [REPORT_STARTING] = "starting",
    [REPORT_READY] = "ready",
    [REPORT_DRAINING] = "draining",
    [REPORT_DEAD] = "dead",
};

static const char *
state_text(uint8_t state)
{
	return state < COUNT(states) && states[state] ? states[state] : "unknown";
}

/* ---- for people ---- */

/* "whole", or what is missing of it. */
static void
print_cage(struct bytes packed)
{
	struct rd r = rd_of(packed);
	struct cage_report cage;
	bool first = true;

	if (!packed.n || !is_ok(cage_report_unpack(&r, &cage))) {
		printf("-");
		return;
	}
	if (cage_is_whole(&cage)) {
		printf("whole");
		return;
	}
	for (enum cage_step step = 0; step < CAGE_STEPS; step++) {
		enum cage_state state = (enum cage_state)cage.state[step];

		if (state == CAGE_DONE || state == CAGE_UNNEEDED)
			continue;
		printf("%s%s (%s)", first ? "without " : ", ", cage_step_name(step),
		       cage_state_text(state));
		first = false;
	}
}

static void
print_counters(struct bytes packed)
{
	struct rd r = rd_of(packed);
	struct bytes name;
	uint64_t value;

	while (report_counter(&r, &name, &value)) {
		printf(" ");
		command_print(stdout, name);
		printf("=%llu", (unsigned long long)value);
	}
}

static void
print_line(const struct report_line *line)
{
	const struct report_process *p = &line->process;

	switch (line->what) {
	case REPORT_SERVER:
		printf("stead ");
		command_print(stdout, line->server.version);
		printf(" on ");
		command_print(stdout, line->server.host_name);
		printf(", process %llu, up %llu s\n", (unsigned long long)line->server.pid,
		       (unsigned long long)line->server.up_s);
		break;
	case REPORT_LISTENER:
		printf("  listens for ");
		command_print(stdout, line->listener.service);
		printf(" on ");
		command_print(stdout, line->listener.address);
		printf("\n");
		break;
	case REPORT_PROCESS:
		printf("  %-8.*s %u  %-8s pid %-7u uid %-6u restarts %-3u cage ", (int)p->role.n,
		       (const char *)p->role.p, p->instance, state_text(p->state), p->pid, p->uid,
		       p->restarts);
		print_cage(p->cage);
		print_counters(p->counters);
		printf("\n");
		break;
	case REPORT_END:
		break;
	}
}

/* ---- for programs ---- */

static void
json_cage(struct bytes packed)
{
	struct rd r = rd_of(packed);
	struct cage_report cage;

	if (!packed.n || !is_ok(cage_report_unpack(&r, &cage))) {
		printf("null");
		return;
	}
	printf("{\"whole\": %s", cage_is_whole(&cage) ? "true" : "false");
	for (enum cage_step step = 0; step < CAGE_STEPS; step++)
		printf(", \"%s\": \"%s\"", cage_step_name(step),
		       cage_state_text((enum cage_state)cage.state[step]));
	printf("}");
}

static void
json_process(const struct report_process *p)
{
	struct rd r = rd_of(p->counters);
	bool first = true;
	struct bytes name;
	uint64_t value;

	printf("{\"role\": ");
	command_json(p->role);
	printf(", \"instance\": %u, \"state\": \"%s\", \"pid\": %u, \"uid\": %u, "
	       "\"restarts\": %u, \"cage\": ",
	       p->instance, state_text(p->state), p->pid, p->uid, p->restarts);
	json_cage(p->cage);
	printf(", \"counters\": {");
	while (report_counter(&r, &name, &value)) {
		printf("%s", first ? "" : ", ");
		command_json(name);
		printf(": %llu", (unsigned long long)value);
		first = false;
	}
	printf("}}");
}

static void
json_listener(const struct report_listener *l)
{
	printf("{\"service\": ");
	command_json(l->service);
	printf(", \"address\": ");
	command_json(l->address);
	printf("}");
}

static void
json_rows(struct bytes report, enum report_kind kind)
{
	struct rd r = rd_of(report);
	struct report_line line;
	bool first = true;

	while (report_get(&r, &line) != REPORT_END) {
		if (line.what != kind)
			continue;
		printf("%s\n  ", first ? "" : ",");
		first = false;
		if (kind == REPORT_PROCESS)
			json_process(&line.process);
		else
			json_listener(&line.listener);
	}
}

static void
json_report(struct bytes report)
{
	struct rd r = rd_of(report);
	struct report_line line;

	printf("{");
	while (report_get(&r, &line) != REPORT_END)
		if (line.what == REPORT_SERVER) {
			printf("\"version\": ");
			command_json(line.server.version);
			printf(", \"host_name\": ");
			command_json(line.server.host_name);
			printf(", \"pid\": %llu, \"up_s\": %llu, ",
			       (unsigned long long)line.server.pid,
			       (unsigned long long)line.server.up_s);
		}
	printf("\"listeners\": [");
	json_rows(report, REPORT_LISTENER);
	printf("],\n \"roles\": [");
	json_rows(report, REPORT_PROCESS);
	printf("]}\n");
}

/* ---- the commands ---- */

static struct err
open_running(struct client **c, const struct command_env *env)
{
	struct err e = client_open(c, env->dir, NULL);

	if (e.code == ERR_NOTFOUND)
		fprintf(stderr, "stead: no server runs in %s; start one: stead -C %s serve\n",
		        env->dir, env->dir);
	return e;
}

static int
status(const struct command_env *env, int argc, char **argv)
{
	bool json = command_flag(&argc, argv, "--json");
	struct talk_server_status_answer a;
	struct chan_word w;
	struct client *c;
	int code = EXIT_FAILED;

	if (argc != 1)
		return command_usage(env, "unknown option");
	if (!is_ok(open_running(&c, env)))
		return EXIT_FAILED;
	if (is_ok(client_ask(c, talk_server_status_out(&(struct talk_server_status){0}), -1, &w)) &&
	    talk_server_status_answer_get(&w.body, &a)) {
		struct rd r = rd_of(a.report);
		struct report_line line;

		code = command_answered(a.code, NO_BYTES);
		if (json)
			json_report(a.report);
		while (!json && report_get(&r, &line) != REPORT_END)
			print_line(&line);
	}
	client_close(c);
	return code;
}

static int
reload(const struct command_env *env, int argc, char **argv)
{
	struct talk_server_reload_answer a;
	struct chan_word w;
	struct client *c;
	int code = EXIT_FAILED;

	(void)argv;
	if (argc != 1)
		return command_usage(env, "it takes nothing");
	if (!is_ok(open_running(&c, env)))
		return EXIT_FAILED;
	if (is_ok(client_ask(c, talk_server_reload_out(&(struct talk_server_reload){0}), -1, &w)) &&
	    talk_server_reload_answer_get(&w.body, &a)) {
		code = command_answered(a.code, a.text);
		if (code != EXIT_DONE)
			fprintf(stderr, "stead: what ran before goes on\n");
	}
	client_close(c);
	return code;
}

#ifdef STEAD_ACTS
static int
act(const struct command_env *env, int argc, char **argv)
{
	struct talk_role_act word = {0};
	struct talk_role_act_answer a;
	struct chan_word w;
	struct client *c;
	enum role role;
	uint64_t number;
	int code = EXIT_FAILED;

	if (argc != 3 || !role_by_name(bytes_of(argv[1]), &role) ||
	    !text_u64(bytes_of(argv[2]), UINT32_MAX, &number))
		return command_usage(env, "which role, which act?");
	word.role = (uint8_t)role;
	word.number = (uint32_t)number;
	if (!is_ok(open_running(&c, env)))
		return EXIT_FAILED;
	if (is_ok(client_ask(c, talk_role_act_out(&word), -1, &w)) &&
	    talk_role_act_answer_get(&w.body, &a)) {
		code = command_answered(a.code, NO_BYTES);
		printf("%u\n", a.result);
	}
	client_close(c);
	return code;
}
#endif

const struct command server_commands[] = {
    {"status", "[--json]", "Tell how the server, its roles and their cages are.", status},
    {"reload", "", "Take configuration, certificate and zones as they are now.", reload},
#ifdef STEAD_ACTS
    {"act", "ROLE NUMBER", "Test builds only: let a role try a forbidden act.", act},
#endif
    {0},
};
