/* SPDX-License-Identifier: Apache-2.0 */
#include "server/edge_plan.h"

#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "http/problem.h"
#include "server/directories.h"
#include "server/given.h"

const char *const edge_certificate_files[2] = {"tls-p256.pem", "tls-rsa.pem"};
const char *const edge_key_files[2] = {"tls-p256.key", "tls-rsa.key"};
const char *const edge_combined_files[2] = {"tls-p256.both", "tls-rsa.both"};

static const struct {
    enum edge_kind kind;
    enum http_door door;
    const char *socket;
} doors[] = {{EDGE_FRONT, DOOR_FRONT, "front"},
             {EDGE_DEVICE, DOOR_DEVICE, "device"},
             {EDGE_PLAIN, DOOR_PLAIN, "plain"}};

/* What the edge refuses by itself, in the same words as the rest of the house. */
static const struct {
    struct problem problem;
    enum err_kind kind;
    const char *detail;
} problems[] = {
    {{400, "bad-input", "The request is not acceptable"},
     ERR_BAD_INPUT,
     "The request does not follow the rules of HTTP."},
    {{405, "method-not-allowed", "Method not allowed"},
     ERR_BAD_INPUT,
     "This method is not served here."},
    {{413, "too-large", "The request is too large"},
     ERR_TOO_LARGE,
     "The body is larger than this path accepts."},
    {{414, "too-large", "The request is too large"}, ERR_TOO_LARGE, "The path is too long."},
    {{429, "too-many", "Too many requests"},
     ERR_TOO_MANY,
     "This address asks too often or has too many connections."},
    {{431, "too-large", "The request is too large"}, ERR_TOO_LARGE, "The header is too large."},
    {{501, "unknown-method", "Not implemented"},
     ERR_BAD_INPUT,
     "The request asks for something that is not served here."},
    {{503, "unavailable", "Not available at the moment"},
     ERR_UNAVAILABLE,
     "The server is starting or has too much to do."},
};

char *edge_socket_path(void *owner, const struct options *options, enum edge_kind kind)
{
    return mem_format(owner, "%s/" DIRECTORY_SOCKETS "/%s", options->run_dir, doors[kind].socket);
}

char *edge_file_path(void *owner, const struct options *options, const char *name)
{
    return mem_format(owner, "%s/" DIRECTORY_EDGE "/%s", options->run_dir, name);
}

/* One location for each path whose body may be larger than usual, with its largest limit, and for
 * each that holds a secret. */
static void location_add(struct edge_location *list, size_t *count, const struct route *route)
{
    bool is_secret = (route->flags & ROUTE_SECRET_PATH) != 0;
    if (route->body_limit <= EDGE_BODY_DEFAULT && !is_secret)
        return;
    for (size_t i = 0; i < *count; i++) {
        if (!text_equal(list[i].path, route->path))
            continue;
        if (list[i].body_limit < route->body_limit)
            list[i].body_limit = route->body_limit;
        list[i].is_secret |= is_secret;
        return;
    }
    list[(*count)++] = (struct edge_location){route->path, route->body_limit, is_secret};
}

static void locations_fill(void *owner, struct edge_door *door, enum http_door http,
                           const struct routes *tables, size_t count)
{
    size_t rows = 0;
    for (size_t i = 0; i < count; i++)
        rows += tables[i].count;
    struct edge_location *list = mem_array(owner, struct edge_location, rows);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < tables[i].count; k++)
            if (tables[i].list[k].doors & http)
                location_add(list, &door->location_count, &tables[i].list[k]);
    door->locations = list;
}

