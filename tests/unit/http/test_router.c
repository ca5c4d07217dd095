/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#include "base/text.h"
#include "codec/json.h"
#include "http/loopback.h"

static bool answer_params(struct request *request, struct reply *reply, struct err *err)
{
    (void)err;
    reply_bytes(reply, 200, "text/plain",
                bytes_text(mem_format(request->owner, "%s %s %s", request->route->path,
                                      request->params[0] ? request->params[0] : "-",
                                      request->params[1] ? request->params[1] : "-")));
    return true;
}

static bool answer_body(struct request *request, struct reply *reply, struct err *err)
{
    (void)err;
    reply_bytes(reply, 200, "text/plain", request->body);
    return true;
}

static bool fail_inside(struct request *request, struct reply *reply, struct err *err)
{
    (void)request;
    reply_bytes(reply, 200, "text/plain", bytes_text("half an answer"));
    return err_set(err, ERR_INTERNAL, "the secret table is broken");
}

/* The other end of a reply's file: reading from it ends when that is closed. */
static int behind_file;
static void file_half(struct reply *reply)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    behind_file = ends[0];
    reply_file(reply, 200, "text/plain", ends[1], 10);
}

static bool fail_behind_file(struct request *request, struct reply *reply, struct err *err)
{
    (void)request;
    file_half(reply);
    return err_set(err, ERR_NOT_FOUND, "it has gone meanwhile");
}

static bool empty_behind_file(struct request *request, struct reply *reply, struct err *err)
{
    (void)request;
    (void)err;
    file_half(reply);
    reply_empty(reply, 204);
    return true;
}

static bool fail_input(struct request *request, struct reply *reply, struct err *err)
{
    (void)request;
    (void)reply;
    err_at(err, ERR_BAD_INPUT, "/settings/0/value", "must be a number, not \xff");
    err->remedy = "Give a number.";
    return false;
}

static bool answer_nothing(struct request *request, struct reply *reply, struct err *err)
{
    (void)request;
    (void)reply;
    (void)err;
    return true;
}

static bool step_mark(struct request *request, struct reply *reply, struct err *err)
{
    (void)reply;
    (void)err;
    request->who = request->owner;
    return true;
}

static bool step_refuse(struct request *request, struct reply *reply, struct err *err)
{
    (void)reply;
    assert_non_null(request->who);
    return err_set(err, ERR_FORBIDDEN, "you may not");
}

static bool step_answer(struct request *request, struct reply *reply, struct err *err)
{
    (void)request;
    (void)err;
    reply_empty(reply, 401);
    reply_header(reply, "WWW-Authenticate", "Basic");
    return false;
}

static bool step_ask(struct request *request, struct reply *reply, struct err *err)
{
    (void)request;
    reply_header(reply, "WWW-Authenticate", "Bearer");
    return err_set(err, ERR_UNAUTHENTICATED, "sign in first");
}

static void render_short(const struct request *request, const struct err *err, struct reply *reply)
{
    (void)request;
    reply_bytes(reply, http_status_of(err->kind), "text/plain", bytes_text("no"));
}

static const char *const colours[] = {"red", "green", NULL};
struct wishes {
    char *text;
    int colour;
    int64_t limit;
};
static const struct field wish_rows[] = {
    TEXT_FIELD(struct wishes, text, 0, .highest = 4),
    ENUM_FIELD(struct wishes, colour, 0, colours),
    INTEGER_FIELD(struct wishes, limit, 0, .lowest = 1, .highest = 1000),
};
static const struct fields wish_fields = FIELDS(wish_rows);

