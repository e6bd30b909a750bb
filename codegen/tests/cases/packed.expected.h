/* Made by keelback 0.1.0: the C interface of packed. Changes to this file are lost. */
#ifndef PACKED_H
#define PACKED_H

#include <stddef.h>
#include <stdint.h>

#ifndef PACKED_API
#if defined(_WIN32)
#define PACKED_API __declspec(dllimport)
#else
#define PACKED_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

#pragma pack(push, 1)
struct wire {
    uint8_t kind;
    uint32_t length;
    uint16_t check;
};
PACKED_API uint32_t measure(struct wire wire, const struct wire *other);
#pragma pack(pop)

/*
 * What every library made by keelback has. They can be called from any thread, at any time.
 */

/**
 * Starts Python, if the process has none, and runs the library's Python code. Calling it is optional: the first call of
 * any function above does the same, but has only its result to tell of a failure.
 *
 * Returns 0, also when all is running already; or a negative number, and then packed_last_error() says why.
 * After a failure it may be called again, and tries again.
 */
PACKED_API int packed_start(void);

/**
 * The last failure on this thread: one line, and Python's traceback where there is one. NULL if there was none.
 * The text belongs to the library, and is good until the thread's next failure, or its end.
 */
PACKED_API const char *packed_last_error(void);

/**
 * Has `handler` called for each failure that no caller sees otherwise, instead of a message on standard error: with the
 * name of the function that failed, the text that packed_last_error() gives (but for that name), and `data`. It
 * runs on the thread of the failure, before the failed function returns its error value, and must not keep the texts. It
 * has to return: no longjmp, no C++ exception. What fails in calls that it makes goes to standard error. NULL brings the
 * messages on standard error back.
 */
PACKED_API void packed_set_error_handler(
    void (*handler)(const char *function, const char *message, void *data), void *data);

/**
 * Enters a scope: from here to packed_leave() the thread stays in Python between its calls, which makes many short
 * calls faster. Starts Python where that has not been done. Scopes may be nested, each packed_enter() with its
 * packed_leave() on the same thread. While calls run, other threads get their turns; between them no other thread can
 * use Python: leave before anything that waits, for another thread above all.
 *
 * Returns 0; or -1, and then nothing was entered, packed_last_error() says why, and packed_leave() must not
 * be called.
 */
PACKED_API int packed_enter(void);

/** Takes one packed_enter() of this thread back; the outermost one leaves Python. */
PACKED_API void packed_leave(void);

#ifdef __cplusplus
}
#endif

/**
 * PACKED_SCOPE { ... } runs the block once, in a scope; if that cannot be entered, without one. `break` and `continue` end
 * the block. With GCC and Clang the scope is left however the block is left: by its end, `return`, `break`, `goto`, a C++
 * exception (not by longjmp). With other compilers only its end and `continue` leave it.
 */
#ifndef KEELBACK_SCOPE_NAME
#define KEELBACK_SCOPE_JOIN(line) keelback_scope_##line
#define KEELBACK_SCOPE_NAME(line) KEELBACK_SCOPE_JOIN(line)
#endif
#define PACKED_SCOPE PACKED_SCOPE_AS(KEELBACK_SCOPE_NAME(__LINE__))
#if defined(__GNUC__)
static __inline__ void keelback_end_scope_of_packed(const int *scope)
{
    if (*scope & 2)
        packed_leave();
}
#define PACKED_SCOPE_AS(scope) \
    for (int scope __attribute__((cleanup(keelback_end_scope_of_packed))) = packed_enter() == 0 ? 3 : 1; scope & 1; \
         scope &= 2)
#else
#define PACKED_SCOPE_AS(scope) \
    for (int scope = packed_enter() == 0 ? 3 : 1; scope & 1; scope = scope & 2 ? (packed_leave(), 0) : 0)
#endif

#if defined(__cplusplus)
#if __cplusplus >= 201103L
#define PACKED_H_ASSERT static_assert
#endif
#elif defined(__STDC_VERSION__)
#if __STDC_VERSION__ >= 201112L
#define PACKED_H_ASSERT _Static_assert
#endif
#endif
#ifdef PACKED_H_ASSERT
PACKED_H_ASSERT(sizeof(struct wire) == 7, "the library was compiled with another layout");
PACKED_H_ASSERT(offsetof(struct wire, kind) == 0, "the library was compiled with another layout");
PACKED_H_ASSERT(offsetof(struct wire, length) == 1, "the library was compiled with another layout");
PACKED_H_ASSERT(offsetof(struct wire, check) == 5, "the library was compiled with another layout");
#undef PACKED_H_ASSERT
#endif

#endif /* PACKED_H */
