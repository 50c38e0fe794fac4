/*
 * cage_land.c - Landlock: no file but beneath the row's folders, no TCP port, no signal and no
 * abstract socket to the outside.
 *
 * The distribution's headers know less than the kernel that may run this: the constants beyond ABI 2
 * stand here, and what is asked for is cut to what the kernel's ABI knows (landlock(7)).
 */
#include "net/cage_parts.h"
#include <errno.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FS_REFER     (1ULL << 13) /* ABI 2 */
#define FS_TRUNCATE  (1ULL << 14) /* ABI 3 */
#define FS_IOCTL     (1ULL << 15) /* ABI 5 */
#define NET_BIND     (1ULL << 0)  /* ABI 4 */
#define NET_CONNECT  (1ULL << 1)
#define SCOPE_SOCKET (1ULL << 0) /* ABI 6 */
#define SCOPE_SIGNAL (1ULL << 1)

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* Regular files and folders only: no devices, sockets, pipes, symbolic links; nothing to execute. */
#define FS_WRITE                                                                                   \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                           \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                            \
	 LANDLOCK_ACCESS_FS_MAKE_REG | FS_REFER | FS_TRUNCATE)

/* struct landlock_ruleset_attr as of ABI 6; an older kernel takes the beginning of it. */
struct ruleset {
	uint64_t files, tcp, scope;
};

/* What the kernel knows; 0: nothing, or it is switched off. */
static int
land_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

/* All that this ABI can forbid in files. */
static uint64_t
land_files(int abi)
{
	uint64_t all = FS_REFER - 1; /* ABI 1: the 13 below it */

	if (abi >= 2)
		all |= FS_REFER;
	if (abi >= 3)
		all |= FS_TRUNCATE;
	if (abi >= 5)
		all |= FS_IOCTL;
	return all;
}

/* What is forbidden, and in the report: what of it could not be. */
static struct ruleset
land_rules(const struct cage *c, struct cage_report *r)
{
	struct ruleset rules = {0, 0, 0};
	uint8_t *files = &r->state[CAGE_LAND_FILES];
	uint8_t *tcp = &r->state[CAGE_LAND_TCP];
	uint8_t *scope = &r->state[CAGE_LAND_SCOPE];

	*files = r->abi >= 1 ? CAGE_DONE : CAGE_NO_KERNEL;
	*tcp = r->abi >= 4 ? CAGE_DONE : CAGE_NO_KERNEL;
	*scope = r->abi >= 6 ? CAGE_DONE : CAGE_NO_KERNEL;
	if (c->row->promises & CAGE_TCP_OPEN)
		*tcp = CAGE_UNNEEDED;
	if (cage_skips(c, CAGE_LAND_FILES))
		*files = CAGE_SKIPPED;
	if (cage_skips(c, CAGE_LAND_TCP))
		*tcp = CAGE_SKIPPED;
	if (cage_skips(c, CAGE_LAND_SCOPE))
		*scope = CAGE_SKIPPED;
	if (*files == CAGE_DONE)
		rules.files = land_files(r->abi);
	if (*tcp == CAGE_DONE)
		rules.tcp = NET_BIND | NET_CONNECT;
	if (*scope == CAGE_DONE)
		rules.scope =
		    c->row->promises & CAGE_CHILDREN ? SCOPE_SOCKET : SCOPE_SOCKET | SCOPE_SIGNAL;
	return rules;
}

static struct err
land_folder(int ruleset, const struct cage_folder *folder, const struct cage *c, uint64_t known)
{
	struct landlock_path_beneath_attr rule = {
	    .allowed_access = FS_READ,
	    .parent_fd = folder->fd,
	};

	if (folder->write && (c->row->promises & CAGE_FILES_WRITE))
		rule.allowed_access |= FS_WRITE;
	rule.allowed_access &= known;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
		return ERR(ERR_IO, errno, "cage: Landlock folder");
	return OK;
}

struct err
cage_land(const struct cage *c, struct cage_report *report)
{
	int abi = land_abi();
	struct ruleset rules;
	struct err e = OK;
	size_t n;
	int fd;

	report->abi = (uint8_t)(abi > UINT8_MAX ? UINT8_MAX : abi);
	rules = land_rules(c, report);
	if (!rules.files && !rules.tcp && !rules.scope)
		return OK;
	n = abi >= 6 ? sizeof(rules) : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, n, 0);
	if (fd < 0)
		return ERR(ERR_IO, errno, "cage: Landlock");
	for (size_t i = 0; rules.files && is_ok(e) && i < c->folders_n; i++)
		e = land_folder(fd, &c->folders[i], c, rules.files);
	if (is_ok(e) && syscall(SYS_landlock_restrict_self, fd, 0))
		e = ERR(ERR_IO, errno, "cage: Landlock");
	close(fd);
	return e;
}
