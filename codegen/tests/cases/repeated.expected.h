/* Made by keelback 0.1.0: the C interface of repeated. Changes to this file are lost. */
#ifndef REPEATED_H
#define REPEATED_H

#include <stddef.h>

#ifndef REPEATED_API
#if defined(_WIN32)
#define REPEATED_API __declspec(dllimport)
#else
#define REPEATED_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

#pragma pack(push)
#pragma pack(push, 1)
struct tight_extra { char c; int i; };
#pragma pack(pop)
_Pragma("pack(2)")
struct open_extra { char c; double d; };

#pragma pack(4)
#pragma pack(pop)
#pragma pack(push)

struct odd { char c; int i; };
#pragma pack(push, 1)
struct tight { char c; int i; };
#pragma pack(pop)
_Pragma("pack(2)") struct pairs { char c; double d; }; _Pragma("pack()")
#pragma pack(1)
struct open_end { char c; double d; };
REPEATED_API int all(struct odd *, struct tight *, struct pairs *, struct open_end *)
    __attribute__((nonnull, __nothrow__));
REPEATED_API int extras(int x, struct tight_extra *, struct open_extra *);
REPEATED_API int last(void) __attribute__((deprecated("x, y")));
#pragma pack(pop)

/*
 * What every library made by keelback has. They can be called from any thread, at any time.
 */

/**
 * Starts Python, if the process has none, and runs the library's Python code. Calling it is optional: the first call of
 * any function above does the same, but has only its result to tell of a failure.
 *
 * Returns 0, also when all is running already; or a negative number, and then repeated_last_error() says why.
 * After a failure it may be called again, and tries again.
 */
REPEATED_API int repeated_start(void);

/**
 * The last failure on this thread: one line, and Python's traceback where there is one. NULL if there was none.
 * The text belongs to the library, and is good until the thread's next failure, or its end.
 */
REPEATED_API const char *repeated_last_error(void);

/**
 * Has `handler` called for each failure that no caller sees otherwise, instead of a message on standard error: with the
 * name of the function that failed, the text that repeated_last_error() gives (but for that name), and `data`. It
 * runs on the thread of the failure, before the failed function returns its error value, and must not keep the texts. It
 * has to return: no longjmp, no C++ exception. What fails in calls that it makes goes to standard error. NULL brings the
 * messages on standard error back.
 */
REPEATED_API void repeated_set_error_handler(
    void (*handler)(const char *function, const char *message, void *data), void *data);

/**
 * Enters a scope: from here to repeated_leave() the thread stays in Python between its calls, which makes many short
 * calls faster. Starts Python where that has not been done. Scopes may be nested, each repeated_enter() with its
 * repeated_leave() on the same thread. While calls run, other threads get their turns; between them no other thread can
 * use Python: leave before anything that waits, for another thread above all.
 *
 * Returns 0; or -1, and then nothing was entered, repeated_last_error() says why, and repeated_leave() must not
 * be called.
 */
REPEATED_API int repeated_enter(void);

/** Takes one repeated_enter() of this thread back; the outermost one leaves Python. */
REPEATED_API void repeated_leave(void);

#ifdef __cplusplus
}
#endif

/**
 * REPEATED_SCOPE { ... } runs the block once, in a scope; if that cannot be entered, without one. `break` and `continue` end
 * the block. With GCC and Clang the scope is left however the block is left: by its end, `return`, `break`, `goto`, a C++
 * exception (not by longjmp). With other compilers only its end and `continue` leave it.
 */
#ifndef KEELBACK_SCOPE_NAME
#define KEELBACK_SCOPE_JOIN(line) keelback_scope_##line
#define KEELBACK_SCOPE_NAME(line) KEELBACK_SCOPE_JOIN(line)
#endif
#define REPEATED_SCOPE REPEATED_SCOPE_AS(KEELBACK_SCOPE_NAME(__LINE__))
#if defined(__GNUC__)
static __inline__ void keelback_end_scope_of_repeated(const int *scope)
{
    if (*scope & 2)
        repeated_leave();
}
#define REPEATED_SCOPE_AS(scope) \
    for (int scope __attribute__((cleanup(keelback_end_scope_of_repeated))) = repeated_enter() == 0 ? 3 : 1; scope & 1; \
         scope &= 2)
#else
#define REPEATED_SCOPE_AS(scope) \
    for (int scope = repeated_enter() == 0 ? 3 : 1; scope & 1; scope = scope & 2 ? (repeated_leave(), 0) : 0)
#endif

#if defined(__cplusplus)
#if __cplusplus >= 201103L
#define REPEATED_H_ASSERT static_assert
#endif
#elif defined(__STDC_VERSION__)
#if __STDC_VERSION__ >= 201112L
#define REPEATED_H_ASSERT _Static_assert
#endif
#endif
#ifdef REPEATED_H_ASSERT
REPEATED_H_ASSERT(sizeof(struct tight_extra) == 5, "the library was compiled with another layout");
REPEATED_H_ASSERT(offsetof(struct tight_extra, c) == 0, "the library was compiled with another layout");
REPEATED_H_ASSERT(offsetof(struct tight_extra, i) == 1, "the library was compiled with another layout");
REPEATED_H_ASSERT(sizeof(struct open_extra) == 10, "the library was compiled with another layout");
REPEATED_H_ASSERT(offsetof(struct open_extra, c) == 0, "the library was compiled with another layout");
REPEATED_H_ASSERT(offsetof(struct open_extra, d) == 2, "the library was compiled with another layout");
REPEATED_H_ASSERT(sizeof(struct odd) == 8, "the library was compiled with another layout");
REPEATED_H_ASSERT(offsetof(struct odd, c) == 0, "the library was compiled with another layout");
REPEATED_H_ASSERT(offsetof(struct odd, i) == 4, "the library was compiled with another layout");
REPEATED_H_ASSERT(sizeof(struct tight) == 5, "the library was compiled with another layout");
REPEATED_H_ASSERT(offsetof(struct tight, c) == 0, "the library was compiled with another layout");
REPEATED_H_ASSERT(offsetof(struct tight, i) == 1, "the library was compiled with another layout");
REPEATED_H_ASSERT(sizeof(struct pairs) == 10, "the library was compiled with another layout");
REPEATED_H_ASSERT(offsetof(struct pairs, c) == 0, "the library was compiled with another layout");
REPEATED_H_ASSERT(offsetof(struct pairs, d) == 2, "the library was compiled with another layout");
REPEATED_H_ASSERT(sizeof(struct open_end) == 9, "the library was compiled with another layout");
REPEATED_H_ASSERT(offsetof(struct open_end, c) == 0, "the library was compiled with another layout");
REPEATED_H_ASSERT(offsetof(struct open_end, d) == 1, "the library was compiled with another layout");
#undef REPEATED_H_ASSERT
#endif

#endif /* REPEATED_H */
