/* SPDX-License-Identifier: Apache-2.0 */
/* nginx.conf, for nginx 1.22 and later.  Why each setting is what it is: docs/decisions/0011. */
#include <string.h>

#include "base/mem.h"
#include "edge/text.h"

/* Long replies under way when the configuration is read again or the edge stops get this long. */
#define SHUTDOWN_SECONDS 30

static const char common[] =
    "    access_log off;\n"
    "    server_tokens off;\n"
    "    default_type application/octet-stream;\n"
    "    tcp_nodelay on;\n"
    "    keepalive_timeout 60s;\n"
    "    keepalive_requests 10000;\n"
    "\n"
    "    # Slow senders and readers: between two reads or writes, and for the whole head.\n"
    "    client_header_timeout 10s;\n"
    "    client_body_timeout 10s;\n"
    "    send_timeout 15s;\n"
    "    reset_timedout_connection on;\n"
    "    client_header_buffer_size 4k;\n"
    "    large_client_header_buffers 4 16k;\n"
    "    client_body_buffer_size 64k;\n"
    "\n"
    "    ssl_protocols TLSv1.2 TLSv1.3;\n"
    "    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384;\n"
    "    ssl_ecdh_curve X25519:prime256v1:secp384r1;\n"
    "    # Tickets would carry the client certificate and cost more than a full handshake.\n"
    "    ssl_session_tickets off;\n"
    "    ssl_session_timeout 1h;\n"
    "\n"
    "    proxy_http_version 1.1;\n"
    "    proxy_connect_timeout 2s;\n"
    "    proxy_send_timeout 15s;\n"
    "    proxy_read_timeout 75s;\n"
    "    proxy_next_upstream error;\n"
    "    proxy_buffer_size 16k;\n"
    "    proxy_buffers 8 16k;\n"
    "    proxy_max_temp_file_size 0;\n"
    "\n"
    "    # HTTP/1.0 needs no Host, but HTTP/1.1 behind us does.\n"
    "    map $http_host $muster_host {\n"
    "        default $http_host;\n"
    "        \"\" $host;\n"
    "    }\n";

/*
 * The host itself is not counted, where whatever stands in front of this edge comes from.  Whoever
 * has one IPv6 address has its /64: the first four groups count, and of a text whose zeros are left
 * out before the fifth, what stands before them.  Devices read a status and nothing else: their
 * refusals have no body, and a variable is how nginx says so.
 */
static const char limits[] = "\n    map $remote_addr $muster_peer {\n"
                             "        default $remote_addr;\n"
                             "        127.0.0.1 \"\";\n"
                             "        ::1 \"\";\n"
                             "        ::ffff:127.0.0.1 \"\";\n"
                             "        ~^::ffff: $remote_addr;\n"
                             "        \"~^(?<muster_net>([0-9a-f]+:){4})\" $muster_net;\n"
                             "        \"~^(?<muster_start>[0-9a-f:]*?)::\" $muster_start::;\n"
                             "    }\n"
                             "    map $remote_addr $muster_nothing {\n"
                             "        default \"\";\n"
                             "    }\n"
                             "    limit_req_status 429;\n"
                             "    limit_req_log_level info;\n"
                             "    limit_conn_status 429;\n"
                             "    limit_conn_log_level info;\n";

/* A block with a header of its own has none of those around it. */
static const char strict_transport[] =
    "add_header Strict-Transport-Security max-age=31536000 always;\n";

/* What a client sends under these names never passes: each is set here, or emptied. */
static const char headers[] = "        proxy_set_header Host $muster_host;\n"
                              "        proxy_set_header Connection \"\";\n"
                              "        proxy_set_header X-Request-Id $request_id;\n"
                              "        proxy_set_header X-Muster-Peer $remote_addr;\n"
                              "        proxy_set_header Client-Cert \"\";\n"
                              "        proxy_set_header Client-Cert-Chain \"\";\n";

static const struct {
    const char *certificate, *refused; /* values of the two headers */
} certificate_headers[] = {
    [EDGE_FRONT] = {"\"\"", "\"\""},
    [EDGE_DEVICE] = {"$ssl_client_escaped_cert", "\"\""},
    [EDGE_PLAIN] = {"\"\"", "\"\""},
};

static void put_main(struct buffer *out, const struct edge_settings *settings)
{
    buffer_text(out, "# Written by musterd at each start; changes are lost.\n"
                     "daemon off;\nmaster_process on;\nerror_log stderr warn;\n");
    if (settings->user)
        buffer_format(out, "user %s;\n", settings->user);
    buffer_format(out, "pid %s/nginx.pid;\n", settings->run_dir);
    if (settings->workers)
        buffer_format(out, "worker_processes %lld;\n", (long long)settings->workers);
    else
        buffer_text(out, "worker_processes auto;\n");
    if (settings->open_files)
        buffer_format(out, "worker_rlimit_nofile %lld;\n", (long long)settings->open_files);
    buffer_format(out, "worker_shutdown_timeout %ds;\n", SHUTDOWN_SECONDS);
    buffer_format(out, "events {\n    worker_connections %lld;\n}\n",
                  (long long)settings->connections);
}

