/* What is kept for each thread and looked at in every call: see thread.rs. In thread-local storage that costs one
   addition where the loader allows it. */
#include <errno.h>
#include <stddef.h>

#include "tls.h"

typedef struct keelback_thread_t {
    int *errno_here;
    int saved_errno;
    unsigned depth;
    void *state;
    size_t stack_low;
    unsigned char has_printed;
    const void *floats;
    void *scope;
    unsigned scope_depth;
    unsigned char uses_scopes;
    size_t number; /* only used where Python has no GIL */
} keelback_thread_t;

static _Thread_local keelback_thread_t this_thread FAST_TLS;

keelback_thread_t *keelback_this_thread(void)
{
    if (this_thread.errno_here == NULL)
        this_thread.errno_here = &errno;
    return &this_thread;
}
