/* queue.c - the role that plans outgoing mail; nothing is sent out yet, so its queue is empty. */
#include "role/resting.h"

static void
word(void *state, const struct peer *p, struct chan_word *w)
{
	const struct talk_queue_list_answer empty = {0};

	(void)state;
	if (w->word == WORD_QUEUE_LIST)
		chan_answer(p->chan, w->seq, talk_queue_list_answer_out(&empty), -1);
}

const struct role_body role_queue = {
    .cage = {.name = "queue",
             .promises = CAGE_STDIO | CAGE_TALK,
             .files = 128,
             .file_size = ROLE_FILE_SIZE},
    .open = resting_open,
    .word = word,
};
