/*
 * smtpc_reply.c - every reply is read for itself: what one left behind never becomes part of the
 * next (attack 56).
 */
#include "proto/smtpc_reply.h"

#include "base/text.h"
#include "proto/verb.h"

/* Cuts "5.1.1" off the start of a text, where it fits the code; false: there is none. */
static bool
take_status(uint16_t code, struct bytes *text, uint8_t status[3])
{
	struct bytes rest = *text, word = text_cut(&rest, ' ');
	uint64_t part;

	for (int i = 0; i < 3; i++) {
		struct bytes digits = text_cut(&word, '.');

		if (!text_u64(digits, 255, &part) || digits.n > 3 || (i < 2 && !word.p))
			return false;
		status[i] = (uint8_t)part;
	}
	if (word.n || status[0] != code / 100 || status[0] == 3)
		return false;
	*text = rest;
	return true;
}

static void
keep(struct smtpc_reply *r, struct bytes text)
{
	for (size_t i = 0; i < text.n && r->n < sizeof(r->text); i++) {
		uint8_t c = text.p[i];

		r->text[r->n++] = c == '\t' ? ' ' : c < ' ' || c > '~' ? '?' : c;
	}
}

/* The lines are joined; the status is said once. */
static void
keep_line(struct smtpc_reply *r, struct bytes line)
{
	struct bytes text = line.n > 4 ? (struct bytes){line.p + 4, line.n - 4} : NO_BYTES;
	uint8_t status[3];

	if (r->lines == 1) {
		keep(r, (struct bytes){line.p, 3});
		if (text.n) {
			keep(r, BYTES(" "));
			keep(r, text);
		}
		r->has_status = take_status(r->code, &text, r->status);
		return;
	}
	if (r->has_status)
		take_status(r->code, &text, status);
	if (text.n) {
		keep(r, BYTES(" "));
		keep(r, text);
	}
}

/* 0: not the code of a reply. */
static uint16_t
code_of(struct bytes line)
{
	uint64_t code;

	if (line.n < 3 || !text_u64((struct bytes){line.p, 3}, 599, &code) || code < 200)
		return 0;
	return (uint16_t)code;
}

enum smtpc_took
smtpc_reply_take(struct smtpc_reply *r, struct rd *in, struct bytes *text)
{
	struct bytes line;
	uint16_t code;

	*text = NO_BYTES;
	switch (verb_line(in, SMTPC_LINE_MAX, &line)) {
	case VERB_MORE:
		return SMTPC_MORE;
	case VERB_BARE:
	case VERB_LONG:
	case VERB_ALIEN:
		return SMTPC_BAD;
	case VERB_LINE:
		break;
	}
	code = code_of(line);
	r->octets += (uint32_t)line.n + 2;
	if (!code || (r->lines && code != r->code) || ++r->lines > SMTPC_REPLY_LINES ||
	    r->octets > SMTPC_REPLY_OCTETS || (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-'))
		return SMTPC_BAD;
	r->code = code;
	keep_line(r, line);
	*text = line.n > 4 ? (struct bytes){line.p + 4, line.n - 4}
	                   : (struct bytes){line.p + line.n, 0};
	return line.n > 3 && line.p[3] == '-' ? SMTPC_LINE : SMTPC_LAST;
}

void
smtpc_reply_status(const struct smtpc_reply *r, enum smtpc_about about, uint8_t status[3])
{
	static const struct {
		uint16_t code;
		uint8_t at; /* enum smtpc_about bits; 0: everywhere */
		uint8_t subject, detail;
	} table[] = {
	    {421, 0, 3, 2},
	    {450, 1 << SMTPC_RCPT, 2, 0},
	    {451, 0, 3, 0},
	    {452, 0, 3, 1},
	    {454, 0, 7, 0},
	    {455, 0, 5, 4},
	    {500, 0, 5, 2},
	    {501, 0, 5, 4},
	    {502, 0, 5, 1},
	    {503, 0, 5, 1},
	    {504, 0, 5, 4},
	    {521, 0, 3, 2},
	    {530, 0, 7, 0},
	    {535, 0, 7, 8},
	    {550, 1 << SMTPC_RCPT, 1, 0},
	    {551, 1 << SMTPC_RCPT, 1, 6},
	    {552, 1 << SMTPC_RCPT, 2, 2},
	    {552, 0, 3, 4},
	    {553, 1 << SMTPC_SENDER, 1, 7},
	    {553, 1 << SMTPC_RCPT, 1, 3},
	    {555, 0, 5, 4},
	    {556, 0, 1, 10}, /* RFC 7504 */
	};

	status[0] = (uint8_t)(r->code / 100);
	status[1] = status[2] = 0;
	if (r->has_status) {
		memcpy(status, r->status, 3);
		return;
	}
	for (size_t i = 0; i < COUNT(table); i++)
		if (table[i].code == r->code && (!table[i].at || table[i].at >> about & 1)) {
			status[1] = table[i].subject;
			status[2] = table[i].detail;
			return;
		}
}
