/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: everything that we allocate hangs under an owner (a talloc parent) and goes away with
 * it.  A request, a job and the process are the usual owners; one owner belongs to one thread.
 *
 * Running out of memory ends the process: every input has a limit, so that no peer can cause it.
 * Foreign handles (SQL statements, X509, ...) are released with CLEANUP().  Only this header
 * names talloc.
 */
#pragma once

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define mem_new(owner, type) ((type *)mem_must(talloc_zero(owner, type)))
#define mem_array(owner, type, count) ((type *)mem_items(owner, sizeof(type), count))
#define mem_grow(owner, items, count)                                                              \
    ((__typeof__(items))mem_resize(owner, items, sizeof(*(items)), count))
#define mem_text(owner, text) ((char *)mem_must(talloc_strdup(owner, text)))
#define mem_copy(owner, bytes, size) (mem_must(talloc_memdup(owner, bytes, size)))
#define mem_format(owner, ...) ((char *)mem_must(talloc_asprintf(owner, __VA_ARGS__)))
#define mem_pool(owner, size) (mem_must(talloc_pool(owner, size)))

#define MEM_LARGEST ((size_t)64 << 20) /* bytes in one array; far above any input limit */

static inline void *mem_must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

/* talloc counts array items in `unsigned`; these take size_t and refuse to wrap. */
static inline void *mem_items(const void *owner, size_t size, size_t count)
{
    if (count > MEM_LARGEST / size)
        abort();
    return mem_must(talloc_zero_size(owner, size * count));
}

static inline void *mem_resize(const void *owner, void *items, size_t size, size_t count)
{
    if (count > MEM_LARGEST / size)
        abort();
    return mem_must(talloc_realloc_size(owner, items, size * count + 1));
}

/* At most `size` bytes of text, NUL added. The result belongs to owner. */
static inline char *mem_text_part(const void *owner, const char *text, size_t size)
{
    return (char *)mem_must(talloc_strndup(owner, text, size));
}

/* Free early what an owner would free later; NULL is fine. */
static inline void mem_free(void *memory)
{
    if (memory)
        talloc_free(memory);
}

#define CLEANUP(function) __attribute__((cleanup(function)))
/* DEFINE_CLEANUP(X509 *, X509_free) makes X509_free_at for CLEANUP(X509_free_at). */
#define DEFINE_CLEANUP(type, function)                                                             \
    static inline void function##_at(type *handle)                                                 \
    {                                                                                              \
        if (*handle)                                                                               \
            function(*handle);                                                                     \
    }
/* Hand a finished object to its owner and forget it: `*out = mem_give(owner, &thing)`. */
#define mem_give(owner, handle)                                                                    \
    ({                                                                                             \
        __typeof__(*(handle)) given_ = talloc_steal(owner, *(handle));                             \
        *(handle) = NULL;                                                                          \
        given_;                                                                                    \
    })
/* Run destructor(object) when the object goes away: for handles that live inside our structs. */
#define mem_destructor(object, destructor) talloc_set_destructor(object, destructor)

/* For CLEANUP(mem_free_at): an object that nobody has taken yet. */
static inline void mem_free_at(void *handle)
{
    TALLOC_FREE(*(void **)handle);
}