static const struct route routes[] = {
    {HTTP_GET, "/", answer_params, .doors = DOOR_FRONT},
    {HTTP_GET, "/devices", answer_params, .doors = DOOR_FRONT},
    {HTTP_POST, "/devices", answer_body, .doors = DOOR_FRONT, .body_limit = 10},
    {HTTP_GET, "/devices/{id}", answer_params, .doors = DOOR_FRONT},
    {HTTP_DELETE, "/devices/{id}", answer_params, .doors = DOOR_FRONT},
    {HTTP_POST, "/devices/import", answer_body, .doors = DOOR_FRONT, .body_limit = 100},
    {HTTP_GET, "/devices/{id}/commands/{command}", answer_params, .doors = DOOR_FRONT},
    {HTTP_GET, "/file/failed", fail_behind_file, .doors = DOOR_FRONT},
    {HTTP_GET, "/file/empty", empty_behind_file, .doors = DOOR_FRONT},
    {HTTP_PUT, "/mdm", answer_body, .doors = DOOR_DEVICE, .body_limit = 100},
    {HTTP_GET, "/mdm", answer_params, .doors = DOOR_PLAIN},
    {HTTP_GET, "/inside", fail_inside, .doors = DOOR_FRONT},
    {HTTP_GET, "/input", fail_input, .doors = DOOR_FRONT},
    {HTTP_GET, "/nothing", answer_nothing, .doors = DOOR_FRONT},
    {HTTP_GET, "/short", fail_inside, .doors = DOOR_FRONT, .render_error = render_short},
    {HTTP_GET, "/refused", fail_inside, .steps = {step_mark, step_refuse}, .doors = DOOR_FRONT},
    {HTTP_GET, "/asked", fail_inside, .steps = {step_ask}, .doors = DOOR_FRONT},
    {HTTP_GET, "/answered", fail_inside, .steps = {step_answer}, .doors = DOOR_FRONT},
    {HTTP_GET, "/raw", answer_params, .doors = DOOR_FRONT, .flags = ROUTE_RAW_QUERY},
    {HTTP_GET, "/listed", answer_params, .doors = DOOR_FRONT, .name = "listed",
     .asks = &wish_fields},
    {HTTP_GET, "/plain", answer_params, .doors = DOOR_FRONT, .name = "plain"},
    {HTTP_GET, "/hidden", answer_params, .steps = {step_ask}, .doors = DOOR_FRONT,
     .name = "hidden"},
    {HTTP_GET, "/tail/{rest}", answer_params, .doors = DOOR_FRONT, .flags = ROUTE_TAIL},
};
static const struct routes tables[] = {{routes, 8}, {routes + 8, COUNT(routes) - 8}};

struct fixture {
    struct router *router;
    struct request request;
    struct reply reply;
};

static int set_up(void **state)
{
    struct fixture *fixture = mem_new(NULL, struct fixture);
    fixture->router = router_make(fixture, tables, COUNT(tables));
    fixture->request = (struct request){.owner = fixture, .id = "r-1", .now = 1000};
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    mem_free(*state);
    return 0;
}

static void ask(struct fixture *fixture, enum http_method method, const char *target)
{
    fixture->request = (struct request){.owner = fixture,
                                        .id = "r-1",
                                        .now = 1000,
                                        .method = method,
                                        .door = fixture->request.door,
                                        .body = fixture->request.body};
    loopback_run(fixture->router, &fixture->request, target, &fixture->reply);
}

static void assert_answer(const struct fixture *fixture, int status, const char *body)
{
    assert_int_equal(fixture->reply.status, status);
    assert_int_equal(fixture->reply.body.size, strlen(body));
    assert_memory_equal(fixture->reply.body.data, body, strlen(body));
}

static const char *header_of(const struct fixture *fixture, const char *name)
{
    for (size_t i = 0; i < fixture->reply.header_count; i++)
        if (text_equal_nocase(fixture->reply.headers[i].name, name))
            return fixture->reply.headers[i].value;
    return NULL;
}

static json_t *problem_of(const struct fixture *fixture)
{
    assert_string_equal(fixture->reply.type, "application/problem+json");
    json_t *problem =
        json_loadb((const char *)fixture->reply.body.data, fixture->reply.body.size, 0, NULL);
    assert_non_null(problem);
    return problem;
}

static void assert_member(const json_t *object, const char *key, const char *wanted)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (wanted)
        assert_string_equal(text ? text : "(absent)", wanted);
    else
        assert_null(text);
}

static void a_path_finds_its_row_and_fills_the_holes(void **state)
{
    struct fixture *fixture = *state;
    ask(fixture, HTTP_GET, "/");
    assert_answer(fixture, 200, "/ - -");
    ask(fixture, HTTP_GET, "/devices?limit=3");
    assert_answer(fixture, 200, "/devices - -");
    assert_string_equal(request_query(&fixture->request, "limit"), "3");
    ask(fixture, HTTP_GET, "/devices/d%201/commands/c2");
    assert_answer(fixture, 200, "/devices/{id}/commands/{command} d 1 c2");
}

static void a_literal_wins_over_a_hole_for_every_method(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.body = bytes_text("more than ten bytes");
    ask(fixture, HTTP_POST, "/devices/import");
    assert_answer(fixture, 200, "more than ten bytes");
    ask(fixture, HTTP_GET, "/devices/import");
    assert_int_equal(fixture->reply.status, 405);
    assert_string_equal(header_of(fixture, "Allow"), "POST");
}

