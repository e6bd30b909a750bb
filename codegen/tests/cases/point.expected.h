/* Made by keelback 0.1.0: the C interface of point. Changes to this file are lost. */
#ifndef POINT_H
#define POINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef POINT_API
#if defined(_WIN32)
#define POINT_API __declspec(dllimport)
#else
#define POINT_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Points and what can be done with them. */

#define POINT_LIMIT 1000
#define POINT_DIMENSIONS 2
#define POINT_LOWEST (-5)

/**
 * A point in the plane.
 */
typedef struct {
    double x; /**< to the right */
    double y; /**< up */
} point_t;

/* Opaque: C only passes it on. */
struct canvas;

enum color { RED, GREEN = 4, BLUE };

/** Gets each point, and the `userdata` that was given along. */
typedef int (*visit_t)(const point_t *point, void *userdata);

struct polygon {
    size_t count;
    point_t *points;
    enum color color;
    uint8_t flags[3];
    struct {
        int left, right;
    } margin;
};

/* ---- Functions ---- */

/** The point in the middle. */
POINT_API point_t middle(point_t a, point_t b); // by value

// Calls `visit` for each point.
// Stops when it returns something else than 0.
POINT_API int for_each(const struct polygon *polygon, visit_t visit, void *userdata);

/* This comment stands alone. */

/** Whether `a` and `b` are near each other. */
POINT_API bool near_by(const point_t *a, const point_t *b, bool exactly);
POINT_API void draw(struct canvas *canvas, const struct polygon *__restrict polygon, enum color color);

POINT_API int log_line(const char *);

/*
 * What every library made by keelback has. They can be called from any thread, at any time.
 */

/**
 * Starts Python, if the process has none, and runs the library's Python code. Calling it is optional: the first call of
 * any function above does the same, but has only its result to tell of a failure.
 *
 * Returns 0, also when all is running already; or a negative number, and then point_last_error() says why.
 * After a failure it may be called again, and tries again.
 */
POINT_API int point_start(void);

/**
 * The last failure on this thread: one line, and Python's traceback where there is one. NULL if there was none.
 * The text belongs to the library, and is good until the thread's next failure, or its end.
 */
POINT_API const char *point_last_error(void);

/**
 * Has `handler` called for each failure that no caller sees otherwise, instead of a message on standard error: with the
 * name of the function that failed, the text that point_last_error() gives (but for that name), and `data`. It
 * runs on the thread of the failure, before the failed function returns its error value, and must not keep the texts. It
 * has to return: no longjmp, no C++ exception. What fails in calls that it makes goes to standard error. NULL brings the
 * messages on standard error back.
 */
POINT_API void point_set_error_handler(
    void (*handler)(const char *function, const char *message, void *data), void *data);

/**
 * Enters a scope: from here to point_leave() the thread stays in Python between its calls, which makes many short
 * calls faster. Starts Python where that has not been done. Scopes may be nested, each point_enter() with its
 * point_leave() on the same thread. While calls run, other threads get their turns; between them no other thread can
 * use Python: leave before anything that waits, for another thread above all.
 *
 * Returns 0; or -1, and then nothing was entered, point_last_error() says why, and point_leave() must not
 * be called.
 */
POINT_API int point_enter(void);

/** Takes one point_enter() of this thread back; the outermost one leaves Python. */
POINT_API void point_leave(void);

#ifdef __cplusplus
}
#endif

/**
 * POINT_SCOPE { ... } runs the block once, in a scope; if that cannot be entered, without one. `break` and `continue` end
 * the block. With GCC and Clang the scope is left however the block is left: by its end, `return`, `break`, `goto`, a C++
 * exception (not by longjmp). With other compilers only its end and `continue` leave it.
 */
#ifndef KEELBACK_SCOPE_NAME
#define KEELBACK_SCOPE_JOIN(line) keelback_scope_##line
#define KEELBACK_SCOPE_NAME(line) KEELBACK_SCOPE_JOIN(line)
#endif
#define POINT_SCOPE POINT_SCOPE_AS(KEELBACK_SCOPE_NAME(__LINE__))
#if defined(__GNUC__)
static __inline__ void keelback_end_scope_of_point(const int *scope)
{
    if (*scope & 2)
        point_leave();
}
#define POINT_SCOPE_AS(scope) \
    for (int scope __attribute__((cleanup(keelback_end_scope_of_point))) = point_enter() == 0 ? 3 : 1; scope & 1; \
         scope &= 2)
#else
#define POINT_SCOPE_AS(scope) \
    for (int scope = point_enter() == 0 ? 3 : 1; scope & 1; scope = scope & 2 ? (point_leave(), 0) : 0)
#endif

#if defined(__cplusplus)
#if __cplusplus >= 201103L
#define POINT_H_ASSERT static_assert
#endif
#elif defined(__STDC_VERSION__)
#if __STDC_VERSION__ >= 201112L
#define POINT_H_ASSERT _Static_assert
#endif
#endif
#ifdef POINT_H_ASSERT
POINT_H_ASSERT(sizeof(point_t) == 16, "the library was compiled with another layout");
POINT_H_ASSERT(offsetof(point_t, x) == 0, "the library was compiled with another layout");
POINT_H_ASSERT(offsetof(point_t, y) == 8, "the library was compiled with another layout");
POINT_H_ASSERT(sizeof(struct polygon) == 32, "the library was compiled with another layout");
POINT_H_ASSERT(offsetof(struct polygon, count) == 0, "the library was compiled with another layout");
POINT_H_ASSERT(offsetof(struct polygon, points) == 8, "the library was compiled with another layout");
POINT_H_ASSERT(offsetof(struct polygon, color) == 16, "the library was compiled with another layout");
POINT_H_ASSERT(offsetof(struct polygon, flags) == 20, "the library was compiled with another layout");
POINT_H_ASSERT(offsetof(struct polygon, margin) == 24, "the library was compiled with another layout");
#undef POINT_H_ASSERT
#endif

#endif /* POINT_H */
