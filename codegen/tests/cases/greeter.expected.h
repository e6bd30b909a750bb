/* Made by keelback 0.1.0: the C interface of greeter. Changes to this file are lost. */
#ifndef GREETER_H
#define GREETER_H


#ifndef GREETER_API
#if defined(_WIN32)
#define GREETER_API __declspec(dllimport)
#else
#define GREETER_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A greeter, as small as a library gets. */

/** The sum of two numbers. */
GREETER_API int add1(int x, int y);

/// A greeting for `name`. The text is good until the next call.
GREETER_API const char *greet(const char *name);

/*
 * What every library made by keelback has. They can be called from any thread, at any time.
 */

/**
 * Starts Python, if the process has none, and runs the library's Python code. Calling it is optional: the first call of
 * any function above does the same, but has only its result to tell of a failure.
 *
 * Returns 0, also when all is running already; or a negative number, and then greeter_last_error() says why.
 * After a failure it may be called again, and tries again.
 */
GREETER_API int greeter_start(void);

/**
 * The last failure on this thread: one line, and Python's traceback where there is one. NULL if there was none.
 * The text belongs to the library, and is good until the thread's next failure, or its end.
 */
GREETER_API const char *greeter_last_error(void);

/**
 * Has `handler` called for each failure that no caller sees otherwise, instead of a message on standard error: with the
 * name of the function that failed, the text that greeter_last_error() gives (but for that name), and `data`. It
 * runs on the thread of the failure, before the failed function returns its error value, and must not keep the texts. It
 * has to return: no longjmp, no C++ exception. What fails in calls that it makes goes to standard error. NULL brings the
 * messages on standard error back.
 */
GREETER_API void greeter_set_error_handler(
    void (*handler)(const char *function, const char *message, void *data), void *data);

/**
 * Enters a scope: from here to greeter_leave() the thread stays in Python between its calls, which makes many short
 * calls faster. Starts Python where that has not been done. Scopes may be nested, each greeter_enter() with its
 * greeter_leave() on the same thread. While calls run, other threads get their turns; between them no other thread can
 * use Python: leave before anything that waits, for another thread above all.
 *
 * Returns 0; or -1, and then nothing was entered, greeter_last_error() says why, and greeter_leave() must not
 * be called.
 */
GREETER_API int greeter_enter(void);

/** Takes one greeter_enter() of this thread back; the outermost one leaves Python. */
GREETER_API void greeter_leave(void);

#ifdef __cplusplus
}
#endif

/**
 * GREETER_SCOPE { ... } runs the block once, in a scope; if that cannot be entered, without one. `break` and `continue` end
 * the block. With GCC and Clang the scope is left however the block is left: by its end, `return`, `break`, `goto`, a C++
 * exception (not by longjmp). With other compilers only its end and `continue` leave it.
 */
#ifndef KEELBACK_SCOPE_NAME
#define KEELBACK_SCOPE_JOIN(line) keelback_scope_##line
#define KEELBACK_SCOPE_NAME(line) KEELBACK_SCOPE_JOIN(line)
#endif
#define GREETER_SCOPE GREETER_SCOPE_AS(KEELBACK_SCOPE_NAME(__LINE__))
#if defined(__GNUC__)
static __inline__ void keelback_end_scope_of_greeter(const int *scope)
{
    if (*scope & 2)
        greeter_leave();
}
#define GREETER_SCOPE_AS(scope) \
    for (int scope __attribute__((cleanup(keelback_end_scope_of_greeter))) = greeter_enter() == 0 ? 3 : 1; scope & 1; \
         scope &= 2)
#else
#define GREETER_SCOPE_AS(scope) \
    for (int scope = greeter_enter() == 0 ? 3 : 1; scope & 1; scope = scope & 2 ? (greeter_leave(), 0) : 0)
#endif

#endif /* GREETER_H */
