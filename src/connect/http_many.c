/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/http_many.h"

#include "base/clock.h"
#include "base/mem.h"
#include "connect/client.h"

#define STREAMS_MOST 100 /* on one connection; the server's own limit may be lower */

struct slot { /* a handle that is made when it is first needed, and used again */
    struct http_client *client;
    void *call; /* owns what the call under way needs; NULL: free */
    void *context;
};

struct http_many {
    CURLM *multi;
    struct http_client_settings client;
    uint8_t *key;
    struct slot *slots;
    size_t slot_count, made, under_way;
};

static int many_close(struct http_many *many)
{
    for (size_t i = 0; i < many->made; i++) {
        if (many->slots[i].call)
            (void)curl_multi_remove_handle(many->multi, many->slots[i].client->curl);
        mem_free(many->slots[i].client);
        many->slots[i].client = NULL;
    }
    if (many->multi)
        (void)curl_multi_cleanup(many->multi);
    bytes_wipe(many->key, many->client.key.size);
    curl_global_cleanup();
    return 0;
}

static bool multi_set(CURLM *multi, size_t connections)
{
    return curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)connections) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS_MOST) ==
               CURLM_OK;
}

bool http_many_open(void *owner, const struct http_many_settings *settings, struct http_many **out,
                    struct err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_INTERNAL, "libcurl does not start");
    CLEANUP(mem_free_at) struct http_many *many = mem_new(NULL, struct http_many);
    mem_destructor(many, many_close);
    many->client = settings->client;
    /* each handle that is made later needs them again */
    many->key = mem_copy(many, settings->client.key.data, settings->client.key.size);
    many->client.key.data = many->key;
    many->client.certificate.data =
        mem_copy(many, settings->client.certificate.data, settings->client.certificate.size);
    many->client.ca_file =
        settings->client.ca_file ? mem_text(many, settings->client.ca_file) : NULL;
    many->slots = mem_array(many, struct slot, settings->calls);
    many->slot_count = settings->calls;
    many->multi = curl_multi_init();
    if (!many->multi || !multi_set(many->multi, settings->connections))
        return err_set(err, ERR_INTERNAL, "libcurl makes no handle for many calls");
    *out = mem_give(owner, &many);
    return true;
}

size_t http_many_under_way(const struct http_many *many)
{
    return many->under_way;
}

size_t http_many_room(const struct http_many *many)
{
    return many->slot_count - many->under_way;
}

static bool slot_make(struct http_many *many, struct slot **out, struct err *err)
{
    struct slot *slot = &many->slots[many->made];
    if (!http_client_open(many, &many->client, &slot->client, err))
        return false;
    CURL_SET(slot->client->curl, CURLOPT_PIPEWAIT, 1L); /* rather a stream than a connection */
    CURL_SET(slot->client->curl, CURLOPT_PRIVATE, slot);
    many->made++;
    *out = slot;
    return true;
}

static bool slot_take(struct http_many *many, struct slot **out, struct err *err)
{
    for (size_t i = 0; i < many->made; i++)
        if (!many->slots[i].call) {
            *out = &many->slots[i];
            return true;
        }
    if (many->made == many->slot_count)
        bug("more than %zu calls at once", many->slot_count);
    return slot_make(many, out, err);
}

bool http_many_start(struct http_many *many, const struct http_call *call, void *context,
                     struct err *err)
{
    struct slot *slot = NULL;
    if (!slot_take(many, &slot, err))
        return false;
    struct http_call kept = *call;
    slot->call = mem_new(many, char);
    slot->context = context;
    if (call->body.data)
        kept.body.data = mem_copy(slot->call, call->body.data, call->body.size);
    client_prepare(slot->client, slot->call, &kept);
    if (curl_multi_add_handle(many->multi, slot->client->curl) != CURLM_OK)
        bug("libcurl takes no handle");
    many->under_way++;
    return true;
}

void http_many_work(struct http_many *many, int ms, size_t enough)
{
    int64_t until = clock_monotonic_ms() + ms;
    int running = 0;
    while (curl_multi_perform(many->multi, &running) == CURLM_OK) {
        size_t done = many->under_way - (size_t)running;
        int64_t left = until - clock_monotonic_ms();
        if (left <= 0 || (done > 0 && (done >= enough || running == 0)) ||
            curl_multi_poll(many->multi, NULL, 0, (int)left, NULL) != CURLM_OK)
            return;
    }
}

static struct slot *slot_of(CURL *curl)
{
    char *slot = NULL;
    if (curl_easy_getinfo(curl, CURLINFO_PRIVATE, &slot) != CURLE_OK || !slot)
        bug("libcurl forgot whose handle this is");
    return (struct slot *)(void *)slot;
}

bool http_many_next(struct http_many *many, void *owner, struct http_many_answer *out)
{
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(many->multi, &left);
    if (!message || message->msg != CURLMSG_DONE)
        return false;
    CURLcode code = message->data.result; /* the message goes with its handle */
    struct slot *slot = slot_of(message->easy_handle);
    if (curl_multi_remove_handle(many->multi, slot->client->curl) != CURLM_OK)
        bug("libcurl keeps a handle");
    *out = (struct http_many_answer){.context = slot->context};
    out->is_answered = client_finish(slot->client, owner, code, &out->answer, &out->err);
    if (out->is_answered && out->answer.body.size > 0)
        out->answer.body.data = mem_copy(owner, out->answer.body.data, out->answer.body.size);
    mem_free(slot->call);
    slot->call = NULL;
    many->under_way--;
    return true;
}
