/* SPDX-License-Identifier: Apache-2.0 */
/* Switches and printers: a challenge for "CN=gear", and what asks with it. */
#pragma once

#include "fleet/network.h"
#include "tests/contract/fleet_fixture.h"

struct network_challenge gear_challenge(struct fixture *f, bool needs_approval);
struct certificate_asked gear_asked(struct fixture *f, const struct network_challenge *made,
                                    size_t key);
/* CertPoll: the key and the subject of a request alone. */
struct issued gear_poll(struct fixture *f, const struct certificate_asked *asked);
