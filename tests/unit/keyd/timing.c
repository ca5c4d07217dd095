/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the time that an answer takes tell whether an envelope's key had the right padding?  A
 * program of its own, for it takes minutes: `timing [SAMPLES]`, run by `./dev soak`.
 *
 * Two kinds of question are asked in an order that is thrown anew for each pair, so that whatever
 * else happens on the machine happens to both.  Of all times the slowest tenth is left out (that is
 * others' work), and Welch's t of the rest is taken: beyond 5 it is chance once in a million runs.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/id.h"
#include "pki/scep.h"
#include "tests/unit/keyd/scep_client.h"

#define SAMPLES_USUAL 100000
#define POOL 32 /* different questions of each kind */
#define KEPT 0.9
#define T_MOST 5.0
#define KEY_SIZE 16
#define BLOCK_MAX 512

struct timing {
    struct process *process;
    void *owner;
    struct bytes pool[2][POOL];
};

static double seconds_now(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- what is asked ---- */

/* The registration authority's public operation on a whole block. */
static struct bytes encrypted(struct timing *timing, const uint8_t *block, size_t size)
{
    CLEANUP(X509_free_at)
    X509 *certificate = DER_READ(d2i_X509, timing->process->authority.registration);
    CLEANUP(EVP_PKEY_CTX_free_at)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(X509_get0_pubkey(certificate), NULL);
    uint8_t out[BLOCK_MAX];
    size_t out_size = sizeof(out);
    assert_int_equal(EVP_PKEY_encrypt_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING), 1);
    assert_int_equal(EVP_PKEY_encrypt(context, out, &out_size, block, size), 1);
    return bytes_copy(timing->owner, (struct bytes){out, out_size});
}

/* 00 02, padding, 00, key; wrong in one of four ways where it is to be wrong. */
static struct bytes wrapped(struct timing *timing, bool is_right, size_t number)
{
    enum { SIZE = 256, ZERO = SIZE - KEY_SIZE - 1 };
    static const struct {
        size_t at;
        uint8_t value;
    } ways[] = {{1, 1}, {2, 0}, {ZERO / 2, 0}, {ZERO, 1}};
    uint8_t block[SIZE];
    struct bytes key;
    struct err err;
    random_bytes(block, sizeof(block));
    for (size_t i = 2; i < ZERO; i++)
        block[i] |= 1;
    block[0] = 0;
    block[1] = 2;
    block[ZERO] = 0;
    if (!is_right)
        block[ways[number % COUNT(ways)].at] = ways[number % COUNT(ways)].value;
    struct bytes made = encrypted(timing, block, sizeof(block));
    assert_works(keyd_unwrap(timing->process->keyd, timing->owner, 0, made, KEY_SIZE, &key, &err),
                 err);
    assert_int_equal(bytes_equal(key, (struct bytes){block + ZERO + 1, KEY_SIZE}), is_right);
    return made;
}

static void unwrap_ask(struct timing *timing, void *owner, struct bytes question)
{
    struct bytes key;
    struct err err;
    assert_works(keyd_unwrap(timing->process->keyd, owner, 0, question, KEY_SIZE, &key, &err), err);
    assert_int_equal(key.size, KEY_SIZE);
}

static void unwrap_fill(struct timing *timing)
{
    for (size_t i = 0; i < POOL; i++) {
        timing->pool[0][i] = wrapped(timing, true, i);
        timing->pool[1][i] = wrapped(timing, false, i);
    }
}

/* Of the second kind is a number that is larger than the modulus: refused without any work. */
static void control_fill(struct timing *timing)
{
    uint8_t large[256];
    memset(large, 0xff, sizeof(large));
    for (size_t i = 0; i < POOL; i++) {
        timing->pool[0][i] = wrapped(timing, true, i);
        timing->pool[1][i] = bytes_copy(timing->owner, BYTES_OF(large));
    }
}

/* Whole messages: to another key under our name, or to ours with a content that was changed. */
static void message_fill(struct timing *timing)
{
    const struct authority *authority = &timing->process->authority;
    struct client *client = client_new(timing->owner, 2048);
    struct bytes csr = client_csr(timing->owner, client, &(struct csr_wish){0});
    for (size_t i = 0; i < POOL; i++) {
        struct message_wish foreign = {.recipients = BY_FOREIGN_KEY}, spoilt = {0};
        struct bytes whole = client_envelope(timing->owner, authority->registration, csr,
                                             EVP_aes_128_cbc(), BY_RSA_KEY);
        uint8_t *changed = mem_copy(timing->owner, whole.data, whole.size);
        changed[whole.size - 20] ^= 1;
        spoilt.raw_content = (struct bytes){changed, whole.size};
        timing->pool[0][i] = client_message(timing->owner, client, authority, csr, &foreign);
        timing->pool[1][i] = client_message(timing->owner, client, authority, csr, &spoilt);
    }
}

static void message_ask(struct timing *timing, void *owner, struct bytes question)
{
    struct scep_message parsed;
    struct err err;
    const struct authorities all = {&timing->process->authority, 1, 1};
    assert_works(scep_parse(owner, question, timing->process->keyd, &all, false, &parsed, &err),
                 err);
    assert_int_equal(parsed.failure, SCEP_BAD_CHECK);
}

/* ---- what the times say ---- */

static int smaller_first(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

struct mean {
    double count, mean, variance;
};

static struct mean mean_below(const double *times, size_t count, double most)
{
    struct mean m = {0};
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        if (times[i] > most)
            continue;
        m.count++;
        double away = times[i] - m.mean;
        m.mean += away / m.count;
        squares += away * (times[i] - m.mean);
    }
    m.variance = squares / (m.count - 1);
    return m;
}

static double welch(double *const times[2], size_t count)
{
    CLEANUP(mem_free_at) double *all = mem_array(NULL, double, 2 * count);
    memcpy(all, times[0], count * sizeof(double));
    memcpy(all + count, times[1], count * sizeof(double));
    qsort(all, 2 * count, sizeof(double), smaller_first);
    double most = all[(size_t)(KEPT * (double)(2 * count))];
    struct mean a = mean_below(times[0], count, most), b = mean_below(times[1], count, most);
    (void)printf("means %.3f and %.3f microseconds, ", a.mean * 1e6, b.mean * 1e6);
    return (a.mean - b.mean) / sqrt(a.variance / a.count + b.variance / b.count);
}

struct pair {
    const char *name;
    void (*fill)(struct timing *timing);
    void (*ask)(struct timing *timing, void *owner, struct bytes question);
    size_t share; /* of the samples */
    bool differs;
};
static const struct pair pairs[] = {
    {"control", control_fill, unwrap_ask, 10, true},
    {"keys", unwrap_fill, unwrap_ask, 1, false},
    {"messages", message_fill, message_ask, 40, false},
};

static bool pair_measure(struct timing *timing, const struct pair *pair, size_t samples)
{
    size_t count = samples / pair->share / 2;
    CLEANUP(mem_free_at) double *first = mem_array(NULL, double, count);
    CLEANUP(mem_free_at) double *second = mem_array(NULL, double, count);
    double *const times[2] = {first, second};
    pair->fill(timing);
    for (size_t i = 0; i < count; i++) {
        uint8_t dice[3];
        random_bytes(dice, sizeof(dice));
        for (size_t turn = 0; turn < 2; turn++) {
            CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
            size_t kind = (dice[0] & 1u) ^ turn;
            double begun = seconds_now();
            pair->ask(timing, owner, timing->pool[kind][dice[1 + turn] % POOL]);
            times[kind][i] = seconds_now() - begun;
        }
    }
    double t = welch(times, count);
    bool good = (fabs(t) > T_MOST) == pair->differs;
    (void)printf("t = %.2f of %zu %s: %s\n", t, 2 * count, pair->name, good ? "good" : "BAD");
    return good;
}

int main(int argc, char **argv)
{
    size_t samples = argc > 1 ? strtoul(argv[1], NULL, 10) : SAMPLES_USUAL;
    void *state = NULL;
    bool good = process_set_up(&state) == 0;
    for (size_t i = 0; good && i < COUNT(pairs); i++) {
        CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
        struct timing timing = {.process = state, .owner = owner};
        good = pair_measure(&timing, &pairs[i], samples);
    }
    (void)process_tear_down(&state);
    return good ? 0 : 1;
}
