/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdio.h>
#include <unistd.h>

#include "base/config.h"
#include "edge/edge.h"

#define NGINX "/usr/sbin/nginx"

static const struct edge_location locations[] = {
    {"/mdm", 1 << 20, false},
    {"/api/v1/apps/{id}/file.bin", 5 << 20, false},
    {"/small", 100, false},
    {"/enrol/{token}", 100, true},
};
static struct edge_door doors[] = {
    {EDGE_FRONT, "0.0.0.0", 8443, "/run/m/front", locations, COUNT(locations), {{0}}},
    {EDGE_DEVICE, "::1", 8444, "/run/m/device", NULL, 0, {{0}}},
    {EDGE_PLAIN, "127.0.0.1", 8080, "/run/m/plain", NULL, 0, {{0}}},
};
static const struct edge_problem problems[] = {
    {429, "too many"}, {413, "{\"title\":\"it's too large\\n\"}"}, {503, "later"}, {400, "bad"}};

static struct edge_settings settings_make(void)
{
    return (struct edge_settings){
        .run_dir = "/run/m",
        .certificates = {"/run/m/p256.pem", "/run/m/rsa.pem"},
        .keys = {"/run/m/p256.key", "/run/m/rsa.key"},
        .combined = {"/run/m/p256.both", "/run/m/rsa.both"},
        .device_authority = "/run/m/ca.pem",
        .connections = 1000,
        .limits = {.connections = {[EDGE_FRONT] = 7, [EDGE_DEVICE] = 8, [EDGE_PLAIN] = 9},
                   .rates = {[EDGE_RATE_AUTHORITY] = {5, 20}, [EDGE_RATE_SESSION] = {2, 3}}},
        .doors = doors,
        .door_count = COUNT(doors),
        .problems = problems,
        .problem_count = COUNT(problems),
    };
}

static void assert_has(const char *text, const char *wanted)
{
    if (strstr(text, wanted))
        return;
    print_error("missing: %s\n", wanted);
    fail();
}

/* The part of one server block, by the port that it listens on. */
static char *block_of(void *owner, struct bytes text, const char *listen)
{
    const char *start = strstr((const char *)text.data, listen);
    assert_non_null(start);
    const char *end = strstr(start, "    server {");
    return mem_text_part(owner, start, end ? (size_t)(end - start) : strlen(start));
}

static void each_address_has_its_share(void **state)
{
    void *owner = mem_pool(NULL, 1024);
    struct edge_settings settings = settings_make();
    struct bytes text;
    struct err err;
    (void)state;
    assert_works(edge_nginx_render(owner, &settings, &text, &err), err);
    const char *all = mem_text_part(owner, (const char *)text.data, text.size);
    assert_has(all, "127.0.0.1 \"\";");
    assert_has(all, "limit_req zone=authority burst=20 nodelay;");
    assert_has(all, "limit_req zone=session burst=3 nodelay;");
    assert_has(block_of(owner, text, "8443 ssl"), "limit_conn peers_front 7;");
    assert_has(block_of(owner, text, "8444 ssl"), "limit_conn peers_device 8;");
    assert_has(block_of(owner, text, "8080"), "limit_conn peers_plain 9;");
    assert_has(all, "error_page 429 /.edge/429;");
    mem_free(owner);
}

static void browsers_keep_to_tls_where_no_plain_door_has_the_name(void **state)
{
    void *owner = mem_pool(NULL, 1024);
    struct edge_settings settings = settings_make();
    struct bytes nginx, haproxy;
    struct err err;
    (void)state;
    settings.strict_transport = true;
    assert_works(edge_nginx_render(owner, &settings, &nginx, &err), err);
    assert_works(edge_haproxy_render(owner, &settings, &haproxy, &err), err);
    assert_has(block_of(owner, nginx, "8443 ssl"), "Strict-Transport-Security");
    assert_null(strstr(block_of(owner, nginx, "8444 ssl"), "Strict-Transport-Security"));
    assert_null(strstr(block_of(owner, nginx, "8080"), "Strict-Transport-Security"));
    assert_has(mem_text_part(owner, (const char *)haproxy.data, haproxy.size),
               "Strict-Transport-Security");
    mem_free(owner);
}

