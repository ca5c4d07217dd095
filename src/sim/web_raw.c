/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/web_raw.h"

#include <poll.h>
#include <stdio.h>

#include "base/clock.h"

#define AT_ONCE 65536 /* bytes of one write when there is no pace */
#define LINE_ROOM 64  /* enough for "HTTP/1.1 200 " */
#define TICK_MS 1000
#define READ_SECONDS 10

static bool socket_wait(CURL *curl, short events, int timeout_ms)
{
    curl_socket_t socket = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &socket) || socket == CURL_SOCKET_BAD)
        return false;
    struct pollfd poll_one = {.fd = socket, .events = events};
    return poll(&poll_one, 1, timeout_ms) > 0;
}

/* The status line, when one arrives in time; -1 when the peer closed, 0 when nothing came. */
static int status_read(CURL *curl, int timeout_ms)
{
    char line[LINE_ROOM + 1] = "";
    size_t filled = 0;
    int status = 0;
    int64_t until = clock_monotonic_ms() + timeout_ms;
    do {
        size_t size = 0;
        CURLcode code = curl_easy_recv(curl, line + filled, LINE_ROOM - filled, &size);
        if (code == CURLE_OK && size == 0)
            return -1;
        if (code != CURLE_OK && code != CURLE_AGAIN)
            return -1;
        filled += code == CURLE_OK ? size : 0;
        line[filled] = '\0';
        if (sscanf(line, "HTTP/1.1 %3d ", &status) == 1)
            return status;
        if (code == CURLE_AGAIN)
            (void)socket_wait(curl, POLLIN, TICK_MS / 10);
    } while (filled < LINE_ROOM && clock_monotonic_ms() < until);
    return 0;
}

static bool part_send(CURL *curl, struct bytes *rest, size_t most)
{
    size_t sent = 0;
    size_t part = rest->size < most ? rest->size : most;
    CURLcode code = curl_easy_send(curl, rest->data, part, &sent);
    if (code == CURLE_AGAIN)
        return socket_wait(curl, POLLOUT, TICK_MS);
    rest->data += sent;
    rest->size -= sent;
    return code == CURLE_OK;
}

/* Until it is sent, refused or answered too early; the answer's status, negative: no answer. */
static int part_send_whole(CURL *curl, struct bytes *part, const struct web_pace *pace,
                           int64_t until)
{
    bool is_slow = pace->bytes_per_second != 0;
    while (part->size > 0 && (!is_slow || clock_monotonic_ms() < until)) {
        if (!part_send(curl, part, is_slow ? pace->bytes_per_second : AT_ONCE))
            break;
        int status = is_slow ? status_read(curl, TICK_MS) : 0;
        if (status != 0)
            return status;
    }
    return 0;
}

int raw_exchange(CURL *curl, const char *head, struct bytes body, const struct web_pace *pace)
{
    int64_t until = clock_monotonic_ms() + (int64_t)pace->seconds * 1000;
    struct bytes parts[] = {bytes_text(head), body};
    for (size_t i = 0; i < COUNT(parts); i++) {
        int status = part_send_whole(curl, &parts[i], pace, until);
        if (status != 0)
            return status > 0 ? status : 0;
    }
    if (pace->leave_without_reading || clock_monotonic_ms() >= until)
        return 0;
    int status = status_read(curl, READ_SECONDS * 1000);
    return status > 0 ? status : 0;
}
