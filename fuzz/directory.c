/* directory.c - whatever the bytes of an image are, looking up in it stays within them. */
#include "directory/image.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct bytes addresses[] = {
	    BYTES("alice@example.org"),
	    BYTES("list@example.org"),
	    BYTES("loop@example.org"),
	    BYTES("bob+tag@example.org"),
	    BYTES("postmaster"),
	    BYTES("postmaster@example.com"),
	    BYTES("anybody@example.com"),
	    BYTES("a@example.net"),
	    BYTES("@"),
	    NO_BYTES,
	};
	struct directory d;

	if (!directory_open(&d, (struct bytes){data, n}))
		return 0;
	directory_has_domain(&d, BYTES("Example.org"));
	for (size_t i = 0; i < COUNT(addresses); i++) {
		struct directory_answer a;
		struct directory_target t;
		unsigned sum = 0, targets = 0;

		assert(directory_lookup(&d, addresses[i], &a) == a.kind);
		for (; directory_target(&a, &t); targets++)
			for (size_t k = 0; k < t.remote.n; k++)
				sum += t.remote.p[k];
		assert(targets <= DIRECTORY_TARGETS_MAX &&
		       sum <= targets * 255 * DIRECTORY_ADDRESS_MAX);
	}
	return 0;
}