static void each_door_says_what_it_asks_for(void **state)
{
    void *owner = mem_pool(NULL, 1024);
    struct edge_settings settings = settings_make();
    struct bytes text;
    struct err err;
    (void)state;
    assert_works(edge_nginx_render(owner, &settings, &text, &err), err);
    const char *front = block_of(owner, text, "listen 0.0.0.0:8443 ssl http2");
    const char *device = block_of(owner, text, "listen [::1]:8444 ssl backlog");
    const char *plain = block_of(owner, text, "listen 127.0.0.1:8080 backlog");
    assert_null(strstr(front, "ssl_verify_client"));
    assert_null(strstr(front, "Strict-Transport-Security")); /* the plain door has its name */
    assert_has(front, "proxy_set_header X-Muster-Client-Cert \"\";");
    assert_has(device, "ssl_client_certificate /run/m/ca.pem;");
    assert_has(device, "proxy_set_header X-Muster-Client-Cert $ssl_client_escaped_cert;");
    assert_has(device, "error_page 495 496 = @refused;");
    assert_null(strstr(plain, "ssl_certificate"));
    assert_has(plain, "proxy_set_header X-Muster-Client-Cert \"\";");
    mem_free(owner);
}

static void a_door_may_have_several_addresses_and_certificates_of_its_own(void **state)
{
    void *owner = mem_pool(NULL, 1024);
    struct edge_settings settings = settings_make();
    struct edge_door door = doors[0];
    struct bytes text;
    struct err err;
    (void)state;
    settings.doors = &door;
    settings.door_count = 1;
    door.address = "192.0.2.1, 2001:db8::1";
    door.identities[0] = (struct edge_identity){"/run/m/a.pem", "/run/m/a.key", "/run/m/a.both"};
    assert_works(edge_nginx_render(owner, &settings, &text, &err), err);
    const char *all = mem_text_part(owner, (const char *)text.data, text.size);
    assert_has(all, "listen 192.0.2.1:8443 ssl http2 backlog=4096;\n"
                    "        listen [2001:db8::1]:8443 ssl http2 backlog=4096;");
    assert_has(all, "ssl_certificate /run/m/a.pem;\n        ssl_certificate_key /run/m/a.key;");
    assert_null(strstr(all, "/run/m/rsa.pem"));
    assert_works(edge_haproxy_render(owner, &settings, &text, &err), err);
    assert_has((const char *)text.data, "bind 192.0.2.1:8443 ssl crt /run/m/a.both alpn");
    assert_has((const char *)text.data,
               "bind [2001:db8::1]:8443 v6only ssl crt /run/m/a.both alpn");
    door.address = "::";
    assert_works(edge_nginx_render(owner, &settings, &text, &err), err);
    assert_has((const char *)text.data, "listen [::]:8443 ssl http2 backlog=4096 ipv6only=off;");
    assert_works(edge_haproxy_render(owner, &settings, &text, &err), err);
    assert_has((const char *)text.data, "bind [::]:8443 v4v6 ssl");
    door.address = "0.0.0.0 ::";
    assert_works(edge_nginx_render(owner, &settings, &text, &err), err);
    assert_has((const char *)text.data, "listen [::]:8443 ssl http2 backlog=4096;");
    door.address = " , ";
    assert_fails(edge_nginx_render(owner, &settings, &text, &err), err, ERR_BAD_INPUT);
    mem_free(owner);
}

