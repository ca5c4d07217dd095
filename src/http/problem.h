/* SPDX-License-Identifier: Apache-2.0 */
/* Problem documents with a status that no kind of error has (405, 431, 501). */
#pragma once

#include "http/http.h"

struct problem {
    int status;
    const char *name; /* behind "urn:muster:problem:" */
    const char *title;
};

void problem_write(const struct request *request, const struct problem *problem,
                   const struct err *err, struct reply *reply);
