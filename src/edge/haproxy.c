/* SPDX-License-Identifier: Apache-2.0 */
/*
 * haproxy.cfg, for HAProxy 2.6 and later; the client certificate travels as RFC 9440 says.  The
 * limits are those of nginx, as far as HAProxy has them: docs/decisions/0011.
 */
#include <string.h>

#include "base/mem.h"
#include "edge/text.h"

/* Addresses that are remembered at once, for each limit. */
#define PEERS "100k"
/* Above the limit a connection is answered 429; above this many times the limit it is reset. */
#define CONNECTIONS_FACTOR 2

static const char common[] =
    "    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets\n"
    "    ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384\n"
    "    tune.bufsize 65536\n"
    "\n"
    "defaults\n"
    "    mode http\n"
    "    timeout connect 2s\n"
    "    timeout server 75s\n"
    "    timeout http-keep-alive 60s\n"
    "    # Slow senders and readers: the whole head, and between two reads or writes.\n"
    "    timeout http-request 10s\n"
    "    timeout client 15s\n"
    "    retry-on conn-failure\n";

static const char request_id[] = "    unique-id-format %{+X}o%ci%cp%Ts%rt%pid\n";

static const char headers[] = "    http-request del-header X-Muster- -m beg\n"
                              "    http-request del-header Client-Cert\n"
                              "    http-request del-header Client-Cert-Chain\n"
                              "    http-request set-header X-Muster-Peer %[src]\n"
                              "    http-request set-header X-Request-Id %[unique-id]\n";

static const char device_headers[] =
    "    http-request set-header Client-Cert :%[ssl_c_der,base64]: if { ssl_c_used } "
    "{ ssl_c_verify 0 }\n"
    "    http-request set-header X-Muster-Client-Refused FAILED:%[ssl_c_verify] if { ssl_c_used } "
    "!{ ssl_c_verify 0 }\n";

static void put_tls(struct buffer *out, const struct edge_settings *settings,
                    const struct edge_door *door)
{
    bool is_given = door->identities[0].certificate;
    buffer_text(out, " ssl");
    for (size_t i = 0; i < 2; i++) {
        const char *file = is_given ? door->identities[i].combined : settings->combined[i];
        if (file)
            buffer_format(out, " crt %s", file);
    }
    if (door->kind == EDGE_FRONT)
        buffer_text(out, " alpn h2,http/1.1");
    else
        buffer_format(out,
                      " alpn http/1.1 ca-file %s verify optional crt-ignore-err all "
                      "ca-ignore-err all",
                      settings->device_authority);
}

static void put_bind(struct buffer *out, const struct edge_settings *settings,
                     const struct edge_door *door)
{
    char address[EDGE_ADDRESS_SIZE];
    const char *list = door->address;
    while (edge_address_next(&list, address)) {
        buffer_text(out, "    bind ");
        edge_address_put(out, address, door->port);
        if (strchr(address, ':'))
            buffer_text(out, edge_address_is_both(door, address) ? " v4v6" : " v6only");
        if (door->kind != EDGE_PLAIN)
            put_tls(out, settings, door);
        buffer_text(out, "\n");
    }
}

/* In single quotes nothing is special but the quote itself. */
static void put_quoted(struct buffer *out, const char *text)
{
    static const char id[] = "$request_id";
    buffer_byte(out, '\'');
    while (*text) {
        if (strncmp(text, id, strlen(id)) == 0) {
            buffer_text(out, "%[unique-id]");
            text += strlen(id);
            continue;
        }
        if (*text == '\'')
            buffer_text(out, "'\\'");
        else if (*text == '%')
            buffer_byte(out, '%');
        buffer_byte(out, (uint8_t)*text++);
    }
    buffer_byte(out, '\'');
}

/* What HAProxy may say in our words; it has its own for what it cannot read as HTTP. */
static void put_problems(struct buffer *out, const struct edge_settings *settings,
                         enum edge_kind kind)
{
    static const int known[] = {405, 413, 429, 501, 503};
    for (size_t i = 0; i < settings->problem_count; i++) {
        int status = settings->problems[i].status;
        for (size_t k = 0; k < COUNT(known); k++) {
            if (known[k] != status)
                continue;
            buffer_format(out, "    http-error status %d", status);
            if (kind == EDGE_FRONT) {
                buffer_text(out, " content-type application/problem+json lf-string ");
                put_quoted(out, settings->problems[i].body);
            }
            buffer_text(out, status == 429 || status == 503 ? " hdr Retry-After 5\n" : "\n");
        }
    }
    buffer_text(out, "    http-error status 502 hdr Retry-After 5\n"
                     "    http-error status 504 hdr Retry-After 5\n");
}

