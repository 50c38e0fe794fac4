/* sender.c - EHLO, AUTH, then MAIL, RCPT, DATA, the text; each when it may, or as many at once. */
#include "sender.h"

#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { GREETING, EHLO, AUTH, MAIL, RCPT, DATA, TEXT, RESET, QUIT, OVER };

static unsigned
chance(struct sender *s, unsigned n)
{
	return scene_chance(s->ledger->scene, n);
}

static void
say_rcpt(struct sender *s, size_t i)
{
	line_sayf(&s->line, "RCPT TO:<%s>\r\n", s->conf->rcpts[s->rcpts[i]].address);
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
		s->rcpts[i] = chance(s, (unsigned)s->conf->n_rcpts);
	s->answered = s->accepted = 0;
	s->stage = MAIL;
	if (s->conf->login || chance(s, 3))
		line_sayf(&s->line, "MAIL FROM:<%s> BODY=8BITMIME\r\n", s->conf->from);
	else
		line_sayf(&s->line, "MAIL FROM:<>\r\n");
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

	line_say(&s->line, bytes_of(s->ledger->header));
	for (size_t at = 0, end; at < text.n; at = end) { /* dots stuffed: RFC 5321 4.5.2 */
		const uint8_t *lf = memchr(text.p + at, '\n', text.n - at);

		end = (size_t)(lf - text.p) + 1;
		if (text.p[at] == '.')
			line_say(&s->line, BYTES("."));
		line_say(&s->line, (struct bytes){text.p + at, end - at});
	}
	if (!s->ledger->scene->mended &&
	    chance(s, 20) == 0) { /* it dies in the midst: the end was never sent */
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
	const struct sender_rcpt *rcpt = &s->conf->rcpts[s->rcpts[s->answered++]];

	SCENE_MUST(s->line.scene, code == 250 || code == 451 || code == 550 || code == 421);
	SCENE_MUST(s->line.scene, code != 550 || rcpt->refused);
	if (code == 250) {
		SCENE_MUST(s->line.scene, !rcpt->refused);
		s->ledger->letters[s->letter].to |= rcpt->to;
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
log_in(struct sender *s)
{
	uint8_t plain[256], room[400];
	struct wr p = wr_of(plain, sizeof(plain)), w = wr_of(room, sizeof(room));
	struct bytes text;

	wr_u8(&p, '\0');
	wr_text(&p, s->conf->login->address);
	wr_u8(&p, '\0');
	wr_text(&p, s->conf->login->password);
	base64_encode(&w, wr_since(&p, plain));
	text = wr_since(&w, room);
	s->stage = AUTH;
	line_sayf(&s->line, "AUTH PLAIN %.*s\r\n", (int)text.n, (const char *)text.p);
}

static void
taken(struct sender *s, int code)
{
	SCENE_MUST(s->line.scene, code == 250 || code == 451);
	if (code == 250)
		s->ledger->letters[s->letter].fate = LETTER_TAKEN;
	next_letter(s);
}

static void
logged_in(struct sender *s, int code)
{
	SCENE_MUST(s->line.scene, code == 235 || code == 454);
	if (code == 235)
		next_letter(s);
	else
		line_close(&s->line);
}

static void
answered(struct sender *s, int code)
{
	if (s->conf->login && code == 421) { /* box has begun anew, and knows the login no more */
		line_close(&s->line);
		return;
	}
	switch (s->stage) {
	case GREETING:
		s->stage = EHLO;
		line_sayf(&s->line, "EHLO client.example\r\n");
		break;
	case MAIL:
		if (s->conf->login && code == 451) { /* nobody can tell whose address it is */
			line_close(&s->line);
			break;
		}
		SCENE_MUST(s->line.scene, code == 250);
		s->stage = RCPT;
		if (!s->pipelined)
			say_rcpt(s, 0);
		break;
	case RCPT:
		rcpt_answered(s, code);
		break;
	case DATA:
		SCENE_MUST(s->line.scene, (code == 354) == (s->accepted > 0));
		if (code == 354) {
			say_text(s);
		} else {
			s->stage = RESET;
			line_sayf(&s->line, "RSET\r\n");
		}
		break;
	case TEXT:
		taken(s, code);
		break;
	case EHLO:
		SCENE_MUST(s->line.scene, code == 250);
		if (s->conf->login)
			log_in(s);
		else
			next_letter(s);
		break;
	case AUTH:
		logged_in(s, code);
		break;
	case RESET:
		SCENE_MUST(s->line.scene, code == 250);
		next_letter(s);
		break;
	default:
		if (code != 221)
			scene_broken(s->line.scene, "%d in stage %d", code, s->stage);
		line_close(&s->line);
		break;
	}
}

static void
heard(void *owner, struct bytes line)
{
	struct sender *s = owner;

	SCENE_MUST(s->line.scene, line.n >= 4);
	if (line.p[3] == ' ')
		answered(s, (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + line.p[2] - '0');
	else
		SCENE_MUST(s->line.scene, line.p[3] == '-');
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
	s->line.heard = heard;
	s->line.gone = gone;
	s->line.owner = s;
	if (!line_open(&s->line, s->ledger->scene, &s->conf->to))
		s->stage = OVER;
}

void
sender_start(struct sender *s, struct ledger *ledger, const struct sender_conf *conf,
             uint64_t within_ms)
{
	*s = (struct sender){.ledger = ledger, .conf = conf, .line = {.fd = -1}};
	s->left = 1 + chance(s, conf->letters);
	s->pipelined = chance(s, 2);
	loop_timer_set(ledger->scene->loop, &s->start, random_below(ledger->scene->dice, within_ms),
	               start, s);
}

bool
sender_is_over(const struct sender *s)
{
	return s->stage == OVER;
}
