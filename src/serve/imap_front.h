/*
 * imap_front.h - what the files of the IMAP driver share: the session, the work of the command that
 * is under way, and how box is asked.  Only imap*.c here include it.
 *
 * Each imap_x() below begins to answer the machine's question, or goes on with it.  True: the
 * machine may step again.  False: box was asked, or there is no room, and the turn comes again.
 */
#ifndef SERVE_IMAP_FRONT_H
#define SERVE_IMAP_FRONT_H

#include "serve/imap.h"
#include "serve/imap_work.h"
#include "serve/login.h"

struct imap_front {
	struct front_session front;
	struct imap_serve *serve;
	struct imap *imap;
	struct login login;
	struct chan_ask ask;
	struct loop_task again, later;
	struct imap_work *work; /* NULL: none */
	struct imap_box *box;   /* NULL: none is selected */
	bool waiting, closing, stopped;
	bool changed; /* box has hinted, or it was us: ask at the next IMAP_SYNC */
	bool mapped;  /* found by its handle */
	bool wrote;   /* the machine has written since a command's first question: it may be over */
	bool expects; /* conn_expect() holds: it must not begin anew with each piece */
};
_Static_assert(sizeof(struct imap_front) <= 768, "an idle session is small");

/* ---- imap.c ---- */

/* The session looks again, from the loop. */
void imap_front_turn(struct imap_front *);
/* The answer to a question that box was asked for; then the turn. */
void imap_front_answer(struct imap_front *, enum imap_answer);
/* The turn comes again behind what others wait for: work was done for long enough. */
void imap_front_later(struct imap_front *);
/* Asks box; false, and the machine was told IMAP_TEMP, when it cannot be asked. */
bool imap_front_ask(struct imap_front *, struct talk_out, int fd, chan_answered *);
/* The work of this command; NULL, and the machine was told, when there is no memory for it. */
struct imap_work *imap_front_work(struct imap_front *);
struct random *imap_front_random(struct imap_front *);
uint64_t imap_front_now_s(const struct imap_front *);
struct purse *imap_front_bodies(struct imap_front *); /* of all messages on their way in */
uint64_t imap_front_size_max(const struct imap_front *);
/* A result of box as an answer to the machine. */
enum imap_answer imap_front_code(uint8_t code);
/* Ranges as a word has them, IMAP_RANGES_WORD at most, from *at on; *at moves. */
struct bytes imap_front_ranges(uint8_t *room, size_t n, const struct uid_range *, size_t n_ranges,
                               size_t *at);
/* A message was sent or appended. */
enum imap_count { IMAP_COUNT_SENT, IMAP_COUNT_APPENDED, IMAP_COUNTS };
void imap_front_count(struct imap_front *, enum imap_count, uint64_t);

/* ---- imap_folders.c ---- */
bool imap_front_folders(struct imap_front *);       /* LIST, LSUB */
bool imap_front_folder_change(struct imap_front *); /* CREATE ... */
bool imap_front_folder_status(struct imap_front *);
void imap_front_folders_free(struct imap_folder_list *);

/* ---- imap_open.c ---- */
bool imap_front_open(struct imap_front *); /* SELECT, EXAMINE */
void imap_front_leave(struct imap_front *);
/* All keywords of the mailbox, as box told them; false, and nothing changed, without memory. */
bool imap_front_keywords(struct imap_box *, struct bytes packed);
/* What the mailbox holds is charged; false: the purse does not allow it. */
bool imap_front_charge(struct imap_front *);

/* ---- imap_sync.c ---- */
bool imap_front_sync(struct imap_front *);
/* This session has changed something at `modseq`: it is not told of it again. */
void imap_front_sync_own(struct imap_front *, uint64_t modseq);

/* ---- imap_append.c ---- */
bool imap_front_append_begin(struct imap_front *);
bool imap_front_append_piece(struct imap_front *);
bool imap_front_append_commit(struct imap_front *);

/* ---- imap_change.c ---- */
bool imap_front_resolve(struct imap_front *); /* FETCH, STORE */
bool imap_front_take(struct imap_front *);    /* COPY, MOVE */
bool imap_front_remove(struct imap_front *);

/* ---- imap_rows.c: FETCH ---- */
/* Rows of the work's set, from its start ... */
void imap_front_rows_begin(struct imap_work *);
/* ... the next page of them is asked for, and is in work->at when the turn comes. */
bool imap_front_rows(struct imap_front *, uint8_t fields);
/* Asks for octets of a message; answered() has them by imap_front_octets_get(). */
bool imap_front_octets(struct imap_front *, uint32_t uid, uint64_t at, uint64_t n, chan_answered *);
/* Borrowed from the word; false, and the session was answered, when there are none. */
bool imap_front_octets_get(struct imap_front *, struct err, struct chan_word *, struct bytes *out);
bool imap_front_next_row(struct imap_front *);
bool imap_front_make_structure(struct imap_front *);
bool imap_front_find_part(struct imap_front *);
bool imap_front_send_octets(struct imap_front *);
void imap_front_row_done(struct imap_work *, struct purse *); /* frees what the last row needed */

/* ---- imap_find.c: SEARCH ---- */
bool imap_front_find(struct imap_front *);
void imap_front_find_free(struct imap_find *);

#endif
