/* SPDX-License-Identifier: Apache-2.0 */
/* haproxy.cfg, for HAProxy 2.6 and later; the client certificate travels as RFC 9440 says. */
#include "base/mem.h"
#include "edge/text.h"

static const char common[] =
    "# Written by musterd edge-config haproxy.\n"
    "global\n"
    "    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets\n"
    "    ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384\n"
    "    tune.bufsize 65536\n"
    "\n"
    "defaults\n"
    "    mode http\n"
    "    timeout connect 2s\n"
    "    timeout http-request 10s\n"
    "    timeout client 60s\n"
    "    timeout server 75s\n"
    "    timeout http-keep-alive 60s\n"
    "    retry-on conn-failure\n";

static const char headers[] = "    unique-id-format %{+X}o%ci%cp%Ts%rt%pid\n"
                              "    http-request del-header X-Muster- -m beg\n"
                              "    http-request del-header Client-Cert\n"
                              "    http-request del-header Client-Cert-Chain\n"
                              "    http-request set-header X-Muster-Peer %[src]\n"
                              "    http-request set-header X-Request-Id %[unique-id]\n";

static const char device_headers[] =
    "    http-request set-header Client-Cert :%[ssl_c_der,base64]: if { ssl_c_used } "
    "{ ssl_c_verify 0 }\n"
    "    http-request set-header X-Muster-Client-Refused FAILED:%[ssl_c_verify] if { ssl_c_used } "
    "!{ ssl_c_verify 0 }\n";

static void put_bind(struct buffer *out, const struct edge_settings *settings,
                     const struct edge_door *door)
{
    buffer_text(out, "    bind ");
    edge_address_put(out, door);
    switch (door->kind) {
    case EDGE_PLAIN: break;
    case EDGE_FRONT:
        buffer_format(out, " ssl crt %s crt %s alpn h2,http/1.1", settings->combined[0],
                      settings->combined[1]);
        break;
    case EDGE_DEVICE:
        buffer_format(out,
                      " ssl crt %s crt %s alpn http/1.1 ca-file %s verify optional "
                      "crt-ignore-err all ca-ignore-err all",
                      settings->combined[0], settings->combined[1], settings->device_authority);
        break;
    }
    buffer_text(out, "\n");
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
        buffer_text(out, "    acl larger path_reg ");
        edge_pattern_put(out, location->path);
        buffer_format(out, "\n    http-request deny deny_status 413 if { path_reg ");
        edge_pattern_put(out, location->path);
        buffer_format(out, " } { req.body_size gt %zu }\n", location->body_limit);
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
    buffer_text(out, headers);
    if (door->kind == EDGE_DEVICE)
        buffer_text(out, device_headers);
    if (door->kind == EDGE_FRONT)
        buffer_text(out, "    http-response set-header Strict-Transport-Security "
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
    buffer_text(&text, common);
    for (size_t i = 0; i < settings->door_count; i++)
        put_door(&text, settings, &settings->doors[i]);
    return buffer_done(&text, out, err);
}