/* A window in which the burst is what the rate allows: both hold at once. */
static int64_t window_ms(const struct edge_settings *settings, size_t rate)
{
    int64_t window =
        settings->limits.rates[rate].burst * 1000 / settings->limits.rates[rate].per_second;
    return window > 0 ? window : 1;
}

static void put_rate_tables(struct buffer *out, const struct edge_settings *settings)
{
    for (size_t i = 0; i < EDGE_RATES; i++) {
        long long window = (long long)window_ms(settings, i);
        buffer_format(out,
                      "\nbackend peers_%s\n    stick-table type ipv6 size " PEERS
                      " expire %lldms store gpc0_rate(%lldms)\n",
                      edge_rated[i].name, 2 * window, window);
    }
}

/*
 * The host itself is not counted.  A request that is refused does not count either: who asks on
 * too fast gets the rate, not nothing.
 */
static void put_peers(struct buffer *out, const struct edge_settings *settings, enum edge_kind kind)
{
    long long most = (long long)settings->limits.connections[kind];
    buffer_text(out, request_id);
    buffer_format(out,
                  "    stick-table type ipv6 size " PEERS " expire 2m store conn_cur\n"
                  "    acl local src 127.0.0.1 ::1\n"
                  "    tcp-request connection track-sc0 src,ipmask(32,64) if !local\n"
                  "    tcp-request connection reject if { sc0_conn_cur gt %lld }\n"
                  "    http-request deny deny_status 429 if { sc0_conn_cur gt %lld }\n",
                  most * CONNECTIONS_FACTOR, most);
    for (size_t i = 0; i < EDGE_RATES; i++) {
        const char *name = edge_rated[i].name;
        buffer_format(out, "    acl %s path,url_dec -m reg '%s'\n", name, edge_rated[i].pattern);
        buffer_format(out,
                      "    http-request track-sc%zu src,ipmask(32,64) table peers_%s if %s !local\n"
                      "    http-request deny deny_status 429 if %s { sc%zu_gpc0_rate ge %lld }\n"
                      "    http-request sc-inc-gpc0(%zu) if %s !local\n",
                      i + 1, name, name, name, i + 1, (long long)settings->limits.rates[i].burst,
                      i + 1, name);
    }
}

/* A rule for each larger body; the last one holds for the rest. */
static void put_limits(struct buffer *out, const struct edge_door *door)
{
    bool has_larger = false;
    for (size_t i = 0; i < door->location_count; i++) {
        const struct edge_location *location = &door->locations[i];
        if (location->body_limit <= EDGE_BODY_DEFAULT)
            continue;
        has_larger = true;
        buffer_text(out, "    acl larger path_reg '");
        edge_pattern_put(out, location->path);
        buffer_text(out, "'\n    http-request deny deny_status 413 if { path_reg '");
        edge_pattern_put(out, location->path);
        buffer_format(out, "' } { req.body_size gt %zu }\n", location->body_limit);
    }
    buffer_format(out, "    http-request deny deny_status 413 if %s{ req.body_size gt %d }\n",
                  has_larger ? "!larger " : "", EDGE_BODY_DEFAULT);
    buffer_text(out,
                "    http-request wait-for-body time 10s if { method POST PUT PATCH DELETE }\n");
}

static void put_door(struct buffer *out, const struct edge_settings *settings,
                     const struct edge_door *door)
{
    const char *name = edge_kind_names[door->kind];
    buffer_format(out, "\nfrontend %s\n", name);
    put_bind(out, settings, door);
    put_problems(out, settings, door->kind);
    put_peers(out, settings, door->kind);
    buffer_text(out, headers);
    if (door->kind == EDGE_DEVICE)
        buffer_text(out, device_headers);
    if (door->kind == EDGE_FRONT && settings->strict_transport)
        buffer_text(out, "    http-after-response set-header Strict-Transport-Security "
                         "max-age=31536000\n");
    put_limits(out, door);
    buffer_format(out, "    default_backend musterd_%s\n\nbackend musterd_%s\n", name, name);
    buffer_format(out, "    server musterd unix@%s\n", door->upstream);
}

bool edge_haproxy_render(void *owner, const struct edge_settings *settings, struct bytes *out,
                         struct err *err)
{
    if (!edge_settings_check(settings, err))
        return false;
    struct buffer text;
    buffer_init(&text, owner, EDGE_TEXT_SIZE);
    buffer_format(&text, "# Written by musterd edge-config haproxy.\nglobal\n    maxconn %lld\n",
                  (long long)settings->connections);
    buffer_text(&text, common);
    put_rate_tables(&text, settings);
    for (size_t i = 0; i < settings->door_count; i++)
        put_door(&text, settings, &settings->doors[i]);
    return buffer_done(&text, out, err);
}
