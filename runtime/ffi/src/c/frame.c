/* The call through MicroPython's ffi module that is in progress on each thread: see micropython/frame.rs. */
#include <stddef.h>

#include "tls.h"

static _Thread_local const void *current_call FAST_TLS;

const void **keelback_current_call(void)
{
    return &current_call;
}
