/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI 3.1 document, generated from the route tables and their field tables. */
#include <string.h>

#include "api/answer.h"
#include "api/resources.h"

const struct routes *const api_tables[] = {
    &account_routes,      &audit_routes,   &authority_routes, &certificate_routes,
    &command_routes,      &device_routes,  &event_routes,     &integrity_routes,
    &inventory_routes,    &link_routes,    &lost_routes,      &network_routes,
    &openapi_routes,      &policy_routes,  &push_routes,      &service_profile_routes,
    &service_routes,      &session_routes, &status_routes,    &terms_routes,
    &user_channel_routes, &user_routes,    &wipe_routes,      NULL,
};

static void append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        bug("no OpenAPI element");
}

/* ---- schemas ---- */

static json_t *names_json(const char *const *names)
{
    json_t *list = json_array();
    for (size_t i = 0; names[i]; i++)
        append(list, json_string(names[i]));
    return list;
}

static const struct {
    const char *type, *format;
} type_names[] = {
    [FIELD_TEXT] = {"string", NULL},     [FIELD_INTEGER] = {"integer", "int64"},
    [FIELD_BOOLEAN] = {"boolean", NULL}, [FIELD_REAL] = {"number", "double"},
    [FIELD_BYTES] = {"string", "byte"},  [FIELD_TIME] = {"string", "date-time"},
    [FIELD_ENUM] = {"string", NULL},     [FIELD_RAW] = {"object", NULL},
};

static const char *type_name(const struct field *field)
{
    return field->flags & FIELD_LIST ? "array" : type_names[field->type].type;
}

static void put_type(json_t *schema, const struct field *field, bool is_answer)
{
    const char *type = type_name(field);
    bool may_be_null = is_answer && (field->type == FIELD_TEXT || field->type == FIELD_TIME ||
                                     field->type == FIELD_BYTES || field->type == FIELD_RAW);
    if (may_be_null) {
        json_t *types = json_array();
        append(types, json_string(type));
        append(types, json_string("null"));
        json_set(schema, "type", types);
    } else
        json_set(schema, "type", json_string(type));
}

static json_t *field_schema(const struct field *field, bool is_answer)
{
    json_t *schema = json_object();
    put_type(schema, field, is_answer);
    if (type_names[field->type].format)
        json_set(schema, "format", json_string(type_names[field->type].format));
    if (field->help)
        json_set(schema, "description", json_string(field->help));
    if (field->type == FIELD_ENUM)
        json_set(schema, "enum", names_json(field->names));
    if (field->type == FIELD_INTEGER && field->highest > field->lowest) {
        json_set(schema, "minimum", json_integer((json_int_t)field->lowest));
        json_set(schema, "maximum", json_integer((json_int_t)field->highest));
    }
    return schema;
}

static json_t *fields_schema(const struct fields *fields, bool is_answer)
{
    json_t *properties = json_object(), *required = json_array(), *schema = json_object();
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->list[i];
        unsigned hidden = is_answer ? FIELD_SECRET : FIELD_READ_ONLY;
        if (field->flags & hidden)
            continue;
        json_set(properties, field->name, field_schema(field, is_answer));
        if (is_answer || field->flags & FIELD_REQUIRED)
            append(required, json_string(field->name));
    }
    json_set(schema, "type", json_string("object"));
    json_set(schema, "properties", properties);
    json_set(schema, "required", required);
    json_set(schema, "additionalProperties", json_false());
    return schema;
}

static json_t *list_schema(const struct fields *fields)
{
    json_t *schema = json_pack("{s:s, s:[s, s], s:b, s:{s:{s:s, s:o}, s:{s:[s, s]}}}", "type",
                               "object", "required", "items", "next", "additionalProperties", 0,
                               "properties", "items", "type", "array", "items",
                               fields_schema(fields, true), "next", "type", "string", "null");
    if (!schema)
        bug("no list schema");
    return schema;
}

static json_t *content_of(const char *type, json_t *schema)
{
    json_t *content = json_pack("{s:{s:o}}", type, "schema", schema);
    if (!content)
        bug("no content");
    return content;
}

/* ---- operations ---- */

static json_t *parameter(const char *name, const char *in, json_t *schema, const char *help)
{
    json_t *p = json_pack("{s:s, s:s, s:b, s:o}", "name", name, "in", in, "required",
                          strcmp(in, "path") == 0, "schema", schema);
    if (!p)
        bug("no parameter");
    if (help)
        json_set(p, "description", json_string(help));
    return p;
}

