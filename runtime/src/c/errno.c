/* ffi.errno: each thread's errno as C left it. The interpreter changes the real errno between two C calls, so it is
   kept apart, in thread-local storage that costs one addition where the loader allows it. */
#include <errno.h>

#include "tls.h"

static _Thread_local int saved_errno FAST_TLS;

int *keelback_errno(void)
{
    return &errno;
}

int *keelback_saved_errno(void)
{
    return &saved_errno;
}