static void larger_bodies_have_locations_of_their_own(void **state)
{
    void *owner = mem_pool(NULL, 1024);
    struct edge_settings settings = settings_make();
    struct bytes nginx, haproxy;
    struct err err;
    (void)state;
    assert_works(edge_nginx_render(owner, &settings, &nginx, &err), err);
    const char *front = block_of(owner, nginx, "listen 0.0.0.0:8443");
    assert_has(front, "location = /mdm {\n            client_max_body_size 1048576;");
    assert_has(front, "location ~ \"^/api/v1/apps/[^/]+/file\\.bin$\" {\n"
                      "            client_max_body_size 5242880;");
    assert_null(strstr(front, "/small"));
    const char *secret = strstr(front, "/enrol/");
    assert_non_null(secret);
    const char *quiet = strstr(secret, "error_log stderr crit;");
    assert_non_null(quiet);
    assert_null(memchr(secret, '}', (size_t)(quiet - secret))); /* of this location */
    assert_works(edge_haproxy_render(owner, &settings, &haproxy, &err), err);
    const char *text = (const char *)haproxy.data;
    assert_has(text, "acl larger path_reg '^/api/v1/apps/[^/]+/file\\.bin$'\n");
    assert_has(text, "if !larger { req.body_size gt 65536 }");
    assert_has(text, "if { req.body_size gt 65536 }");
    mem_free(owner);
}

static void refusals_are_quoted_and_mapped(void **state)
{
    void *owner = mem_pool(NULL, 1024);
    struct edge_settings settings = settings_make();
    struct bytes text;
    struct err err;
    (void)state;
    assert_works(edge_nginx_render(owner, &settings, &text, &err), err);
    const char *front = block_of(owner, text, "listen 0.0.0.0:8443");
    const char *plain = block_of(owner, text, "listen 127.0.0.1:8080");
    assert_has(front, "return 413 '{\"title\":\"it\\'s too large\\\\n\"}';");
    assert_has(plain, "error_page 502 503 504 =503 /.edge/503;");
    assert_has(plain, "error_page 400 497 =400 /.edge/400;");
    mem_free(owner);
}

static void devices_are_refused_without_words(void **state)
{
    void *owner = mem_pool(NULL, 1024);
    struct edge_settings settings = settings_make();
    struct bytes text;
    struct err err;
    (void)state;
    assert_works(edge_nginx_render(owner, &settings, &text, &err), err);
    static const char *const doors_of_devices[] = {"listen [::1]:8444", "listen 127.0.0.1:8080"};
    for (size_t i = 0; i < COUNT(doors_of_devices); i++) {
        const char *door = block_of(owner, text, doors_of_devices[i]);
        assert_has(door, "return 429 $muster_nothing;");
        assert_null(strstr(door, "problem+json"));
    }
    mem_free(owner);
}

static void haproxy_has_the_same_limits(void **state)
{
    void *owner = mem_pool(NULL, 1024);
    struct edge_settings settings = settings_make();
    struct bytes bytes;
    struct err err;
    (void)state;
    assert_works(edge_haproxy_render(owner, &settings, &bytes, &err), err);
    const char *text = mem_text_part(owner, (const char *)bytes.data, bytes.size);
    assert_has(text, "maxconn 1000\n");
    assert_has(text, "reject if { sc0_conn_cur gt 14 }\n");
    assert_has(text, "deny deny_status 429 if { sc0_conn_cur gt 7 }\n");
    assert_has(text, "deny deny_status 429 if { sc0_conn_cur gt 8 }\n");
    assert_has(text, "deny deny_status 429 if { sc0_conn_cur gt 9 }\n");
    assert_has(text, "backend peers_authority\n    stick-table type ipv6 size 100k expire 8000ms "
                     "store gpc0_rate(4000ms)\n");
    assert_has(text, "store gpc0_rate(1500ms)\n");
    assert_has(text, "if authority { sc1_gpc0_rate ge 20 }\n");
    assert_has(text, "if session { sc2_gpc0_rate ge 3 }\n");
    assert_has(text, "lf-string '{\"title\":\"it'\\''s too large");
    assert_has(text, "http-error status 503 hdr Retry-After 5\n");
    mem_free(owner);
}