/* Each has a default of its own that is outside of our directory. */
static void put_temporary(struct buffer *out, const struct edge_settings *settings)
{
    static const char *const kinds[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
    for (size_t i = 0; i < COUNT(kinds); i++)
        buffer_format(out, "    %s_temp_path %s/edge-%s;\n", kinds[i], settings->run_dir, kinds[i]);
}

static void put_limits(struct buffer *out, const struct edge_settings *settings)
{
    buffer_text(out, limits);
    for (size_t i = 0; i < EDGE_RATES; i++) {
        const char *name = edge_rated[i].name;
        buffer_format(out,
                      "    map $uri $muster_%s_peer {\n        default \"\";\n"
                      "        \"~%s\" $muster_peer;\n    }\n",
                      name, edge_rated[i].pattern);
        buffer_format(out,
                      "    limit_req_zone $muster_%s_peer zone=%s:10m rate=%lldr/s;\n"
                      "    limit_req zone=%s burst=%lld nodelay;\n",
                      name, name, (long long)settings->limits.rates[i].per_second, name,
                      (long long)settings->limits.rates[i].burst);
    }
    for (size_t i = 0; i < settings->door_count; i++)
        buffer_format(out, "    limit_conn_zone $muster_peer zone=peers_%s:10m;\n",
                      edge_kind_names[settings->doors[i].kind]);
}

static void put_upstreams(struct buffer *out, const struct edge_settings *settings)
{
    for (size_t i = 0; i < settings->door_count; i++)
        buffer_format(out,
                      "    upstream %s {\n        server unix:%s max_fails=0;\n"
                      "        keepalive 64;\n        keepalive_timeout %ds;\n    }\n",
                      edge_kind_names[settings->doors[i].kind], settings->doors[i].upstream,
                      EDGE_UPSTREAM_IDLE);
}

static void put_tls(struct buffer *out, const struct edge_settings *settings,
                    const struct edge_door *door)
{
    if (door->kind == EDGE_PLAIN)
        return;
    for (size_t i = 0; i < 2; i++) {
        bool is_given = door->identities[0].certificate;
        const struct edge_identity *given = &door->identities[i];
        if (is_given && !given->certificate)
            continue;
        buffer_format(out,
                      "        ssl_certificate %s;\n"
                      "        ssl_certificate_key %s;\n",
                      is_given ? given->certificate : settings->certificates[i],
                      is_given ? given->key : settings->keys[i]);
    }
    if (door->kind == EDGE_FRONT) {
        buffer_format(out, "        ssl_session_cache shared:%s:10m;\n",
                      edge_kind_names[door->kind]);
        if (settings->strict_transport)
            buffer_format(out, "        %s", strict_transport);
        return;
    }
    buffer_format(out,
                  "        # A session brings back the certificate that it was made with.\n"
                  "        ssl_session_cache off;\n"
                  "        ssl_client_certificate %s;\n"
                  "        ssl_verify_client optional;\n"
                  "        ssl_verify_depth 2;\n",
                  settings->device_authority);
}

static void put_proxy(struct buffer *out, const struct edge_door *door, const char *indent)
{
    buffer_format(out, "%sproxy_pass http://%s;\n", indent, edge_kind_names[door->kind]);
}

static void put_locations(struct buffer *out, const struct edge_door *door)
{
    for (size_t i = 0; i < door->location_count; i++) {
        const struct edge_location *location = &door->locations[i];
        if (location->body_limit <= EDGE_BODY_DEFAULT && !location->is_secret)
            continue;
        if (edge_path_has_hole(location->path)) {
            buffer_text(out, "        location ~ \"");
            edge_pattern_put(out, location->path);
            buffer_text(out, "\" {\n");
        } else {
            buffer_format(out, "        location = %s {\n", location->path);
        }
        if (location->body_limit > EDGE_BODY_DEFAULT)
            buffer_format(out, "            client_max_body_size %zu;\n", location->body_limit);
        if (location->is_secret) /* below crit, nginx quotes the request */
            buffer_text(out, "            error_log stderr crit;\n");
        put_proxy(out, door, "            ");
        buffer_text(out, "        }\n");
    }
    buffer_text(out, "        location / {\n");
    put_proxy(out, door, "            ");
    buffer_text(out, "        }\n");
}

/* A client certificate that does not hold: musterd hears why, but sees neither it nor the body. */
static void put_refused(struct buffer *out, const struct edge_door *door)
{
    if (door->kind != EDGE_DEVICE)
        return;
    buffer_text(out, "        error_page 495 496 = @refused;\n"
                     "        location @refused {\n"
                     "            proxy_pass_request_body off;\n"
                     "            proxy_request_buffering off;\n");
    buffer_text(out, headers);
    buffer_text(out, "            proxy_set_header Content-Length \"\";\n"
                     "            proxy_set_header X-Muster-Client-Cert \"\";\n"
                     "            proxy_set_header X-Muster-Client-Refused $ssl_client_verify;\n");
    put_proxy(out, door, "            ");
    buffer_text(out, "        }\n");
}

/* In single quotes: only the quote and the backslash are special there. */
static void put_quoted(struct buffer *out, const char *text)
{
    buffer_byte(out, '\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            buffer_byte(out, '\\');
        buffer_byte(out, (uint8_t)*text);
    }
    buffer_byte(out, '\'');
}

/* nginx has codes of its own for refusals that the client should see as another one. */
static const struct {
    int status;
    const char *codes;
} own_codes[] = {{400, "400 497"}, {431, "494"}, {503, "502 503 504"}};

static void put_problems(struct buffer *out, const struct edge_settings *settings,
                         enum edge_kind kind)
{
    for (size_t i = 0; i < settings->problem_count; i++) {
        int status = settings->problems[i].status;
        const char *codes = NULL;
        for (size_t k = 0; k < COUNT(own_codes); k++)
            if (own_codes[k].status == status)
                codes = own_codes[k].codes;
        if (codes)
            buffer_format(out, "        error_page %s =%d /.edge/%d;\n", codes, status, status);
        else
            buffer_format(out, "        error_page %d /.edge/%d;\n", status, status);
        /* not a named location: a request that could not be read has no path to leave from */
        buffer_format(out, "        location = /.edge/%d {\n            internal;\n", status);
        if (status == 429 || status == 503)
            buffer_text(out, "            add_header Retry-After 5 always;\n");
        if (kind == EDGE_FRONT) {
            if (settings->strict_transport)
                buffer_format(out, "            %s", strict_transport);
            buffer_text(out, "            default_type application/problem+json;\n");
            buffer_format(out, "            return %d ", status);
            put_quoted(out, settings->problems[i].body);
        } else {
            buffer_format(out, "            return %d $muster_nothing", status);
        }
        buffer_text(out, ";\n        }\n");
    }
}

static void put_server(struct buffer *out, const struct edge_settings *settings,
                       const struct edge_door *door)
{
    static const char *const flags[] = {
        [EDGE_FRONT] = " ssl http2", [EDGE_DEVICE] = " ssl", [EDGE_PLAIN] = ""};
    char address[EDGE_ADDRESS_SIZE];
    const char *list = door->address;
    buffer_text(out, "\n    server {\n");
    while (edge_address_next(&list, address)) {
        buffer_text(out, "        listen ");
        edge_address_put(out, address, door->port);
        buffer_format(out, "%s backlog=4096%s;\n", flags[door->kind],
                      edge_address_is_both(door, address) ? " ipv6only=off" : "");
    }
    buffer_text(out, "        server_name _;\n");
    buffer_format(out, "        limit_conn peers_%s %lld;\n", edge_kind_names[door->kind],
                  (long long)settings->limits.connections[door->kind]);
    put_tls(out, settings, door);
    buffer_format(out, "        client_max_body_size %d;\n", EDGE_BODY_DEFAULT);
    buffer_text(out, headers);
    buffer_format(out,
                  "        proxy_set_header X-Muster-Client-Cert %s;\n"
                  "        proxy_set_header X-Muster-Client-Refused %s;\n",
                  certificate_headers[door->kind].certificate,
                  certificate_headers[door->kind].refused);
    put_problems(out, settings, door->kind);
    put_refused(out, door);
    put_locations(out, door);
    buffer_text(out, "    }\n");
}

bool edge_nginx_render(void *owner, const struct edge_settings *settings, struct bytes *out,
                       struct err *err)
{
    if (!edge_settings_check(settings, err))
        return false;
    struct buffer text;
    buffer_init(&text, owner, EDGE_TEXT_SIZE);
    put_main(&text, settings);
    buffer_text(&text, "http {\n");
    put_temporary(&text, settings);
    buffer_text(&text, common);
    put_limits(&text, settings);
    put_upstreams(&text, settings);
    for (size_t i = 0; i < settings->door_count; i++)
        put_server(&text, settings, &settings->doors[i]);
    buffer_text(&text, "}\n");
    return buffer_done(&text, out, err);
}
