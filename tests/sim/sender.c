/* sender.c - EHLO, then MAIL, RCPT, DATA, the text; each when it may, or as many at once. */
#include "sender.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { GREETING, EHLO, MAIL, RCPT, DATA, TEXT, RESET, QUIT, OVER };
enum { ALL = WORLD_USERS, NOBODY, ELSEWHERE, RCPT_KINDS };

static unsigned
chance(struct sender *s, unsigned n)
{
	return (unsigned)random_below(s->ledger->world->dice, n);
}

static const char *
address(int rcpt)
{
	static const char *const names[RCPT_KINDS] = {
	    "u0@example.org",  "U1@Example.org",     "u2+tag@example.org", "u3@example.org",
	    "all@example.org", "nobody@example.org", "u0@elsewhere.net"};

	return names[rcpt];
}

static unsigned
users_of(int rcpt)
{
	if (rcpt < WORLD_USERS)
		return 1u << rcpt;
	return rcpt == ALL ? 3 : 0;
}

static void
say_rcpt(struct sender *s, size_t i)
{
	line_sayf(&s->line, "RCPT TO:<%s>\r\n", address(s->rcpts[i]));
}

static void
next_letter(struct sender *s)
{
	if (!s->left || s->ledger->n == LETTERS) {
		s->stage = QUIT;
		line_sayf(&s->line, "QUIT\r\n");
		return;
	}
	s->left--;
	s->letter = s->ledger->n++;
	s->ledger->letters[s->letter] = (struct letter){.fate = LETTER_UNSENT};
	s->n_rcpts = 1 + chance(s, SENDER_RCPTS);
	for (size_t i = 0; i < s->n_rcpts; i++)
		s->rcpts[i] = (int)chance(s, RCPT_KINDS);
	s->answered = s->accepted = 0;
	s->stage = MAIL;
	line_sayf(&s->line,
	          chance(s, 3) ? "MAIL FROM:<a@b.org> BODY=8BITMIME\r\n" : "MAIL FROM:<>\r\n");
	if (!s->pipelined)
		return;
	for (size_t i = 0; i < s->n_rcpts; i++)
		say_rcpt(s, i);
	line_sayf(&s->line, "DATA\r\n");
}

static void
say_text(struct sender *s)
{
	struct bytes text = ledger_text(s->ledger, s->letter);

	for (size_t at = 0, end; at < text.n; at = end) { /* dots stuffed: RFC 5321 4.5.2 */
		const uint8_t *lf = memchr(text.p + at, '\n', text.n - at);

		end = (size_t)(lf - text.p) + 1;
		if (text.p[at] == '.')
			line_say(&s->line, BYTES("."));
		line_say(&s->line, (struct bytes){text.p + at, end - at});
	}
	if (chance(s, 20) == 0) { /* it dies in the midst: the end was never sent */
		line_close(&s->line);
		return;
	}
	line_say(&s->line, BYTES(".\r\n"));
	s->ledger->letters[s->letter].fate = LETTER_UNKNOWN;
	s->stage = TEXT;
}

static void
rcpt_answered(struct sender *s, int code)
{
	int rcpt = s->rcpts[s->answered++];

	WORLD_MUST(s->line.world, code == 250 || code == 451 || code == 550 || code == 421);
	WORLD_MUST(s->line.world, code != 550 || rcpt == NOBODY || rcpt == ELSEWHERE);
	if (code == 250) {
		WORLD_MUST(s->line.world, users_of(rcpt));
		s->ledger->letters[s->letter].to |= users_of(rcpt);
		s->accepted++;
	}
	if (s->answered == s->n_rcpts)
		s->stage = DATA;
	if (s->pipelined)
		return;
	if (s->answered < s->n_rcpts) {
		say_rcpt(s, s->answered);
	} else if (s->accepted && chance(s, 10)) {
		line_sayf(&s->line, "DATA\r\n");
	} else {
		s->stage = RESET;
		s->ledger->letters[s->letter].to = 0;
		line_sayf(&s->line, "RSET\r\n");
	}
}

static void
answered(struct sender *s, int code)
{
	switch (s->stage) {
	case GREETING:
		s->stage = EHLO;
		line_sayf(&s->line, "EHLO client.example\r\n");
		break;
	case MAIL:
		WORLD_MUST(s->line.world, code == 250);
		s->stage = RCPT;
		if (!s->pipelined)
			say_rcpt(s, 0);
		break;
	case RCPT:
		rcpt_answered(s, code);
		break;
	case DATA:
		WORLD_MUST(s->line.world, (code == 354) == (s->accepted > 0));
		if (code == 354) {
			say_text(s);
		} else {
			s->stage = RESET;
			line_sayf(&s->line, "RSET\r\n");
		}
		break;
	case TEXT:
		WORLD_MUST(s->line.world, code == 250 || code == 451);
		if (code == 250)
			s->ledger->letters[s->letter].fate = LETTER_TAKEN;
		next_letter(s);
		break;
	case EHLO:
	case RESET:
		WORLD_MUST(s->line.world, code == 250);
		next_letter(s);
		break;
	default:
		WORLD_MUST(s->line.world, code == 221);
		line_close(&s->line);
		break;
	}
}

static void
heard(void *owner, struct bytes line)
{
	struct sender *s = owner;

	WORLD_MUST(s->line.world, line.n >= 4);
	if (line.p[3] == ' ')
		answered(s, (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + line.p[2] - '0');
	else
		WORLD_MUST(s->line.world, line.p[3] == '-');
}

static void
gone(void *owner)
{
	((struct sender *)owner)->stage = OVER;
}

static void
start(void *owner)
{
	struct sender *s = owner;
	const struct addr to = world_smtp();

	s->line.heard = heard;
	s->line.gone = gone;
	s->line.owner = s;
	if (!line_open(&s->line, s->ledger->world, &to))
		s->stage = OVER;
}

void
sender_start(struct sender *s, struct ledger *ledger, uint64_t within_ms)
{
	*s = (struct sender){.ledger = ledger, .line = {.fd = -1}};
	s->left = 1 + chance(s, 4);
	s->pipelined = chance(s, 2);
	loop_timer_set(ledger->world->loop, &s->start, random_below(ledger->world->dice, within_ms),
	               start, s);
}

bool
sender_is_over(const struct sender *s)
{
	return s->stage == OVER;
}
