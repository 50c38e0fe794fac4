/*
 * ftp.c - any input to the FTP machine: what is said and asked does not depend on how the input is
 * cut, and every path that is asked for is absolute, without "." and "..", and without what ends a
 * line.
 */
#include "../tests/play_ftp.h"
#include "base/text.h"
#include "proto/ftp_path.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Each path in what was asked: it begins with "/", and has no name that leads elsewhere. */
static void
check_path(struct bytes path)
{
	struct bytes rest = path;

	while (rest.n) {
		struct bytes name = text_cut(&rest, '/');

		assert(name.n <= FTP_NAME_MAX);
		assert(name.n || path.n == 1 || name.p == path.p);
		assert(!bytes_eq(name, BYTES(".")) && !bytes_eq(name, BYTES("..")));
		assert(!memchr(name.p, '\r', name.n) && !memchr(name.p, 0, name.n));
	}
}

static void
check_paths(struct bytes asked)
{
	while (asked.n) {
		struct bytes line = text_cut(&asked, '\n');
		const uint8_t *path = memchr(line.p, '/', line.n);

		if (path && !bytes_begins_nocase(line, BYTES("login ")) &&
		    !bytes_begins_nocase(line, BYTES("of ")))
			check_path((struct bytes){path, (size_t)(line.p + line.n - path)});
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct ftp_play whole, cut;
	struct rd in = rd_of((struct bytes){data, n});
	uint8_t how = rd_u8(&in), piece = rd_u8(&in);
	struct bytes client = rd_rest(&in);

	ftp_play_init(&whole);
	ftp_play_init(&cut);
	whole.conf.tls = cut.conf.tls = !(how & 1);
	whole.peer.plaintext = cut.peer.plaintext = !(how & 2);
	whole.no_port = cut.no_port = how & 4;
	if (how & 8)
		whole.peer.ip[0] = cut.peer.ip[0] = 0x20;
	cut.room = FTP_REPLY_MAX + piece % 64;
	if (!client.n)
		return 0;
	if (client.n > 6144)
		client.n = 6144;
	ftp_play(&whole, client, client.n + 1);
	ftp_play(&cut, client, piece % 32 + 1u);
	if (!whole.said.full && !cut.said.full)
		assert(bytes_eq(ftp_play_said(&whole), ftp_play_said(&cut)));
	assert(bytes_eq(ftp_play_asked(&whole), ftp_play_asked(&cut)));
	check_paths(ftp_play_asked(&whole));
	return 0;
}
