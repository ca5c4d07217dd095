/* SPDX-License-Identifier: Apache-2.0 */
#include "server/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/core.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/directories.h"
#include "server/given.h"

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define EXECUTE (READ | LANDLOCK_ACCESS_FS_EXECUTE)
#define CHANGE                                                                                     \
    (READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                       \
     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |   \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)
/* Every right of the first version; later ones are not asked for. */
#define ALL                                                                                        \
    (EXECUTE | CHANGE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_FIFO |              \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK)
#define OF_A_FILE                                                                                  \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_EXECUTE)

static void fd_close(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}
DEFINE_CLEANUP(int, fd_close)

/* What libraries and the check of the edge's configuration need; missing ones are left out. */
static const struct place {
    const char *path;
    uint64_t rights;
} places[] = {
    {"/usr", EXECUTE},
    {"/lib", EXECUTE},
    {"/lib64", EXECUTE},
    {"/bin", EXECUTE},
    {"/sbin", EXECUTE},
    {"/opt", EXECUTE},
    {"/etc", READ},
    {"/proc", READ},
    {"/sys/devices/system/cpu", READ},
    {"/run/systemd/resolve", READ},
    {"/run/NetworkManager", READ},
    {"/run/resolvconf", READ},
    {"/dev/urandom", READ},
    {"/dev/null", READ | LANDLOCK_ACCESS_FS_WRITE_FILE},
};

/* The same for the edge: programs are not among it. */
static const struct place edge_places[] = {
    {"/usr", READ},
    {"/usr/lib", EXECUTE},
    {"/lib", EXECUTE},
    {"/lib64", EXECUTE},
    {"/etc", READ},
    {"/proc", READ},
    {"/sys/devices/system/cpu", READ},
    {"/dev/urandom", READ},
    {"/dev/null", READ | LANDLOCK_ACCESS_FS_WRITE_FILE},
};

static bool rule_add(int ruleset, const char *path, uint64_t rights, struct err *err)
{
    struct stat info;
    CLEANUP(fd_close_at) int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd < 0 || fstat(fd, &info) != 0)
        return err_set(err, ERR_INTERNAL, "sandbox: cannot open %s: %m", path);
    struct landlock_path_beneath_attr rule = {
        .allowed_access = S_ISDIR(info.st_mode) ? rights : rights & OF_A_FILE, .parent_fd = fd};
    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0 ||
           err_set(err, ERR_INTERNAL, "sandbox: cannot allow %s: %m", path);
}

/* SQLite's file brings its directory: the journal stands beside it. */
static bool database_add(int ruleset, const struct options *options, struct err *err)
{
    static const char scheme[] = "sqlite:";
    if (!text_starts(options->database, scheme))
        return true;
    CLEANUP(mem_free_at) char *folder = mem_text(NULL, options->database + strlen(scheme));
    char *slash = strrchr(folder, '/');
    if (!slash)
        return rule_add(ruleset, ".", CHANGE, err);
    *slash = '\0';
    return rule_add(ruleset, *folder ? folder : "/", CHANGE, err);
}

static bool rule_below(int ruleset, const char *base, const char *name, struct err *err)
{
    CLEANUP(mem_free_at) char *path = mem_format(NULL, "%s/%s", base, name);
    return rule_add(ruleset, path, CHANGE, err);
}

static bool places_add(int ruleset, const struct place *list, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!rule_add(ruleset, list[i].path, list[i].rights, err))
            return false;
    return true;
}

/* Their directories: a renewed certificate is another file. */
static bool given_rules(int ruleset, const struct options *options, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct given list[GIVEN_MAX];
    size_t count = given_list(scratch, options, list);
    for (size_t i = 0; i < count; i++) {
        const char *const files[] = {list[i].certificate, list[i].key};
        for (size_t k = 0; k < COUNT(files); k++) {
            const char *slash = strrchr(files[k], '/');
            char *folder = mem_text_part(scratch, files[k], (size_t)(slash - files[k]) + 1);
            if (!rule_add(ruleset, folder, READ, err))
                return false;
        }
    }
    return true;
}

/* A file that may be named. */
static bool file_rule(int ruleset, const char *path, struct err *err)
{
    return !path || !*path || rule_add(ruleset, path, READ, err);
}

static bool server_rules(int ruleset, const struct options *options, struct err *err)
{
    if (!places_add(ruleset, places, COUNT(places), err))
        return false;
    /* not data_dir: keyd's files lie beside the database */
    return rule_below(ruleset, options->data_dir, DIRECTORY_DATABASE, err) &&
           rule_below(ruleset, options->run_dir, DIRECTORY_EDGE, err) &&
           rule_below(ruleset, options->run_dir, DIRECTORY_SOCKETS, err) &&
           rule_below(ruleset, options->run_dir, DIRECTORY_EDGE_TMP, err) &&
           rule_add(ruleset, options->edge_program, EXECUTE, err) &&
           given_rules(ruleset, options, err) && file_rule(ruleset, options->apns_ca_file, err) &&
           file_rule(ruleset, options->service_ca_file, err) &&
           file_rule(ruleset, options->device_ca_file, err) &&
           file_rule(ruleset, options->attestation_ca_file, err) &&
           database_add(ruleset, options, err);
}