static void an_unknown_path_is_404_with_a_problem_document(void **state)
{
    static const char *const paths[] = {"/no", "/devices/", "/devices/a/b",
                                        "/a/b/c/d/e/f/g/h/i/j/k/l/m/n"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        ask(fixture, HTTP_GET, paths[i]);
        assert_int_equal(fixture->reply.status, 404);
        CLEANUP(json_decref_at) json_t *problem = problem_of(fixture);
        assert_member(problem, "type", "urn:muster:problem:not-found");
        assert_member(problem, "instance", paths[i]);
        assert_member(problem, "request_id", "r-1");
    }
}

static void a_wrong_method_is_405_and_names_the_right_ones(void **state)
{
    struct fixture *fixture = *state;
    ask(fixture, HTTP_PATCH, "/devices/d1");
    assert_int_equal(fixture->reply.status, 405);
    assert_string_equal(header_of(fixture, "Allow"), "GET, HEAD, DELETE");
    CLEANUP(json_decref_at) json_t *problem = problem_of(fixture);
    assert_member(problem, "type", "urn:muster:problem:method-not-allowed");
}

static void head_is_answered_by_the_row_for_get(void **state)
{
    struct fixture *fixture = *state;
    ask(fixture, HTTP_HEAD, "/devices/d1");
    assert_answer(fixture, 200, "/devices/{id} d1 -");
}

static void a_row_is_seen_through_its_own_doors_only(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.door = DOOR_DEVICE;
    ask(fixture, HTTP_GET, "/mdm");
    assert_string_equal(header_of(fixture, "Allow"), "PUT");
    fixture->request.door = DOOR_FRONT;
    ask(fixture, HTTP_GET, "/mdm");
    assert_int_equal(fixture->reply.status, 404);
    fixture->request.door = DOOR_PLAIN;
    ask(fixture, HTTP_GET, "/mdm");
    assert_int_equal(fixture->reply.status, 200);
}

static void a_body_above_the_limit_of_its_row_is_413(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.body = bytes_text("0123456789");
    ask(fixture, HTTP_POST, "/devices");
    assert_answer(fixture, 200, "0123456789");
    fixture->request.body = bytes_text("0123456789a");
    ask(fixture, HTTP_POST, "/devices");
    assert_int_equal(fixture->reply.status, 413);
}

static void an_internal_error_shows_nothing_of_itself(void **state)
{
    struct fixture *fixture = *state;
    ask(fixture, HTTP_GET, "/inside");
    assert_int_equal(fixture->reply.status, 500);
    assert_null(memmem(fixture->reply.body.data, fixture->reply.body.size, "secret", 6));
    CLEANUP(json_decref_at) json_t *problem = problem_of(fixture);
    assert_member(problem, "request_id", "r-1");
}

static void an_input_error_points_at_the_place_and_the_remedy(void **state)
{
    struct fixture *fixture = *state;
    ask(fixture, HTTP_GET, "/input");
    assert_int_equal(fixture->reply.status, 400);
    CLEANUP(json_decref_at) json_t *problem = problem_of(fixture);
    assert_member(problem, "detail", "must be a number, not ?");
    assert_member(problem, "remedy", "Give a number.");
    const json_t *place = json_array_get(json_object_get(problem, "errors"), 0);
    assert_member(place, "pointer", "/settings/0/value");
    assert_member(place, "code", "bad-input");
}

static void a_handler_without_an_answer_is_an_internal_error(void **state)
{
    struct fixture *fixture = *state;
    ask(fixture, HTTP_GET, "/nothing");
    assert_int_equal(fixture->reply.status, 500);
}

static void a_row_may_write_its_errors_itself(void **state)
{
    struct fixture *fixture = *state;
    ask(fixture, HTTP_GET, "/short");
    assert_answer(fixture, 500, "no");
}

static void steps_run_in_order_and_may_refuse_or_answer(void **state)
{
    struct fixture *fixture = *state;
    ask(fixture, HTTP_GET, "/refused");
    assert_int_equal(fixture->reply.status, 403);
    ask(fixture, HTTP_GET, "/asked");
    assert_int_equal(fixture->reply.status, 401);
    assert_string_equal(header_of(fixture, "WWW-Authenticate"), "Bearer");
    ask(fixture, HTTP_GET, "/answered");
    assert_int_equal(fixture->reply.status, 401);
    assert_string_equal(header_of(fixture, "WWW-Authenticate"), "Basic");
}

