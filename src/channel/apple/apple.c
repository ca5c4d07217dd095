/* SPDX-License-Identifier: Apache-2.0 */
/* The door of Apple's devices: what they may ask for, and what this room offers to the house. */
#include "channel/apple/apple.h"

#include "base/mem.h"
#include "channel/apple/actions.h"
#include "channel/apple/automated.h"
#include "channel/apple/carriers.h"
#include "channel/apple/service.h"
#include "channel/apple/settings.h"
#include "channel/apple/signature.h"
#include "channel/apple/wake.h"
#include "channel/channel.h"
#include "channel/form.h"
#include "channel/signin.h"
#include "model/platform.h"
#include "pki/signed.h"

#define MACHINE_SIZE_MAX 65536 /* bytes of what a device says of itself, signed */
#define BUTTON_SIZE_MAX 1024   /* bytes: the form has no fields */

static const struct route routes[] = {
    {.method = HTTP_GET,
     .path = "/enrol/{token}",
     .handler = apple_link_show,
     .doors = DOOR_FRONT,
     .flags = ROUTE_RAW | ROUTE_SECRET_PATH,
     .render_error = apple_page_error},
    {.method = HTTP_POST, /* of its button; never by looking: previews and scanners look too */
     .path = "/enrol/{token}",
     .handler = apple_link_profile,
     .doors = DOOR_FRONT,
     .body_limit = BUTTON_SIZE_MAX,
     .flags = ROUTE_RAW | ROUTE_SECRET_PATH,
     .render_error = apple_page_error},
    {.method = HTTP_POST, /* of a device in its assistant */
     .path = AUTOMATED_PATH,
     .handler = apple_automated,
     .doors = DOOR_FRONT,
     .body_limit = SIGNED_SIZE_MAX,
     .flags = ROUTE_RAW,
     .render_error = apple_error_render},
    {.method = HTTP_GET, /* of Apple Configurator */
     .path = "/MDMServiceConfig",
     .handler = apple_automated_config,
     .doors = DOOR_FRONT,
     .flags = ROUTE_RAW},
    {.method = HTTP_GET,
     .path = AUTOMATED_ANCHORS_PATH,
     .handler = apple_automated_anchors,
     .doors = DOOR_FRONT,
     .flags = ROUTE_RAW},
    {.method = HTTP_GET,
     .path = "/enrol",
     .handler = apple_sign_in_show,
     .doors = DOOR_FRONT,
     .flags = ROUTE_RAW,
     .render_error = signin_error},
    {.method = HTTP_POST,
     .path = "/enrol",
     .handler = apple_sign_in_post,
     .doors = DOOR_FRONT,
     .body_limit = FORM_SIZE_MAX,
     .flags = ROUTE_RAW,
     .render_error = signin_error},
    {.method = HTTP_GET,
     .path = "/.well-known/com.apple.remotemanagement",
     .handler = apple_account_discover,
     .doors = DOOR_FRONT,
     .flags = ROUTE_RAW},
    {.method = HTTP_POST,
     .path = "/apple/account/enrol",
     .handler = apple_account_enrol,
     .doors = DOOR_FRONT,
     .body_limit = MACHINE_SIZE_MAX,
     .flags = ROUTE_RAW},
    {.method = HTTP_GET,
     .path = "/apple/account/sign-in",
     .handler = apple_account_show,
     .doors = DOOR_FRONT,
     .flags = ROUTE_RAW,
     .render_error = signin_error},
    {.method = HTTP_POST,
     .path = "/apple/account/sign-in",
     .handler = apple_account_post,
     .doors = DOOR_FRONT,
     .body_limit = FORM_SIZE_MAX,
     .flags = ROUTE_RAW,
     .render_error = signin_error},
    {.method = HTTP_PUT,
     .path = "/apple/checkin",
     .handler = apple_checkin,
     .steps = {apple_signature, need_device},
     .doors = DOOR_DEVICE,
     .body_limit = CHECKIN_SIZE_MAX,
     .render_error = apple_error_render,
     .weigh = apple_checkin_weigh},
    {.method = HTTP_PUT,
     .path = "/apple/connect",
     .handler = apple_connect,
     .steps = {apple_signature, need_device},
     .doors = DOOR_DEVICE,
     .body_limit = CONNECT_SIZE_MAX,
     .render_error = apple_error_render,
     .glance = apple_connect_glance,
     .weigh = apple_patient},
    {.method = HTTP_GET,
     .path = APPLE_FETCH_PATH "/{item}/{hash}",
     .handler = apple_profile_fetch,
     .steps = {apple_signature, need_device},
     .doors = DOOR_DEVICE,
     .flags = ROUTE_RAW,
     .render_error = apple_error_render,
     .weigh = apple_patient},
};
static const struct routes table = {routes, COUNT(routes)};

const struct channel channel_apple = {
    .name = "apple",
    .platforms = 1 << PLATFORM_IOS | 1 << PLATFORM_IPADOS | 1 << PLATFORM_MACOS,
    .routes = &table,
    .unsupported = apple_unsupported,
    .nearest = apple_nearest,
    .refuses = apple_refuses,
    .items = apple_items,
    .wake_open = apple_wake_open,
    .wake_room = apple_wake_room,
    .wake_start = apple_wake_start,
    .wake_under_way = apple_wake_under_way,
    .wake_take = apple_wake_take,
    .service_import = apple_service_import,
    .service_open = apple_service_open,
    .service_work = apple_service_work,
};
