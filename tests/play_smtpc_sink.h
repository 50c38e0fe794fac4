/*
 * play_smtpc_sink.h - a mail server that answers as a table tells.
 */
#ifndef TESTS_PLAY_SMTPC_SINK_H
#define TESTS_PLAY_SMTPC_SINK_H

#include "base/buf.h"

#include <assert.h>

/* The first rule whose command begins the client's line; "": the greeting, ".": the message's end. */
struct play_rule {
	const char *command;
	const char *reply; /* \1 stands for a NUL, \2 at the end: and closes; NULL: closes */
};

struct play_sink {
	const struct play_rule *rules;
	struct buf line, to_client; /* half a line of the client's; what it has not got yet */
	bool data, closed;
	int messages;
	char said[16384]; /* by the client, as far as there is room */
	size_t said_n;
};

static inline void
play_sink_close(struct play_sink *p)
{
	buf_free(&p->line);
	buf_free(&p->to_client);
}

static const struct play_rule play_usual[] = {
    {"", "220 mx.test ESMTP\r\n"},
    {"EHLO", "250-mx.test hello\r\n250-PIPELINING\r\n250 SIZE 1000000\r\n"},
    {"HELO", "250 mx.test hello\r\n"},
    {"STARTTLS", "220 go on\r\n"},
    {"MAIL", "250 2.1.0 ok\r\n"},
    {"RCPT", "250 2.1.5 ok\r\n"},
    {"DATA", "354 go on\r\n"},
    {".", "250 2.0.0 queued\r\n"},
    {"RSET", "250 2.0.0 ok\r\n"},
    {"QUIT", "221 2.0.0 bye\r\n"},
    {NULL, NULL},
};

static inline void
play_reply(struct play_sink *p, const char *reply)
{
	size_t n = reply ? strlen(reply) : 0;

	if (!reply || (n && reply[n - 1] == '\2')) {
		p->closed = true;
		n -= reply != NULL;
	}
	for (size_t i = 0; i < n; i++) {
		uint8_t c = reply[i] == '\1' ? 0 : (uint8_t)reply[i];

		if (!buf_add(&p->to_client, (struct bytes){&c, 1}))
			assert(false);
	}
}

static inline const char *
play_find(const struct play_rule *rules, struct bytes line)
{
	for (; rules && rules->command; rules++)
		if (line.n
		        ? rules->command[0] && bytes_begins_nocase(line, bytes_of(rules->command))
		        : !rules->command[0])
			return rules->reply ? rules->reply : "\2";
	return NULL;
}

static inline void
play_line(struct play_sink *p, struct bytes line)
{
	const char *reply;

	if (p->closed)
		return;
	if (p->data && !bytes_eq(line, BYTES(".")))
		return;
	if (p->data)
		p->messages++;
	p->data = false;
	reply = play_find(p->rules, line);
	if (!reply)
		reply = play_find(play_usual, line);
	if (!reply)
		reply = "500 5.5.2 what?\r\n";
	if (bytes_eq(line, BYTES("DATA")) && reply[0] == '3')
		p->data = true;
	play_reply(p, reply);
}

/* What the client wrote. */
static inline void
play_take(struct play_sink *p, struct bytes b)
{
	struct rd r;
	struct bytes line;

	for (size_t i = 0; i < b.n && p->said_n + 1 < sizeof(p->said); i++)
		p->said[p->said_n++] = (char)b.p[i];
	p->said[p->said_n] = 0;
	if (!buf_add(&p->line, b))
		assert(false);
	r = rd_of(buf_bytes(&p->line));
	while (rd_line(&r, &line))
		play_line(p, line);
	buf_eat(&p->line, p->line.n - rd_left(&r));
}

/* Greets at once. */
static inline void
play_sink_open(struct play_sink *p, const struct play_rule *rules)
{
	*p = (struct play_sink){.rules = rules};
	p->line = buf_init(1 << 20);
	p->to_client = buf_init(16 << 20);
	play_line(p, NO_BYTES);
}

#endif
