/* Made by keelback 0.1.0: the C interface of libc_names. Changes to this file are lost. */
#ifndef LIBC_NAMES_H
#define LIBC_NAMES_H


#ifndef LIBC_NAMES_API
#if defined(_WIN32)
#define LIBC_NAMES_API __declspec(dllimport)
#else
#define LIBC_NAMES_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A plugin interface may ask for names that the C library has too. */
LIBC_NAMES_API int link(int a), connect(double b), select(void);
LIBC_NAMES_API long time_now(void);
struct stat;
LIBC_NAMES_API int stat(struct stat *stat);

/*
 * What every library made by keelback has. They can be called from any thread, at any time.
 */

/**
 * Starts Python, if the process has none, and runs the library's Python code. Calling it is optional: the first call of
 * any function above does the same, but has only its result to tell of a failure.
 *
 * Returns 0, also when all is running already; or a negative number, and then libc_names_last_error() says why.
 * After a failure it may be called again, and tries again.
 */
LIBC_NAMES_API int libc_names_start(void);

/**
 * The last failure on this thread: one line, and Python's traceback where there is one. NULL if there was none.
 * The text belongs to the library, and is good until the thread's next failure, or its end.
 */
LIBC_NAMES_API const char *libc_names_last_error(void);

/**
 * Has `handler` called for each failure that no caller sees otherwise, instead of a message on standard error: with the
 * name of the function that failed, the text that libc_names_last_error() gives (but for that name), and `data`. It
 * runs on the thread of the failure, before the failed function returns its error value, and must not keep the texts. It
 * has to return: no longjmp, no C++ exception. What fails in calls that it makes goes to standard error. NULL brings the
 * messages on standard error back.
 */
LIBC_NAMES_API void libc_names_set_error_handler(
    void (*handler)(const char *function, const char *message, void *data), void *data);

/**
 * Enters a scope: from here to libc_names_leave() the thread stays in Python between its calls, which makes many short
 * calls faster. Starts Python where that has not been done. Scopes may be nested, each libc_names_enter() with its
 * libc_names_leave() on the same thread. While calls run, other threads get their turns; between them no other thread can
 * use Python: leave before anything that waits, for another thread above all.
 *
 * Returns 0; or -1, and then nothing was entered, libc_names_last_error() says why, and libc_names_leave() must not
 * be called.
 */
LIBC_NAMES_API int libc_names_enter(void);

/** Takes one libc_names_enter() of this thread back; the outermost one leaves Python. */
LIBC_NAMES_API void libc_names_leave(void);

#ifdef __cplusplus
}
#endif

/**
 * LIBC_NAMES_SCOPE { ... } runs the block once, in a scope; if that cannot be entered, without one. `break` and `continue` end
 * the block. With GCC and Clang the scope is left however the block is left: by its end, `return`, `break`, `goto`, a C++
 * exception (not by longjmp). With other compilers only its end and `continue` leave it.
 */
#ifndef KEELBACK_SCOPE_NAME
#define KEELBACK_SCOPE_JOIN(line) keelback_scope_##line
#define KEELBACK_SCOPE_NAME(line) KEELBACK_SCOPE_JOIN(line)
#endif
#define LIBC_NAMES_SCOPE LIBC_NAMES_SCOPE_AS(KEELBACK_SCOPE_NAME(__LINE__))
#if defined(__GNUC__)
static __inline__ void keelback_end_scope_of_libc_names(const int *scope)
{
    if (*scope & 2)
        libc_names_leave();
}
#define LIBC_NAMES_SCOPE_AS(scope) \
    for (int scope __attribute__((cleanup(keelback_end_scope_of_libc_names))) = libc_names_enter() == 0 ? 3 : 1; scope & 1; \
         scope &= 2)
#else
#define LIBC_NAMES_SCOPE_AS(scope) \
    for (int scope = libc_names_enter() == 0 ? 3 : 1; scope & 1; scope = scope & 2 ? (libc_names_leave(), 0) : 0)
#endif

#endif /* LIBC_NAMES_H */
