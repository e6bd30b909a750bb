/* Made by keelback 0.1.0: the C interface of int128. Changes to this file are lost. */
#ifndef INT128_H
#define INT128_H

#include <stddef.h>

#ifndef INT128_API
#if defined(_WIN32)
#define INT128_API __declspec(dllimport)
#else
#define INT128_API
#endif
#endif

/* What compilers have beyond the standard (in C++: beyond C++, like bit-fields' types and flexible arrays). */
#ifndef KEELBACK_EXTENSION
#if defined(__GNUC__)
#define KEELBACK_EXTENSION __extension__
#else
#define KEELBACK_EXTENSION
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define LOWEST (__extension__ ((__int128)(-68719476736LL) * ((__int128)1 << 64) + 0ULL))
KEELBACK_EXTENSION struct wide { __int128 x; unsigned __int128 bits : 77; };
KEELBACK_EXTENSION INT128_API __int128 both(__int128 a, unsigned __int128 *b);
KEELBACK_EXTENSION INT128_API struct wide by_value(struct wide w, __int128 (*f)(int));

/*
 * What every library made by keelback has. They can be called from any thread, at any time.
 */

/**
 * Starts Python, if the process has none, and runs the library's Python code. Calling it is optional: the first call of
 * any function above does the same, but has only its result to tell of a failure.
 *
 * Returns 0, also when all is running already; or a negative number, and then int128_last_error() says why.
 * After a failure it may be called again, and tries again.
 */
INT128_API int int128_start(void);

/**
 * The last failure on this thread: one line, and Python's traceback where there is one. NULL if there was none.
 * The text belongs to the library, and is good until the thread's next failure, or its end.
 */
INT128_API const char *int128_last_error(void);

/**
 * Has `handler` called for each failure that no caller sees otherwise, instead of a message on standard error: with the
 * name of the function that failed, the text that int128_last_error() gives (but for that name), and `data`. It
 * runs on the thread of the failure, before the failed function returns its error value, and must not keep the texts. It
 * has to return: no longjmp, no C++ exception. What fails in calls that it makes goes to standard error. NULL brings the
 * messages on standard error back.
 */
INT128_API void int128_set_error_handler(
    void (*handler)(const char *function, const char *message, void *data), void *data);

/**
 * Enters a scope: from here to int128_leave() the thread stays in Python between its calls, which makes many short
 * calls faster. Starts Python where that has not been done. Scopes may be nested, each int128_enter() with its
 * int128_leave() on the same thread. While calls run, other threads get their turns; between them no other thread can
 * use Python: leave before anything that waits, for another thread above all.
 *
 * Returns 0; or -1, and then nothing was entered, int128_last_error() says why, and int128_leave() must not
 * be called.
 */
INT128_API int int128_enter(void);

/** Takes one int128_enter() of this thread back; the outermost one leaves Python. */
INT128_API void int128_leave(void);

#ifdef __cplusplus
}
#endif

/**
 * INT128_SCOPE { ... } runs the block once, in a scope; if that cannot be entered, without one. `break` and `continue` end
 * the block. With GCC and Clang the scope is left however the block is left: by its end, `return`, `break`, `goto`, a C++
 * exception (not by longjmp). With other compilers only its end and `continue` leave it.
 */
#ifndef KEELBACK_SCOPE_NAME
#define KEELBACK_SCOPE_JOIN(line) keelback_scope_##line
#define KEELBACK_SCOPE_NAME(line) KEELBACK_SCOPE_JOIN(line)
#endif
#define INT128_SCOPE INT128_SCOPE_AS(KEELBACK_SCOPE_NAME(__LINE__))
#if defined(__GNUC__)
static __inline__ void keelback_end_scope_of_int128(const int *scope)
{
    if (*scope & 2)
        int128_leave();
}
#define INT128_SCOPE_AS(scope) \
    for (int scope __attribute__((cleanup(keelback_end_scope_of_int128))) = int128_enter() == 0 ? 3 : 1; scope & 1; \
         scope &= 2)
#else
#define INT128_SCOPE_AS(scope) \
    for (int scope = int128_enter() == 0 ? 3 : 1; scope & 1; scope = scope & 2 ? (int128_leave(), 0) : 0)
#endif

#if defined(__cplusplus)
#if __cplusplus >= 201103L
#define INT128_H_ASSERT static_assert
#endif
#elif defined(__STDC_VERSION__)
#if __STDC_VERSION__ >= 201112L
#define INT128_H_ASSERT _Static_assert
#endif
#endif
#ifdef INT128_H_ASSERT
INT128_H_ASSERT(sizeof(struct wide) == 32, "the library was compiled with another layout");
INT128_H_ASSERT(offsetof(struct wide, x) == 0, "the library was compiled with another layout");
#undef INT128_H_ASSERT
#endif

#endif /* INT128_H */
