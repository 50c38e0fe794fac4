/* play_imap_driver.h - answers every question of the IMAP machine. */
#ifndef TESTS_PLAY_IMAP_DRIVER_H
#define TESTS_PLAY_IMAP_DRIVER_H

#include "play_imap_changes.h"
#include "play_imap_find.h"
#include "play_imap_folders.h"
#include "play_imap_rows.h"

/* Answers the question; false when the want is none. */
static inline bool
imap_play_answer(struct imap_play *t, enum imap_want want, struct wr *out)
{
	static const uint8_t nonce[SASL_NONCE] = "nonce";

	if (want == t->refuse && want != IMAP_INPUT) {
		if (want < IMAP_STRUCTURE || want > IMAP_OCTETS) /* else the rows go on */
			t->at = 0;
		imap_answer(t->p, t->with);
		return true;
	}
	switch (want) {
	case IMAP_NONCE:
		imap_nonce(t->p, nonce);
		return true;
	case IMAP_SASL:
		imap_play_sasl(t);
		return true;
	case IMAP_FOLDERS:
		imap_play_folders(t, out);
		return true;
	case IMAP_FOLDER:
		imap_play_folder(t);
		return true;
	case IMAP_STATE:
		imap_status(t->p, &(struct imap_status){(uint32_t)t->n, 1, t->uidnext, 7, 2});
		return true;
	case IMAP_OPEN:
		imap_play_open(t);
		return true;
	case IMAP_SYNC:
		imap_play_sync(t, out);
		return true;
	case IMAP_BEGIN:
		imap_play_begin(t);
		return true;
	case IMAP_PIECE:
		wr_bytes(&t->did, imap_piece(t->p));
		imap_answer(t->p, IMAP_OK);
		return true;
	case IMAP_COMMIT:
		imap_play_did(t, "commit", NO_BYTES);
		imap_appended(t->p, 7, 42);
		return true;
	case IMAP_LEAVE:
	case IMAP_DROP:
		imap_play_did(t, want == IMAP_DROP ? "drop" : "leave", NO_BYTES);
		imap_answer(t->p, IMAP_OK);
		return true;
	case IMAP_RESOLVE:
		imap_answer(t->p, imap_play_begin_rows(t));
		return true;
	case IMAP_ROW:
		imap_play_next_row(t);
		return true;
	case IMAP_STRUCTURE:
		imap_structure(t->p, BYTES("(e)"), BYTES("(b)"), BYTES("(s)"));
		return true;
	case IMAP_PART:
		imap_play_part(t);
		return true;
	case IMAP_OCTETS:
		imap_play_octets(t, out);
		return true;
	case IMAP_FIND:
		imap_play_find(t, out);
		return true;
	case IMAP_TAKE:
		imap_play_take(t);
		return true;
	case IMAP_REMOVE:
		imap_play_remove(t);
		return true;
	case IMAP_INPUT:
	case IMAP_WAIT:
	case IMAP_ROOM:
	case IMAP_TLS:
	case IMAP_CLOSE:
		break;
	}
	return false;
}

#endif