static const struct edge_door *doors_make(void *owner, const struct options *options,
                                          const struct routes *tables, size_t count)
{
    const struct {
        const char *address;
        int64_t port;
    } places[] = {[EDGE_FRONT] = {options->front_address, options->front_port},
                  [EDGE_DEVICE] = {options->device_address, options->device_port},
                  [EDGE_PLAIN] = {options->plain_address, options->plain_port}};
    struct edge_door *list = mem_array(owner, struct edge_door, COUNT(doors));
    for (size_t i = 0; i < COUNT(doors); i++) {
        list[i] = (struct edge_door){.kind = doors[i].kind,
                                     .address = places[i].address,
                                     .port = (int)places[i].port,
                                     .upstream = edge_socket_path(owner, options, doors[i].kind)};
        locations_fill(owner, &list[i], doors[i].door, tables, count);
    }
    struct given given[GIVEN_MAX];
    size_t given_count = given_list(owner, options, given);
    for (size_t i = 0; i < given_count; i++)
        list[given[i].kind].identities[given[i].index] = (struct edge_identity){
            edge_file_path(owner, options, given_file(owner, &given[i], "pem")),
            edge_file_path(owner, options, given_file(owner, &given[i], "key")),
            edge_file_path(owner, options, given_file(owner, &given[i], "both"))};
    return list;
}

static const struct edge_problem *problems_make(void *owner)
{
    struct edge_problem *list = mem_array(owner, struct edge_problem, COUNT(problems));
    const struct request request = {.owner = owner, .id = "$request_id"};
    for (size_t i = 0; i < COUNT(problems); i++) {
        struct reply reply = {0};
        struct err err;
        (void)err_set(&err, problems[i].kind, "%s", problems[i].detail);
        problem_write(&request, &problems[i].problem, &err, &reply);
        list[i].status = problems[i].problem.status;
        list[i].body = mem_text_part(owner, (const char *)reply.body.data, reply.body.size);
    }
    return list;
}

static struct edge_limits limits_of(const struct options *options)
{
    return (struct edge_limits){
        .connections = {[EDGE_FRONT] = options->front_connections,
                        [EDGE_DEVICE] = options->device_connections,
                        [EDGE_PLAIN] = options->plain_connections},
        .rates = {[EDGE_RATE_AUTHORITY] = {options->authority_rate, options->authority_burst},
                  [EDGE_RATE_SESSION] = {options->session_rate, options->session_burst}},
    };
}

/* An edge that we run cannot have more than we may give. */
static int64_t open_files(const struct options *options)
{
    struct rlimit limit;
    int64_t wanted = options_edge_files(options);
    if (options->edge_mode == EDGE_MODE_EXTERNAL || getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        limit.rlim_max >= (rlim_t)wanted)
        return wanted;
    return (int64_t)limit.rlim_max;
}

/* The host of an URL: behind "//", up to its port or path; an IPv6 address stands in brackets. */
static struct bytes host_of(const char *url)
{
    const char *slashes = strstr(url, "//"), *host = slashes ? slashes + 2 : url;
    const char *end = *host == '[' ? strchr(host, ']') : NULL;
    return (struct bytes){(const uint8_t *)host, end ? (size_t)(end - host) : strcspn(host, ":/")};
}

static bool is_one_host(const char *one, const char *other)
{
    return bytes_equal(host_of(one), host_of(other));
}

const struct edge_settings *edge_plan(void *owner, const struct options *options,
                                      const struct routes *tables, size_t count)
{
    struct edge_settings *plan = mem_new(owner, struct edge_settings);
    *plan = (struct edge_settings){
        .run_dir = options_run_path(owner, options, DIRECTORY_EDGE_TMP),
        /* started as root and without a user of its own, nginx would become nobody */
        .user = geteuid() == 0 && !*options->edge_user ? "root root" : NULL,
        .device_authority = edge_file_path(owner, options, EDGE_FILE_AUTHORITY),
        .workers = options->edge_workers,
        .connections = options->edge_connections,
        .open_files = open_files(options),
        .limits = limits_of(options),
        .doors = doors_make(owner, options, tables, count),
        .door_count = COUNT(doors),
        .strict_transport = !is_one_host(options->front_url, options->plain_url),
        .problems = problems_make(owner),
        .problem_count = COUNT(problems),
    };
    for (size_t i = 0; i < 2; i++) {
        plan->certificates[i] = edge_file_path(owner, options, edge_certificate_files[i]);
        plan->keys[i] = edge_file_path(owner, options, edge_key_files[i]);
        plan->combined[i] = edge_file_path(owner, options, edge_combined_files[i]);
    }
    return plan;
}
