/* ftp_path.c - joining and cutting of paths. */
#include "proto/ftp_path.h"

#include "base/text.h"
#include "proto/ftp.h"

/* Cuts the last name off what was written since `start`. */
static void
up(struct wr *w, uint8_t *start)
{
	while (w->p > start && *--w->p != '/')
		;
}

bool
ftp_path_join(struct wr *w, struct bytes folder, struct bytes name)
{
	uint8_t *start = w->p;
	struct bytes rest = name, word;

	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] < ' ' || name.p[i] == 0x7f)
			return false;
	if (!(name.n && name.p[0] == '/') && folder.n > 1)
		wr_bytes(w, folder);
	while (rest.n) {
		word = text_cut(&rest, '/');
		if (!word.n || bytes_eq(word, BYTES(".")))
			continue;
		if (bytes_eq(word, BYTES(".."))) {
			up(w, start);
			continue;
		}
		if (word.n > FTP_NAME_MAX)
			return false;
		wr_u8(w, '/');
		wr_bytes(w, word);
	}
	if (w->p == start)
		wr_u8(w, '/');
	return !w->full && wr_since(w, start).n <= FTP_PATH_MAX;
}

struct bytes
ftp_path_last(struct bytes path)
{
	size_t n = 0;

	while (n < path.n && path.p[path.n - 1 - n] != '/')
		n++;
	return n ? (struct bytes){path.p + path.n - n, n} : NO_BYTES;
}

void
ftp_path_put(struct wr *w, struct bytes path, bool quoted)
{
	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] == 0xff || (quoted && path.p[i] == '"'))
			wr_u8(w, path.p[i]);
		wr_u8(w, path.p[i]);
	}
}
