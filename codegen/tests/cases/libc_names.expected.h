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
 * What every library made by keelback has. All three can be called from any thread, at any time.
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

#ifdef __cplusplus
}
#endif

#endif /* LIBC_NAMES_H */
