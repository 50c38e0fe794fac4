/*
 * out_rig_servers.h - mail servers on a virtual loop that answer by tables, in TLS too.
 */
#ifndef TESTS_OUT_RIG_SERVERS_H
#define TESTS_OUT_RIG_SERVERS_H

#include "conn_world.h"
#include "play_smtpc_sink.h"

#include "net/accept.h"

enum { RIG_SERVERS = 8, RIG_SESSIONS = 64 };

struct rig_session {
	struct rig_server *server;
	struct conn *conn;
	struct play_sink sink;
	bool tls;
};

struct rig_server {
	struct loop *loop;
	struct tls_world *world;
	struct accept *accept;
	const struct play_rule *rules;
	bool stays; /* it does not close behind QUIT */
	struct rig_session sessions[RIG_SESSIONS];
	size_t n;
};

static void
rig_session_turn(void *owner, struct conn *c)
{
	struct rig_session *s = owner;
	enum conn_state state = conn_state(c);
	struct bytes b;

	if (state == CONN_DONE || state == CONN_BROKEN) {
		conn_free(c);
		s->conn = NULL;
		return;
	}
	if (state == CONN_HANDSHAKE)
		return;
	b = conn_in(c);
	play_take(&s->sink, b);
	conn_ate(c, b.n);
	while ((b = buf_bytes(&s->sink.to_client)).n) {
		b.n = b.n < 4096 ? b.n : 4096;
		if (!conn_write(c, b))
			break;
		buf_eat(&s->sink.to_client, b.n);
	}
	if (!s->tls && strstr(s->sink.said, "STARTTLS\r\n") &&
	    play_find(s->server->rules, BYTES("STARTTLS")) &&
	    bytes_begins_nocase(bytes_of(play_find(s->server->rules, BYTES("STARTTLS"))),
	                        BYTES("220 go"))) {
		s->tls = true;
		conn_starttls(c);
	} else if (s->sink.closed || state != CONN_OPEN ||
	           (!s->server->stays && strstr(s->sink.said, "QUIT\r\n"))) {
		conn_finish(c);
	}
}

static void
rig_accepted(void *owner, int fd, const struct addr *peer)
{
	struct rig_server *server = owner;
	struct rig_session *s = &server->sessions[server->n++];
	const struct conn_conf conf = {
	    .peer = *peer, .tls = server->world->server, .in_max = 65536, .out_max = 65536};

	assert(server->n < RIG_SESSIONS);
	s->server = server;
	play_sink_open(&s->sink, server->rules);
	if (!is_ok(conn_open(&s->conn, server->loop, fd, &conf, rig_session_turn, s)))
		assert(false);
	rig_session_turn(s, s->conn);
}

#endif