static json_t *parameters_of(const struct request *request, const struct route *route)
{
    json_t *list = json_array();
    for (const char *at = strchr(route->path, '{'); at; at = strchr(at + 1, '{')) {
        const char *end = strchr(at, '}');
        const char *name = mem_text_part(request->owner, at + 1, (size_t)(end - at - 1));
        append(list, parameter(name, "path", json_pack("{s:s}", "type", "string"), NULL));
    }
    for (size_t i = 0; route->asks && i < route->asks->count; i++)
        append(list,
               parameter(route->asks->list[i].name, "query",
                         field_schema(&route->asks->list[i], false), route->asks->list[i].help));
    return list;
}

static json_t *success_of(const struct route *route)
{
    json_t *success = json_pack("{s:s}", "description", route->summary);
    if (route->gives)
        json_set(success, "content",
                 content_of("application/json", route->flags & ROUTE_GIVES_LIST
                                                    ? list_schema(route->gives)
                                                    : fields_schema(route->gives, true)));
    return success;
}

static json_t *responses_of(const struct route *route)
{
    const char *status = route->flags & ROUTE_CREATES               ? "201"
                         : route->gives || route->flags & ROUTE_RAW ? "200"
                                                                    : "204";
    json_t *responses = json_object();
    json_set(responses, status, success_of(route));
    if (route->flags & ROUTE_CREATES && route->method == HTTP_PUT) /* or changes what is there */
        json_set(responses, "200", success_of(route));
    json_set(responses, "default", json_pack("{s:s}", "$ref", "#/components/responses/Problem"));
    return responses;
}

static json_t *operation_of(const struct request *request, const struct route *route)
{
    json_t *operation = json_object();
    json_set(operation, "operationId", json_string(route->name));
    json_set(operation, "summary", json_string(route->summary));
    json_set(operation, "parameters", parameters_of(request, route));
    if (route->takes) {
        json_t *body =
            json_pack("{s:b, s:o}", "required", 1, "content",
                      content_of("application/json", fields_schema(route->takes, false)));
        json_set(operation, "requestBody", body);
    }
    json_set(operation, "responses", responses_of(route));
    if (route->permission)
        json_set(operation, "x-permission", json_string(route->permission));
    else
        json_set(operation, "security", json_array());
    return operation;
}

static char *method_lower(const struct request *request, enum http_method method)
{
    char *name = mem_text(request->owner, http_method_names[method]);
    for (char *c = name; *c; c++)
        *c = (char)(*c | 0x20);
    return name;
}

static json_t *paths_of(const struct request *request)
{
    json_t *paths = json_object();
    for (size_t t = 0; api_tables[t]; t++)
        for (size_t i = 0; i < api_tables[t]->count; i++) {
            const struct route *route = &api_tables[t]->list[i];
            if (!route->name)
                continue;
            json_t *path = json_object_get(paths, route->path);
            if (!path) {
                json_set(paths, route->path, json_object());
                path = json_object_get(paths, route->path);
            }
            json_set(path, method_lower(request, route->method), operation_of(request, route));
        }
    return paths;
}

/* RFC 9457, as http/problem.c writes it */
static json_t *components(void)
{
    json_t *problem = json_pack(
        "{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}}}", "type",
        "object", "properties", "type", "type", "string", "title", "type", "string", "status",
        "type", "integer", "detail", "type", "string", "instance", "type", "string", "errors",
        "type", "array", "remedy", "type", "string", "request_id", "type", "string");
    json_t *all = json_pack("{s:{s:{s:s, s:s}}, s:{s:{s:s, s:o}}}", "securitySchemes", "bearer",
                            "type", "http", "scheme", "bearer", "responses", "Problem",
                            "description", "What went wrong, and what to do about it", "content",
                            content_of("application/problem+json", problem));
    if (!all)
        bug("no components");
    return all;
}

static bool openapi_get(struct request *request, struct reply *reply, struct err *err)
{
    (void)err;
    json_t *document = json_pack("{s:s, s:{s:s, s:s, s:s}, s:[{s:[]}], s:o, s:o}", "openapi",
                                 "3.1.0", "info", "title", "Muster", "version", MUSTER_VERSION,
                                 "summary", "Manage every device of an organisation", "security",
                                 "bearer", "paths", paths_of(request), "components", components());
    if (!document)
        bug("no OpenAPI document");
    api_reply_json(request, reply, 200, document);
    return true;
}

static const struct route rows[] = {
    {HTTP_GET,
     API "/openapi.json",
     openapi_get,
     {NULL},
     DOOR_FRONT,
     0,
     .name = "openapi_get",
     .summary = "This document",
     .flags = ROUTE_RAW},
};
const struct routes openapi_routes = {rows, COUNT(rows)};
