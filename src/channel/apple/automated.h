/* SPDX-License-Identifier: Apache-2.0 */
/* The way in of devices that Apple's enrolment service sends. */
#pragma once

#include "http/http.h"

#define AUTOMATED_PATH "/apple/automated"
#define AUTOMATED_ANCHORS_PATH "/apple/anchors"

http_handler apple_automated;        /* what a device posts from its assistant */
http_handler apple_automated_config; /* what Apple Configurator asks for */
http_handler apple_automated_anchors;
