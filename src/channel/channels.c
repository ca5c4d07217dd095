/* SPDX-License-Identifier: Apache-2.0 */
/* The rooms there are, and what is the same for all of them. */
#include "channel/channel.h"

#include "base/mem.h"
#include "base/text.h"

const struct channel *const channels[] = {&channel_apple, NULL};

const struct channel *channel_of_platform(int platform)
{
    for (size_t i = 0; channels[i]; i++)
        if (platform >= 0 && (channels[i]->platforms & 1U << platform))
            return channels[i];
    return NULL;
}

static bool plan(struct fleet *fleet, const struct actor *actor, const struct effective *effective,
                 void *owner, struct err *err)
{
    const struct channel *channel = channel_of_platform(effective->platform);
    struct wanted_item *items = NULL;
    size_t count = 0;
    const char *declarations = NULL;
    if (!channel)
        return err_set(err, ERR_INTERNAL, "no channel speaks with platform %d",
                       effective->platform);
    return channel->items(owner, effective, &items, &count, &declarations, err) &&
           fleet_plan(fleet, actor, effective->device_id, effective->variant_hash, items, count,
                      declarations, err);
}

bool channel_plan(struct fleet *fleet, const struct actor *actor, const char *device_id,
                  struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct effective effective = {0};
    if (!fleet_effective(fleet, actor, owner, device_id, &effective, err))
        return err->kind == ERR_NOT_FOUND;
    return plan(fleet, actor, &effective, owner, err) ||
           err_context(err, "planning device %s", device_id);
}

const char *channels_unsupported(enum setting_id setting, const struct target_device *device)
{
    const struct channel *channel = channel_of_platform((int)device->platform);
    return channel ? channel->unsupported(setting, device)
                   : "no channel of this server speaks with this platform";
}

int64_t channels_nearest(enum setting_id setting, const struct target_device *device, int64_t value)
{
    const struct channel *channel = channel_of_platform((int)device->platform);
    return channel ? channel->nearest(setting, device, value) : value;
}
