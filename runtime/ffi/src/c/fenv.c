/* The floating-point environment, put aside: see attach/floats.rs. */
#include <fenv.h>

#if !defined(__STDC_VERSION__) || __STDC_VERSION__ < 201112L
#error "keelback: C11 is needed"
#endif

/* What Rust makes room for. */
_Static_assert(sizeof(fenv_t) <= 64 && _Alignof(fenv_t) <= 16, "fenv_t is larger than expected");

void keelback_fenv_put_aside(void *saved)
{
    fegetenv(saved);
    fesetenv(FE_DFL_ENV);
}

void keelback_fenv_put_back(const void *saved)
{
    fesetenv(saved);
}