static void a_limit_of_nothing_is_refused(void **state)
{
    struct edge_settings settings = settings_make();
    struct bytes text;
    struct err err;
    (void)state;
    settings.limits.connections[EDGE_DEVICE] = 0;
    assert_fails(edge_nginx_render(NULL, &settings, &text, &err), err, ERR_BAD_INPUT);
    settings = settings_make();
    settings.limits.rates[EDGE_RATE_SESSION].burst = 0;
    assert_fails(edge_haproxy_render(NULL, &settings, &text, &err), err, ERR_BAD_INPUT);
}

static void what_cannot_stand_in_the_file_is_refused(void **state)
{
    static const struct edge_location bad_location = {"/a\"b", 1 << 20, false};
    struct edge_settings settings = settings_make();
    struct edge_door door = doors[0];
    struct bytes text;
    struct err err;
    (void)state;
    settings.doors = &door;
    settings.door_count = 1;
    settings.run_dir = "/run/m;evil";
    assert_fails(edge_nginx_render(NULL, &settings, &text, &err), err, ERR_BAD_INPUT);
    settings.run_dir = "relative";
    assert_fails(edge_haproxy_render(NULL, &settings, &text, &err), err, ERR_BAD_INPUT);
    settings.run_dir = "/run/m";
    door.address = "0.0.0.0; evil";
    assert_fails(edge_nginx_render(NULL, &settings, &text, &err), err, ERR_BAD_INPUT);
    door.address = "0.0.0.0";
    door.port = 65536;
    assert_fails(edge_nginx_render(NULL, &settings, &text, &err), err, ERR_BAD_INPUT);
    door.port = 1;
    door.upstream = "/run/{x}";
    assert_fails(edge_nginx_render(NULL, &settings, &text, &err), err, ERR_BAD_INPUT);
    door.upstream = "/run/x";
    door.locations = &bad_location;
    door.location_count = 1;
    assert_fails(edge_nginx_render(NULL, &settings, &text, &err), err, ERR_BAD_INPUT);
}

/* nginx itself reads what stands in a temporary directory. */
static bool nginx_reads(const char *content, struct err *err)
{
    char folder[] = "/tmp/muster-edge-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/nginx.conf", folder);
    char *text = mem_format(NULL, "pid %s/pid;\n%s", folder, content);
    struct err writing;
    assert_works(file_write(path, bytes_text(text), 0600, &writing), writing);
    bool fine = edge_nginx_check(NGINX, folder, path, err);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/pid", folder);
    (void)unlink(path);
    (void)rmdir(folder);
    mem_free(text);
    return fine;
}

static void nginx_says_what_is_wrong_with_a_file(void **state)
{
    struct err err;
    (void)state;
    assert_works(nginx_reads("events {}\n", &err), err);
    assert_fails(nginx_reads("events {}\nnonsense on;\n", &err), err, ERR_BAD_INPUT);
    assert_non_null(strstr(err.text, "nonsense"));
    assert_fails(edge_nginx_check("/nonexistent/nginx", "/tmp", "/tmp/x", &err), err, ERR_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_has_its_share),
        cmocka_unit_test(each_door_says_what_it_asks_for),
        cmocka_unit_test(browsers_keep_to_tls_where_no_plain_door_has_the_name),
        cmocka_unit_test(a_door_may_have_several_addresses_and_certificates_of_its_own),
        cmocka_unit_test(larger_bodies_have_locations_of_their_own),
        cmocka_unit_test(refusals_are_quoted_and_mapped),
        cmocka_unit_test(devices_are_refused_without_words),
        cmocka_unit_test(haproxy_has_the_same_limits),
        cmocka_unit_test(a_limit_of_nothing_is_refused),
        cmocka_unit_test(what_cannot_stand_in_the_file_is_refused),
        cmocka_unit_test(nginx_says_what_is_wrong_with_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
