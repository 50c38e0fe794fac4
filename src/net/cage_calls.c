/*
 * cage_calls.c - which calls of the kernel each promise brings.
 *
 * The first line with a call's number that a row's promises bring is the one that counts, so the
 * wider rule of a call stands before the narrower.  What is asked most often stands first.  Calls
 * that no line names do not exist for a role: execve, fork, ptrace, mount, unshare, bpf, io_uring,
 * userfaultfd, keyctl, perf_event_open, process_vm_readv, setuid, chroot, listen among them.
 */
#include "net/cage_parts.h"
#include <sys/syscall.h>

#define S  CAGE_STDIO
#define T  CAGE_TALK
#define D  (CAGE_DATAGRAMS | CAGE_UDP_OPEN)
#define FR (CAGE_FILES_READ | CAGE_FILES_WRITE)
#define FW CAGE_FILES_WRITE
#define M  CAGE_MEMFD
#define TH CAGE_THREADS

const struct cage_call cage_calls[] = {
    /* waiting, reading, writing */
    {SYS_epoll_pwait, S, RULE_ANY},
    {SYS_read, S, RULE_ANY},
    {SYS_write, S, RULE_ANY},
    {SYS_recvfrom, S, RULE_ANY},
    {SYS_sendto, D, RULE_ANY},
    {SYS_sendto, S, RULE_NO_ADDRESS},
    {SYS_recvmsg, T | D, RULE_ANY},
    {SYS_sendmsg, T | D, RULE_ANY},
    {SYS_recvmmsg, D, RULE_ANY},
    {SYS_sendmmsg, D, RULE_ANY},
    {SYS_epoll_ctl, S, RULE_ANY},
    {SYS_readv, S, RULE_ANY},
    {SYS_writev, S, RULE_ANY},
    {SYS_futex, S, RULE_ANY},
    {SYS_close, S, RULE_ANY},
    {SYS_pread64, S, RULE_ANY},
    {SYS_preadv, S, RULE_ANY},
    {SYS_sendfile, S, RULE_ANY},
    {SYS_splice, S, RULE_ANY},
    {SYS_accept4, CAGE_ACCEPT, RULE_ANY},
    {SYS_ppoll, S, RULE_ANY},
    {SYS_epoll_create1, S, RULE_ANY},
    {SYS_eventfd2, S, RULE_ANY},
    {SYS_pipe2, S, RULE_ANY},
    {SYS_lseek, S, RULE_ANY},
    {SYS_fstat, S, RULE_ANY},
    {SYS_dup, S, RULE_ANY},
    {SYS_dup3, S, RULE_ANY},
    {SYS_close_range, S, RULE_ANY},
    {SYS_fcntl, S, RULE_FCNTL},
    {SYS_ioctl, S, RULE_IOCTL},
    {SYS_shutdown, S, RULE_ANY},
    {SYS_getsockname, S, RULE_ANY},
    {SYS_getpeername, S, RULE_ANY},
    {SYS_getsockopt, S, RULE_ANY},
    {SYS_setsockopt, S, RULE_OPTION},

    /* memory */
    {SYS_mmap, S, RULE_NOT_EXEC},
    {SYS_mprotect, S, RULE_NOT_EXEC},
    {SYS_munmap, S, RULE_ANY},
    {SYS_mremap, S, RULE_ANY},
    {SYS_madvise, S, RULE_ANY},
    {SYS_brk, S, RULE_ANY},

    /* time, random, the process itself */
    {SYS_clock_gettime, S, RULE_ANY},
    {SYS_clock_getres, S, RULE_ANY},
    {SYS_clock_nanosleep, S, RULE_ANY},
    {SYS_nanosleep, S, RULE_ANY},
    {SYS_gettimeofday, S, RULE_ANY},
    {SYS_getrandom, S, RULE_ANY},
    {SYS_rt_sigaction, S, RULE_ANY},
    {SYS_rt_sigprocmask, S, RULE_ANY},
    {SYS_rt_sigreturn, S, RULE_ANY},
    {SYS_sigaltstack, S, RULE_ANY},
    {SYS_restart_syscall, S, RULE_ANY},
    {SYS_getpid, S, RULE_ANY},
    {SYS_getppid, S, RULE_ANY},
    {SYS_gettid, S, RULE_ANY},
    {SYS_getuid, S, RULE_ANY},
    {SYS_geteuid, S, RULE_ANY},
    {SYS_getgid, S, RULE_ANY},
    {SYS_getegid, S, RULE_ANY},
    {SYS_uname, S, RULE_ANY},
    {SYS_sysinfo, S, RULE_ANY},
    {SYS_getrusage, S, RULE_ANY},
    {SYS_getcpu, S, RULE_ANY},
    {SYS_sched_yield, S, RULE_ANY},
    {SYS_sched_getaffinity, S, RULE_ANY},
    {SYS_membarrier, S, RULE_ANY},
    {SYS_prlimit64, S, RULE_OWN_LIMITS},
    {SYS_prctl, S, RULE_PRCTL},
    {SYS_kill, CAGE_CHILDREN, RULE_ANY},
    {SYS_tgkill, S, RULE_SELF},
    {SYS_exit, S, RULE_ANY},
    {SYS_exit_group, S, RULE_ANY},

    /* threads; clone3 hides its flags behind a pointer, and glibc does without it */
    {SYS_clone3, S, RULE_REFUSED},
    {SYS_clone, TH, RULE_THREAD},
    {SYS_set_robust_list, TH, RULE_ANY},
    {SYS_rseq, TH, RULE_ANY},

    /* new sockets */
    {SYS_socket, CAGE_TCP_OPEN | CAGE_UDP_OPEN, RULE_SOCKET},
    {SYS_connect, CAGE_TCP_OPEN | CAGE_UDP_OPEN, RULE_ANY},
    {SYS_bind, CAGE_TCP_OPEN | CAGE_UDP_OPEN, RULE_ANY},

    /* shared memory */
    {SYS_memfd_create, M, RULE_ANY},
    {SYS_ftruncate, M | FW, RULE_ANY},
    {SYS_fallocate, M | FW, RULE_ANY},
    {SYS_pwrite64, M | FW, RULE_ANY},
    {SYS_pwritev, M | FW, RULE_ANY},

    /* files: what is beneath the folders is Landlock's matter; openat2 hides its flags, too */
    {SYS_openat, FW, RULE_ANY},
    {SYS_openat, CAGE_FILES_READ, RULE_READ_ONLY},
    {SYS_openat2, FR, RULE_ANY},
    {SYS_newfstatat, FR, RULE_ANY},
    {SYS_newfstatat, S, RULE_EMPTY_PATH},
    {SYS_statx, FR, RULE_ANY},
    {SYS_fstatfs, FR, RULE_ANY},
    {SYS_getdents64, FR, RULE_ANY},
    {SYS_readlinkat, FR, RULE_ANY},
    {SYS_faccessat, FR, RULE_ANY},
    {SYS_faccessat2, FR, RULE_ANY},
    {SYS_fadvise64, FR, RULE_ANY},
    {SYS_readahead, FR, RULE_ANY},
    {SYS_flock, FR, RULE_ANY},
    {SYS_fsync, FW, RULE_ANY},
    {SYS_fdatasync, FW, RULE_ANY},
    {SYS_sync_file_range, FW, RULE_ANY},
    {SYS_msync, FW, RULE_ANY},
    {SYS_copy_file_range, FW, RULE_ANY},
    {SYS_renameat, FW, RULE_ANY},
    {SYS_renameat2, FW, RULE_ANY},
    {SYS_unlinkat, FW, RULE_ANY},
    {SYS_linkat, FW, RULE_ANY},
    {SYS_mkdirat, FW, RULE_ANY},
    {SYS_fchmod, FW, RULE_ANY},
    {SYS_utimensat, FW, RULE_ANY},

    /* processes */
    {SYS_wait4, CAGE_CHILDREN, RULE_ANY},
    {SYS_waitid, CAGE_CHILDREN, RULE_ANY},
    {SYS_pidfd_send_signal, CAGE_CHILDREN, RULE_ANY},

#ifdef __x86_64__ /* older forms, which the C library still uses there */
    {SYS_epoll_wait, S, RULE_ANY},
    {SYS_poll, S, RULE_ANY},
    {SYS_time, S, RULE_ANY},
    {SYS_dup2, S, RULE_ANY},
    {SYS_pipe, S, RULE_ANY},
    {SYS_accept, CAGE_ACCEPT, RULE_ANY},
    {SYS_access, FR, RULE_ANY},
    {SYS_readlink, FR, RULE_ANY},
    {SYS_rename, FW, RULE_ANY},
    {SYS_unlink, FW, RULE_ANY},
    {SYS_rmdir, FW, RULE_ANY},
    {SYS_mkdir, FW, RULE_ANY},
    {SYS_link, FW, RULE_ANY},
#endif
};

const size_t cage_calls_n = COUNT(cage_calls);
