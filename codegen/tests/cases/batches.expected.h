/* Made by keelback 0.1.0: the C interface of batches. Changes to this file are lost. */
#ifndef BATCHES_H
#define BATCHES_H

#include <stdbool.h>
#include <stddef.h>

#ifndef BATCHES_API
#if defined(_WIN32)
#define BATCHES_API __declspec(dllimport)
#else
#define BATCHES_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct point { double x, y; };

/* keelback: batch */
BATCHES_API double score(double x);
BATCHES_API int weigh(const struct point *where, const char *label, bool n, int result); /* keelback: batch */
BATCHES_API void tick(void *);   // keelback: batch
BATCHES_API int plain(int);

/**
 * `result[i] = score(x[i])` for each `i` below `n`, in one call of Python.
 * Each array has `n` elements; NULL is for arrays of none. An element that fails gets score()'s error value, and the
 * others go on. `result` and `x` may be one array. Failures are reported once for the whole batch: which element was
 * the first, and how many there were.
 */
BATCHES_API void score_n(size_t n, const double *x, double *result);

/**
 * `results[i] = weigh(&where[i], label[i], n[i], result[i])` for each `i` below `batch_n`, in one call of Python.
 * Each array has `batch_n` elements; NULL is for arrays of none. An element that fails gets weigh()'s error value,
 * and the others go on. `results` and `result` may be one array. Failures are reported once for the whole batch:
 * which element was the first, and how many there were.
 */
BATCHES_API void weigh_n(size_t batch_n, const struct point *where, const char *const *label, const bool *n, const int *result, int *results);

/**
 * `tick(arg0[i])` for each `i` below `n`, in one call of Python.
 * Each array has `n` elements; NULL is for arrays of none. After an element that fails the others go on. Failures
 * are reported once for the whole batch: which element was the first, and how many there were.
 */
BATCHES_API void tick_n(size_t n, void *const *arg0);

/*
 * What every library made by keelback has. They can be called from any thread, at any time.
 */

/**
 * Starts Python, if the process has none, and runs the library's Python code. Calling it is optional: the first call of
 * any function above does the same, but has only its result to tell of a failure.
 *
 * Returns 0, also when all is running already; or a negative number, and then batches_last_error() says why.
 * After a failure it may be called again, and tries again.
 */
BATCHES_API int batches_start(void);

/**
 * The last failure on this thread: one line, and Python's traceback where there is one. NULL if there was none.
 * The text belongs to the library, and is good until the thread's next failure, or its end.
 */
BATCHES_API const char *batches_last_error(void);

/**
 * Has `handler` called for each failure that no caller sees otherwise, instead of a message on standard error: with the
 * name of the function that failed, the text that batches_last_error() gives (but for that name), and `data`. It
 * runs on the thread of the failure, before the failed function returns its error value, and must not keep the texts. It
 * has to return: no longjmp, no C++ exception. What fails in calls that it makes goes to standard error. NULL brings the
 * messages on standard error back.
 */
BATCHES_API void batches_set_error_handler(
    void (*handler)(const char *function, const char *message, void *data), void *data);

/**
 * Enters a scope: from here to batches_leave() the thread stays in Python between its calls, which makes many short
 * calls faster. Starts Python where that has not been done. Scopes may be nested, each batches_enter() with its
 * batches_leave() on the same thread. While calls run, other threads get their turns; between them no other thread can
 * use Python: leave before anything that waits, for another thread above all.
 *
 * Returns 0; or -1, and then nothing was entered, batches_last_error() says why, and batches_leave() must not
 * be called.
 */
BATCHES_API int batches_enter(void);

/** Takes one batches_enter() of this thread back; the outermost one leaves Python. */
BATCHES_API void batches_leave(void);

#ifdef __cplusplus
}
#endif

/**
 * BATCHES_SCOPE { ... } runs the block once, in a scope; if that cannot be entered, without one. `break` and `continue` end
 * the block. With GCC and Clang the scope is left however the block is left: by its end, `return`, `break`, `goto`, a C++
 * exception (not by longjmp). With other compilers only its end and `continue` leave it.
 */
#ifndef KEELBACK_SCOPE_NAME
#define KEELBACK_SCOPE_JOIN(line) keelback_scope_##line
#define KEELBACK_SCOPE_NAME(line) KEELBACK_SCOPE_JOIN(line)
#endif
#define BATCHES_SCOPE BATCHES_SCOPE_AS(KEELBACK_SCOPE_NAME(__LINE__))
#if defined(__GNUC__)
static __inline__ void keelback_end_scope_of_batches(const int *scope)
{
    if (*scope & 2)
        batches_leave();
}
#define BATCHES_SCOPE_AS(scope) \
    for (int scope __attribute__((cleanup(keelback_end_scope_of_batches))) = batches_enter() == 0 ? 3 : 1; scope & 1; \
         scope &= 2)
#else
#define BATCHES_SCOPE_AS(scope) \
    for (int scope = batches_enter() == 0 ? 3 : 1; scope & 1; scope = scope & 2 ? (batches_leave(), 0) : 0)
#endif

#if defined(__cplusplus)
#if __cplusplus >= 201103L
#define BATCHES_H_ASSERT static_assert
#endif
#elif defined(__STDC_VERSION__)
#if __STDC_VERSION__ >= 201112L
#define BATCHES_H_ASSERT _Static_assert
#endif
#endif
#ifdef BATCHES_H_ASSERT
BATCHES_H_ASSERT(sizeof(struct point) == 16, "the library was compiled with another layout");
BATCHES_H_ASSERT(offsetof(struct point, x) == 0, "the library was compiled with another layout");
BATCHES_H_ASSERT(offsetof(struct point, y) == 8, "the library was compiled with another layout");
#undef BATCHES_H_ASSERT
#endif

#endif /* BATCHES_H */
