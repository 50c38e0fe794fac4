/*
 * play_sasl.h - answers what a SASL exchange asks: bob's password is "secret", his proof is 32 times
 * "p"; of `later` nothing can be told; all others are refused.
 */
#ifndef TESTS_PLAY_SASL_H
#define TESTS_PLAY_SASL_H

#include "proto/sasl.h"

#define PLAY_PROOF     "pppppppppppppppppppppppppppppppp"
#define PLAY_SIGNATURE "ssssssssssssssssssssssssssssssss"

static inline void
sasl_play_answer(struct sasl *x)
{
	bool bob = bytes_eq(sasl_name(x), BYTES("bob"));
	bool later = bytes_eq(sasl_name(x), BYTES("later"));

	if (later)
		sasl_answer(x, SASL_TEMP);
	else if (sasl_want(x) == SASL_PASSWORD)
		sasl_answer(x, bob && bytes_eq(sasl_password(x), BYTES("secret")) ? SASL_OK
		                                                                  : SASL_DENIED);
	else if (sasl_want(x) == SASL_SALT)
		sasl_salt(x, BYTES("salt of somebody"), 4096);
	else if (bob && bytes_eq(sasl_proof(x), BYTES(PLAY_PROOF)))
		sasl_signature(x, BYTES(PLAY_SIGNATURE));
	else
		sasl_answer(x, SASL_DENIED);
}

#endif
