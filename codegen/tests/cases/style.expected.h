/* Made by keelback 0.1.0: the C interface of style. Changes to this file are lost. */
#ifndef STYLE_H
#define STYLE_H

#include <stdbool.h>
#include <stddef.h>

#ifndef STYLE_API
#if defined(_WIN32)
#define STYLE_API __declspec(dllimport)
#else
#define STYLE_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct shared_s { int a; } shared_t; /* needed by the API */
typedef shared_t *shared_p;
enum { SHARED_LENGTH = 3, SHARED_OTHER };

/* Licence text.
 * "Quotes", 'apostrophes' and ; { braces in comments.
 */

typedef int operation_t(int a, int b);
STYLE_API operation_t add, subtract;  /* two at once */

typedef struct node {
    struct node *next;      // a list; { with odd signs "
    shared_p shared;
    char name[SHARED_LENGTH * 2 + 1];
    int (*compare)(const struct node *, const struct node *);
} node_t, *node_p;

#define FLAG_A 0x01u
#define FLAG_B   (1 << 4)   // the second
#define LETTER 'x'

typedef enum {
    /* a comment inside */
    KIND_ONE = 'a', KIND_TWO = FLAG_B | 1,
} kind_t;
typedef enum level { LOW = -1, HIGH = 100000 } level_t;

/** First
 *  of all. */
STYLE_API node_p first(node_t *nodes, /* how many */ size_t count);

STYLE_API int ignored_words(void);
STYLE_API kind_t kind_of(node_p node); STYLE_API level_t level_of(const node_t node);
STYLE_API int inside(bool);
struct hidden;
STYLE_API int nested(int (*outer)(int (*inner)(void), struct hidden *));
struct packed_one { char a; int b; } __attribute__((packed));
STYLE_API int measure(struct packed_one *one);
#pragma pack(push, 2)
struct pragma_one { char a; int b; };
#pragma pack(pop)
STYLE_API int measure_too(struct pragma_one one);

/*
 * What every library made by keelback has. They can be called from any thread, at any time.
 */

/**
 * Starts Python, if the process has none, and runs the library's Python code. Calling it is optional: the first call of
 * any function above does the same, but has only its result to tell of a failure.
 *
 * Returns 0, also when all is running already; or a negative number, and then style_last_error() says why.
 * After a failure it may be called again, and tries again.
 */
STYLE_API int style_start(void);

/**
 * The last failure on this thread: one line, and Python's traceback where there is one. NULL if there was none.
 * The text belongs to the library, and is good until the thread's next failure, or its end.
 */
STYLE_API const char *style_last_error(void);

/**
 * Has `handler` called for each failure that no caller sees otherwise, instead of a message on standard error: with the
 * name of the function that failed, the text that style_last_error() gives (but for that name), and `data`. It
 * runs on the thread of the failure, before the failed function returns its error value, and must not keep the texts. It
 * has to return: no longjmp, no C++ exception. What fails in calls that it makes goes to standard error. NULL brings the
 * messages on standard error back.
 */
STYLE_API void style_set_error_handler(
    void (*handler)(const char *function, const char *message, void *data), void *data);

/**
 * Enters a scope: from here to style_leave() the thread stays in Python between its calls, which makes many short
 * calls faster. Starts Python where that has not been done. Scopes may be nested, each style_enter() with its
 * style_leave() on the same thread. While calls run, other threads get their turns; between them no other thread can
 * use Python: leave before anything that waits, for another thread above all.
 *
 * Returns 0; or -1, and then nothing was entered, style_last_error() says why, and style_leave() must not
 * be called.
 */
STYLE_API int style_enter(void);

/** Takes one style_enter() of this thread back; the outermost one leaves Python. */
STYLE_API void style_leave(void);

#ifdef __cplusplus
}
#endif

/**
 * STYLE_SCOPE { ... } runs the block once, in a scope; if that cannot be entered, without one. `break` and `continue` end
 * the block. With GCC and Clang the scope is left however the block is left: by its end, `return`, `break`, `goto`, a C++
 * exception (not by longjmp). With other compilers only its end and `continue` leave it.
 */
#ifndef KEELBACK_SCOPE_NAME
#define KEELBACK_SCOPE_JOIN(line) keelback_scope_##line
#define KEELBACK_SCOPE_NAME(line) KEELBACK_SCOPE_JOIN(line)
#endif
#define STYLE_SCOPE STYLE_SCOPE_AS(KEELBACK_SCOPE_NAME(__LINE__))
#if defined(__GNUC__)
static __inline__ void keelback_end_scope_of_style(const int *scope)
{
    if (*scope & 2)
        style_leave();
}
#define STYLE_SCOPE_AS(scope) \
    for (int scope __attribute__((cleanup(keelback_end_scope_of_style))) = style_enter() == 0 ? 3 : 1; scope & 1; \
         scope &= 2)
#else
#define STYLE_SCOPE_AS(scope) \
    for (int scope = style_enter() == 0 ? 3 : 1; scope & 1; scope = scope & 2 ? (style_leave(), 0) : 0)
#endif

#if defined(__cplusplus)
#if __cplusplus >= 201103L
#define STYLE_H_ASSERT static_assert
#endif
#elif defined(__STDC_VERSION__)
#if __STDC_VERSION__ >= 201112L
#define STYLE_H_ASSERT _Static_assert
#endif
#endif
#ifdef STYLE_H_ASSERT
STYLE_H_ASSERT(sizeof(struct shared_s) == 4, "the library was compiled with another layout");
STYLE_H_ASSERT(offsetof(struct shared_s, a) == 0, "the library was compiled with another layout");
STYLE_H_ASSERT(sizeof(struct node) == 32, "the library was compiled with another layout");
STYLE_H_ASSERT(offsetof(struct node, next) == 0, "the library was compiled with another layout");
STYLE_H_ASSERT(offsetof(struct node, shared) == 8, "the library was compiled with another layout");
STYLE_H_ASSERT(offsetof(struct node, name) == 16, "the library was compiled with another layout");
STYLE_H_ASSERT(offsetof(struct node, compare) == 24, "the library was compiled with another layout");
STYLE_H_ASSERT(sizeof(struct packed_one) == 5, "the library was compiled with another layout");
STYLE_H_ASSERT(offsetof(struct packed_one, a) == 0, "the library was compiled with another layout");
STYLE_H_ASSERT(offsetof(struct packed_one, b) == 1, "the library was compiled with another layout");
STYLE_H_ASSERT(sizeof(struct pragma_one) == 6, "the library was compiled with another layout");
STYLE_H_ASSERT(offsetof(struct pragma_one, a) == 0, "the library was compiled with another layout");
STYLE_H_ASSERT(offsetof(struct pragma_one, b) == 2, "the library was compiled with another layout");
#undef STYLE_H_ASSERT
#endif

#endif /* STYLE_H */