static bool edge_rules(int ruleset, const struct options *options, struct err *err)
{
    CLEANUP(mem_free_at) char *files = options_run_path(NULL, options, DIRECTORY_EDGE);
    return places_add(ruleset, edge_places, COUNT(edge_places), err) &&
           rule_add(ruleset, options->edge_program, EXECUTE, err) &&
           rule_add(ruleset, files, READ, err) &&
           rule_below(ruleset, options->run_dir, DIRECTORY_EDGE_TMP, err);
}

static bool files_shut(const struct options *options,
                       bool (*rules)(int, const struct options *, struct err *), struct err *err)
{
    const struct landlock_ruleset_attr handled = {.handled_access_fs = ALL};
    if (!core_forbid(err))
        return false;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_set(err, ERR_INTERNAL, "sandbox: %m");
    CLEANUP(fd_close_at)
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
    if (ruleset < 0) {
        log_event(LOG_INFO, "server.no-landlock", "reason", strerrorname_np(errno), NULL);
        return true;
    }
    if (!rules(ruleset, options, err))
        return false;
    return syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ||
           err_set(err, ERR_INTERNAL, "sandbox: cannot be shut: %m");
}

bool sandbox_files(const struct options *options, struct err *err)
{
    /* SQLite's temporary files: /tmp is closed to us */
    CLEANUP(mem_free_at)
    char *temporary = mem_format(NULL, "%s/" DIRECTORY_DATABASE, options->data_dir);
    if (setenv("SQLITE_TMPDIR", temporary, 1) != 0)
        return err_set(err, ERR_INTERNAL, "sandbox: %m");
    return files_shut(options, server_rules, err);
}

/* clang-format off */
static const int denied[] = {
    /* other processes */
    SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev), SCMP_SYS(kcmp), SCMP_SYS(pidfd_getfd), SCMP_SYS(userfaultfd),
    /* the kernel */
    SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load),
    SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(reboot),
    SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(syslog), SCMP_SYS(io_uring_setup),
    SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl),
    /* the machine */
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(unshare),
    SCMP_SYS(setns), SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(fsmount),
    SCMP_SYS(fspick), SCMP_SYS(fsconfig), SCMP_SYS(mount_setattr), SCMP_SYS(open_by_handle_at),
    SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct), SCMP_SYS(quotactl), SCMP_SYS(mknod),
    SCMP_SYS(mknodat), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime),
    SCMP_SYS(adjtimex), SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(personality),
    SCMP_SYS(vhangup), SCMP_SYS(lookup_dcookie),
};
static const int denied_programs[] = {SCMP_SYS(execve)};
static const int denied_users[] = {
    SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid),
    SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid),
    SCMP_SYS(setgroups), SCMP_SYS(capset),
};
/* clang-format on */

static int deny(scmp_filter_ctx filter, const int *calls, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count && failed == 0; i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
    return failed;
}

/* Namespaces of one's own by the calls that make processes and threads, too. The newer one hides
 * its flags from us: without it the C library takes the older. */
static int deny_namespaces(scmp_filter_ctx filter)
{
    static const scmp_datum_t flags[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWNET,   CLONE_NEWPID,
                                         CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};
    int failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    for (size_t i = 0; i < COUNT(flags) && failed == 0; i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, flags[i], flags[i]));
    return failed;
}

struct calls { /* what is denied beside what everybody is */
    bool programs, users;
};

static bool calls_shut(struct calls calls, struct err *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int failed = filter ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) : -ENOMEM;
    if (failed == 0)
        failed = deny(filter, denied, COUNT(denied));
    if (failed == 0)
        failed = deny_namespaces(filter);
    if (failed == 0 && calls.programs)
        failed = deny(filter, denied_programs, COUNT(denied_programs));
    if (failed == 0 && calls.users)
        failed = deny(filter, denied_users, COUNT(denied_users));
    if (failed == 0)
        failed = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    return failed == 0 ||
           err_set(err, ERR_INTERNAL, "sandbox: no filter: %s", strerrorname_np(-failed));
}

bool sandbox_calls(struct err *err)
{
    return calls_shut((struct calls){.programs = true, .users = true}, err);
}

/* It is yet to be executed, which Landlock then keeps to this one program; started as root without
 * an account of its own it sets the user of its workers. */
bool sandbox_edge(const struct options *options, struct err *err)
{
    return files_shut(options, edge_rules, err) &&
           calls_shut((struct calls){.users = geteuid() != 0}, err);
}