static void a_path_that_can_be_read_two_ways_is_refused(void **state)
{
    static const char *const targets[] = {
        "",           "devices",      "http://host/devices", "*",        "//devices",
        "/devices//", "/devices/%2F", "/devices/..",         "/%2e%2E/", "/devices/%00",
        "/%zz",       "/%",           "/a%0d%0ab",           "/%ff%fe",  "/./devices"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT(targets); i++) {
        ask(fixture, HTTP_GET, targets[i]);
        if (fixture->reply.status != 400)
            fail_msg("%s: %d", targets[i], fixture->reply.status);
    }
}

static void a_tail_is_kept_as_it_was_sent(void **state)
{
    static const char *const pairs[][2] = {
        {"/tail/a", "/tail/{rest} a -"},
        {"/tail/a/b//c/", "/tail/{rest} a%2Fb%2F%2Fc%2F -"},
        {"/tail/a%2Fb%2f?c=/d", "/tail/{rest} a%2Fb%2f -"},
        {"/tail/../devices", "/tail/{rest} ..%2Fdevices -"},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        ask(fixture, HTTP_GET, pairs[i][0]);
        assert_int_equal(fixture->reply.status, 200);
        assert_true(bytes_equal(fixture->reply.body, bytes_text(pairs[i][1])));
    }
    ask(fixture, HTTP_GET, "/tail/");
    assert_int_equal(fixture->reply.status, 404);
    ask(fixture, HTTP_GET, "/tail/\x01");
    assert_int_equal(fixture->reply.status, 400);
}

static void a_long_target_is_413(void **state)
{
    struct fixture *fixture = *state;
    char *target = mem_array(fixture, char, HTTP_TARGET_SIZE + 2);
    memset(target, 'a', HTTP_TARGET_SIZE + 1);
    target[0] = '/';
    ask(fixture, HTTP_GET, target);
    assert_int_equal(fixture->reply.status, 413);
}

static void a_doubled_parameter_is_refused_unless_the_row_reads_the_query_itself(void **state)
{
    struct fixture *fixture = *state;
    ask(fixture, HTTP_GET, "/devices?a=1&a=2");
    assert_int_equal(fixture->reply.status, 400);
    ask(fixture, HTTP_GET, "/raw?a=1&a=2");
    assert_int_equal(fixture->reply.status, 200);
    assert_int_equal(fixture->request.query_raw.size, 7);
}

static void a_described_row_takes_the_parameters_of_its_table_alone(void **state)
{
    static const struct {
        const char *target;
        int status;
    } cases[] = {
        {"/listed", 200},
        {"/listed?text=abcd&colour=green&limit=1000", 200},
        {"/listed?text=abcde", 400},
        {"/listed?colour=bogus", 400},
        {"/listed?colour=", 400},
        {"/listed?limit=0", 400},
        {"/listed?limit=1x", 400},
        {"/listed?Colour=red", 400},
        {"/plain?colour=red", 400},
        {"/hidden?colour=red", 401},
        {"/devices?colour=red", 200}, /* no name: not of the described interface */
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ask(fixture, HTTP_GET, cases[i].target);
        assert_int_equal(fixture->reply.status, cases[i].status);
    }
    ask(fixture, HTTP_GET, "/listed?colour=bogus");
    char *body = bytes_to_text(fixture->request.owner, fixture->reply.body);
    assert_non_null(strstr(body, "?colour"));
    assert_non_null(strstr(body, "colour must be red or green"));
}

static void a_file_that_is_not_sent_is_closed(void **state)
{
    static const struct {
        const char *target;
        int status;
    } cases[] = {{"/file/failed", 404}, {"/file/empty", 204}};
    struct fixture *fixture = *state;
    char end;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ask(fixture, HTTP_GET, cases[i].target);
        assert_int_equal(fixture->reply.status, cases[i].status);
        assert_false(fixture->reply.has_file);
        assert_int_equal(read(behind_file, &end, 1), 0); /* else EAGAIN: it is open */
        (void)close(behind_file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_path_finds_its_row_and_fills_the_holes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_literal_wins_over_a_hole_for_every_method, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_path_is_404_with_a_problem_document, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_method_is_405_and_names_the_right_ones, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(head_is_answered_by_the_row_for_get, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_is_seen_through_its_own_doors_only, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_body_above_the_limit_of_its_row_is_413, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_internal_error_shows_nothing_of_itself, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_input_error_points_at_the_place_and_the_remedy, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_handler_without_an_answer_is_an_internal_error, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_row_may_write_its_errors_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(steps_run_in_order_and_may_refuse_or_answer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_path_that_can_be_read_two_ways_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_sent_is_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tail_is_kept_as_it_was_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_target_is_413, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_doubled_parameter_is_refused_unless_the_row_reads_the_query_itself, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(a_described_row_takes_the_parameters_of_its_table_alone,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
