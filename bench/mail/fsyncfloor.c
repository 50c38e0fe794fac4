/*
 * fsyncfloor DIR SECS - what durability costs on the file system of DIR, for the ratios:
 *   append_fdatasync_per_s     one file, append 4 KiB + fdatasync, in a loop (a log)
 *   create_fsync_rename_per_s  one new 4 KiB file per message: create, write, fsync, rename, fsync of the directory (a Maildir)
 */
#include "net.h"

int
main(int argc, char **argv)
{
	static char block[4096];
	char tmp[4096], dst[4096];
	if (argc < 3)
		die("usage: fsyncfloor DIR SECS");
	uint64_t lim = (uint64_t)(atof(argv[2]) * 1e9), t0, n;
	memset(block, 'x', sizeof block);
	snprintf(tmp, sizeof tmp, "%s/floor.log", argv[1]);
	int fd = open(tmp, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0600),
	    dir = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (fd < 0 || dir < 0)
		die("open in %s: %s", argv[1], strerror(errno));
	for (n = 0, t0 = now_ns(); now_ns() - t0 < lim; n++)
		if (write(fd, block, sizeof block) != sizeof block || fdatasync(fd))
			die("write: %s", strerror(errno));
	printf("append_fdatasync_per_s %.0f\n", (double)n * 1e9 / (double)(now_ns() - t0));
	close(fd);
	unlink(tmp);
	for (n = 0, t0 = now_ns(); now_ns() - t0 < lim; n++) {
		snprintf(tmp, sizeof tmp, "%s/floor.tmp", argv[1]);
		snprintf(dst, sizeof dst, "%s/floor.%lu", argv[1], (unsigned long)n);
		if ((fd = open(tmp, O_CREAT | O_EXCL | O_WRONLY, 0600)) < 0 ||
		    write(fd, block, sizeof block) != sizeof block || fsync(fd) || close(fd) ||
		    rename(tmp, dst) || fsync(dir))
			die("file: %s", strerror(errno));
	}
	printf("create_fsync_rename_per_s %.0f\n", (double)n * 1e9 / (double)(now_ns() - t0));
	while (n--) {
		snprintf(dst, sizeof dst, "%s/floor.%lu", argv[1], (unsigned long)n);
		unlink(dst);
	}
	return 0;
}
