/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/fleet_fixture.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "pki/keyd_wire.h"

/* ---- the clock: every program that uses the fixture is linked with --wrap=clock_now ---- */

int64_t __real_clock_now(void);
int64_t __wrap_clock_now(void);

static int64_t *ahead; /* seconds; shared with the key process, which is a fork */

int64_t __wrap_clock_now(void)
{
    return __real_clock_now() + (ahead ? *ahead : 0);
}

void fixture_clock(const struct fixture *f)
{
    *ahead = f->now - __real_clock_now();
}

int fixture_begin(void **state)
{
    void *page =
        mmap(NULL, sizeof(*ahead), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return -1;
    ahead = page;
    return process_set_up_alike(state);
}

/* ---- passwords: every fleet has one at its start; the real work for each would double the time
 * ---- */

#define REAL_PASSES 2
#define REAL_KIBIBYTES 19456
#define TEST_KIBIBYTES 8

int __real_argon2id_hash_encoded(uint32_t passes, uint32_t kibibytes, uint32_t lanes,
                                 const void *password, size_t password_size, const void *salt,
                                 size_t salt_size, size_t hash_size, char *out, size_t out_size);
int __wrap_argon2id_hash_encoded(uint32_t passes, uint32_t kibibytes, uint32_t lanes,
                                 const void *password, size_t password_size, const void *salt,
                                 size_t salt_size, size_t hash_size, char *out, size_t out_size);

/* Cheap hashes of passwords, when dear ones are asked for. */
int __wrap_argon2id_hash_encoded(uint32_t passes, uint32_t kibibytes, uint32_t lanes,
                                 const void *password, size_t password_size, const void *salt,
                                 size_t salt_size, size_t hash_size, char *out, size_t out_size)
{
    assert_int_equal(passes, REAL_PASSES);
    assert_int_equal(kibibytes, REAL_KIBIBYTES);
    return __real_argon2id_hash_encoded(1, TEST_KIBIBYTES, lanes, password, password_size, salt,
                                        salt_size, hash_size, out, out_size);
}

/* ---- open and close ---- */

/* The key process remembers the last signed head of the audit: not of another test's database. */
static void audit_forget(struct process *process)
{
    struct stat about;
    CLEANUP(mem_free_at) char *path = mem_format(NULL, "%s/audit.slots", process->directory);
    if (stat(path, &about) != 0 || about.st_size == 0)
        return;
    assert_int_equal(unlink(path), 0);
    process_restart(process, true);
}

int fixture_open(void **state)
{
    struct process *process = *state;
    struct err err;
    *ahead = 0;
    audit_forget(process);
    if (contract_open_migrated(state) != 0)
        return -1;
    struct contract *contract = *state;
    struct fixture *f = mem_new(NULL, struct fixture);
    *f = (struct fixture){.contract = contract,
                          .process = process,
                          .settings = {.front_url = "https://mdm.example:8443",
                                       .device_url = "https://mdm.example:8444",
                                       .plain_url = "http://mdm.example:8080",
                                       .link_seconds = 86400,
                                       .challenge_seconds = 3600,
                                       .certificate_seconds = 365 * 86400,
                                       .renew_percent = 33,
                                       .session_seconds = 3600},
                          /* keyd has a clock of its own: the test's begins there */
                          .now = clock_now()};
    f->owner = mem_new(f, char);
    f->shared = fleet_shared_make(f, &f->settings);
    assert_works(fleet_open(contract->database, contract->database, process->keyd, f->shared,
                            &f->fleet, &err),
                 err);
    assert_works(fleet_first_start(f->fleet, "Example Works", f->now, &err), err);
    *state = f;
    return 0;
}

int fixture_close(void **state)
{
    struct fixture *f = *state;
    void *contract = f->contract;
    int result = contract_close(&contract);
    mem_free(f);
    return result;
}

/* ---- who acts ---- */

struct actor fixture_account(const struct fixture *f, enum role role)
{
    return (struct actor){.kind = ACTOR_ACCOUNT,
                          .id = "01900000-0000-7000-8000-000000000001",
                          .name = role_names[role],
                          .role = role,
                          .token_id = "01900000-0000-7000-8000-000000000002",
                          .request_id = "r1",
                          .now = f->now};
}

struct actor fixture_admin(const struct fixture *f)
{
    return fixture_account(f, ROLE_ADMINISTRATOR);
}

struct actor fixture_public(const struct fixture *f)
{
    return (struct actor){.kind = ACTOR_PUBLIC,
                          .id = "192.0.2.7",
                          .name = "192.0.2.7",
                          .request_id = "r2",
                          .now = f->now};
}

/* ---- what stands in the database ---- */

struct rows *fixture_look(struct fixture *f, const struct statement *statement,
                          const struct value *args, size_t count)
{
    struct err err;
    struct rows *rows = NULL;
    assert_works(db_run(f->fleet->db, f->owner, statement, args, count, &rows, &err), err);
    return rows;
}

struct single {
    const struct statement *statement;
    const struct value *args;
    size_t count;
};

static bool write_run(struct db *tx, void *context, struct err *err)
{
    const struct single *single = context;
    return db_run(tx, NULL, single->statement, single->args, single->count, NULL, err);
}

void fixture_write(struct fixture *f, const struct statement *statement, const struct value *args,
                   size_t count)
{
    struct single single = {statement, args, count};
    struct err err;
    assert_works(db_transaction(f->fleet->db, write_run, &single, &err), err);
}

int64_t fixture_events(struct fixture *f, const char *kind)
{
    return rows_integer(fixture_look(f, &SQL_LOOK_EVENT_COUNT, ARGS(TEXT(kind))), 0, "count");
}

const char *fixture_event(struct fixture *f, const char *kind)
{
    struct rows *rows = fixture_look(f, &SQL_LOOK_EVENT_LAST, ARGS(TEXT(kind)));
    if (rows->count == 0)
        fail_msg("no event of the kind %s", kind);
    return rows_text(rows, 0, "body");
}

const char *fixture_enrolment_state(struct fixture *f, const char *enrolment_id)
{
    return rows_text(fixture_look(f, &SQL_LOOK_ENROLMENT, ARGS(TEXT(enrolment_id))), 0, "state");
}

const char *fixture_command_state(struct fixture *f, const char *command_id)
{
    return rows_text(fixture_look(f, &SQL_LOOK_COMMAND, ARGS(TEXT(command_id))), 0, "state");
}

/* ---- threads ---- */

struct racing { /* one thread */
    struct fixture *f;
    fixture_racer *racer;
    void *context;
    pthread_barrier_t *start;
    pthread_t thread;
    bool opened;
};

static void *race_main(void *context)
{
    struct racing *racing = context;
    struct fixture *f = racing->f;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct fleet *fleet;
    struct err err;
    racing->opened =
        fleet_open(owner, f->contract->database, f->process->keyd, f->shared, &fleet, &err);
    (void)pthread_barrier_wait(racing->start);
    if (racing->opened)
        racing->racer(fleet, racing->context);
    return NULL;
}

void fixture_race(struct fixture *f, fixture_racer *racer, void *contexts, size_t size,
                  size_t count)
{
    pthread_barrier_t start;
    struct racing *racers = mem_array(f->owner, struct racing, count);
    assert_int_equal(pthread_barrier_init(&start, NULL, (unsigned)count), 0);
    for (size_t i = 0; i < count; i++) {
        racers[i] = (struct racing){
            .f = f, .racer = racer, .context = (char *)contexts + i * size, .start = &start};
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race_main, &racers[i]), 0);
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
    for (size_t i = 0; i < count; i++)
        assert_true(racers[i].opened);
    (void)pthread_barrier_destroy(&start);
}

