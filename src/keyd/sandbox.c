/* SPDX-License-Identifier: Apache-2.0 */
#include "keyd/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/core.h"
#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

/* clang-format off */
static const int allowed[] = {
    /* the socket, the journal, the slots, the log */
    SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(write),
    SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(fdatasync),
    SCMP_SYS(ftruncate), SCMP_SYS(close),
    /* memory */
    SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
    SCMP_SYS(futex), SCMP_SYS(munlock),
    SCMP_SYS(sysinfo), /* glibc's qsort() asks how much there is */
    /* time, randomness, identity */
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
    SCMP_SYS(getpid), SCMP_SYS(gettid),
    /* the end; abort() of a bug */
    SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction), SCMP_SYS(tgkill), SCMP_SYS(restart_syscall),
#ifdef HAS_SANITIZER /* what a sanitizer needs to work and to report */
    SCMP_SYS(mprotect), SCMP_SYS(sigaltstack), SCMP_SYS(openat), SCMP_SYS(read), SCMP_SYS(lseek),
    SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(newfstatat), SCMP_SYS(fstat),
    SCMP_SYS(ioctl), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(prctl), SCMP_SYS(uname), SCMP_SYS(getrlimit),
    SCMP_SYS(prlimit64), SCMP_SYS(clone), SCMP_SYS(wait4), SCMP_SYS(process_vm_readv),
#endif
};
/* clang-format on */

bool sandbox_prepare(struct err *err)
{
    if (!core_forbid(err))
        return false;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_set(err, ERR_INTERNAL, "the process cannot be protected: %s", strerror(errno));
    return true;
}

bool sandbox_close(struct err *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int failed = filter ? 0 : -ENOMEM;
    for (size_t i = 0; i < COUNT(allowed) && failed == 0; i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    if (failed == 0)
        failed = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    if (failed != 0)
        return err_set(err, ERR_INTERNAL, "the sandbox cannot be shut: %s", strerror(-failed));
    return true;
}
