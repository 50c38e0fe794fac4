/*
 * fold.h - text without regard to case: each character as the one that stands for its upper and
 * lower forms, for ASCII, Latin, Greek and Cyrillic letters.  All others stay as they are.
 */
#ifndef VIEW_FOLD_H
#define VIEW_FOLD_H

#include "base/bytes.h"

/* Folds whole characters of UTF-8 where they lie; returns how many octets it has then, never more. */
size_t fold_text(uint8_t *text, size_t n);

#endif