/* ---- a key process that dies ---- */

struct relay { /* stands between a fleet and keyd, frame by frame */
    int client, keyd, operation;
    pthread_t thread;
};

/* Forward one frame; 0 = the other side is gone. *frame is what it begins with. */
static size_t relay_frame(int from, int to, uint8_t *frame, int stop_at)
{
    ssize_t size = recv(from, frame, WIRE_FRAME_MAX, 0);
    if (size < WIRE_HEAD_SIZE || frame[1] == stop_at)
        return 0;
    return send(to, frame, (size_t)size, MSG_NOSIGNAL) == size ? (size_t)size : 0;
}

static void *relay_main(void *context)
{
    struct relay *relay = context;
    CLEANUP(mem_free_at) uint8_t *frame = mem_array(NULL, uint8_t, WIRE_FRAME_MAX);
    while (relay_frame(relay->client, relay->keyd, frame, relay->operation) > 0 &&
           relay_frame(relay->keyd, relay->client, frame, -1) > 0) {
    }
    (void)close(relay->client);
    relay->client = -1;
    return NULL;
}

static int relay_end(struct relay *relay)
{
    return pthread_join(relay->thread, NULL);
}

struct fleet fixture_keyd_dies_at(struct fixture *f, int operation)
{
    struct err err;
    int ends[2];
    struct fleet fleet = *f->fleet;
    struct relay *relay = mem_new(f->owner, struct relay);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    *relay = (struct relay){.client = ends[1], .keyd = f->process->fd, .operation = operation};
    assert_int_equal(pthread_create(&relay->thread, NULL, relay_main, relay), 0);
    mem_destructor(relay, relay_end);
    /* made after the relay and so freed before it: that ends the thread */
    assert_works(keyd_attach(f->owner, ends[0], &fleet.keyd, &err), err);
    return fleet;
}

struct fleet fixture_without_keyd(struct fixture *f)
{
    struct err err;
    int ends[2];
    struct fleet fleet = *f->fleet;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    (void)close(ends[1]);
    assert_works(keyd_attach(f->owner, ends[0], &fleet.keyd, &err), err);
    return fleet;
}

/* ---- keys ---- */

#define KEYS_MOST 12

struct bytes fixture_key(struct fixture *f, size_t number)
{
    static struct {
        uint8_t der[512];
        size_t size;
    } keys[KEYS_MOST];
    assert_true(number < KEYS_MOST);
    if (keys[number].size == 0) {
        EVP_PKEY *key = EVP_RSA_gen(2048);
        uint8_t *at = keys[number].der;
        int size = key ? i2d_PUBKEY(key, &at) : -1;
        assert_true(size > 0 && (size_t)size <= sizeof(keys[number].der));
        keys[number].size = (size_t)size;
        EVP_PKEY_free(key);
    }
    (void)f;
    return (struct bytes){keys[number].der, keys[number].size};
}
