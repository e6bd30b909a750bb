/* Made by keelback 0.1.0: the C interface of types. Changes to this file are lost. */
#ifndef TYPES_H
#define TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#ifndef __cplusplus
#include <uchar.h>
#endif

#ifndef TYPES_API
#if defined(_WIN32)
#define TYPES_API __declspec(dllimport)
#else
#define TYPES_API
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

/* One of everything. */
typedef unsigned char byte_t;
typedef int16_t sample_t;
typedef long double (*real_t)(long double);

KEELBACK_EXTENSION struct bits {
    unsigned int ready : 1, busy : 2;
    unsigned char : 4;
    long long wide : 40;
};
KEELBACK_EXTENSION struct variant {
    int kind;
    union {
        int integer;
        double real;
        struct { char *text; size_t length; };
    };
};
KEELBACK_EXTENSION struct message {
    uint32_t length;
    unsigned char bytes[];
};
union word { uint32_t whole; uint8_t bytes[4]; };
enum big { BIG_ONE = 1, BIG_TWO = 0x7fffffff };

TYPES_API bool f_bool(bool value);
TYPES_API char f_char(char a, signed char b, unsigned char c, byte_t d);
TYPES_API short f_short(short a, unsigned short b, sample_t c);
TYPES_API unsigned int f_int(int a, unsigned int b);
TYPES_API long f_long(long a, unsigned long b);
TYPES_API unsigned long long f_long_long(long long a, unsigned long long b);
TYPES_API float f_float(float a);
TYPES_API double f_double(double a, float b);
TYPES_API long double f_long_double(long double a);
TYPES_API wchar_t f_wchar(wchar_t a, char16_t b, char32_t c);
TYPES_API int64_t f_sized(int8_t a, uint8_t b, int32_t c, uint64_t d, intptr_t e, uintmax_t f, int_fast16_t g, int_least8_t h);
TYPES_API ssize_t f_sizes(size_t a, ssize_t b, ptrdiff_t c);
TYPES_API union word f_union(union word a, struct bits b);
TYPES_API struct variant f_variant(struct variant a);
TYPES_API enum big f_enum(enum big a);
TYPES_API void *f_pointers(void *a, const char *const *b, int (*c)[3], volatile int *d, int e[], const int g[4]);
TYPES_API void (*f_function(void (*handler)(int signal)))(int);
TYPES_API int (*f_array(void))[5];
TYPES_API real_t f_real(real_t a, int (*b)(const char *format, ...));
TYPES_API void f_none(void);
TYPES_API void f_keywords(int class_, char *new_, double this_, int (*operator_)(int typename_));
struct later;
union other;
TYPES_API void f_before(struct later *first, union other *second);
struct later { int a; };
TYPES_API int f_two(int), f_three(int a, int b);
TYPES_API int f_extern(void);
TYPES_API void f_file(FILE *file);
TYPES_API void f_restrict(char *__restrict to, const char *__restrict from);
TYPES_API int f_last(void);
TYPES_API int f_const(const struct later a);

/*
 * What every library made by keelback has. They can be called from any thread, at any time.
 */

/**
 * Starts Python, if the process has none, and runs the library's Python code. Calling it is optional: the first call of
 * any function above does the same, but has only its result to tell of a failure.
 *
 * Returns 0, also when all is running already; or a negative number, and then types_last_error() says why.
 * After a failure it may be called again, and tries again.
 */
TYPES_API int types_start(void);

/**
 * The last failure on this thread: one line, and Python's traceback where there is one. NULL if there was none.
 * The text belongs to the library, and is good until the thread's next failure, or its end.
 */
TYPES_API const char *types_last_error(void);

/**
 * Has `handler` called for each failure that no caller sees otherwise, instead of a message on standard error: with the
 * name of the function that failed, the text that types_last_error() gives (but for that name), and `data`. It
 * runs on the thread of the failure, before the failed function returns its error value, and must not keep the texts. It
 * has to return: no longjmp, no C++ exception. What fails in calls that it makes goes to standard error. NULL brings the
 * messages on standard error back.
 */
TYPES_API void types_set_error_handler(
    void (*handler)(const char *function, const char *message, void *data), void *data);

/**
 * Enters a scope: from here to types_leave() the thread stays in Python between its calls, which makes many short
 * calls faster. Starts Python where that has not been done. Scopes may be nested, each types_enter() with its
 * types_leave() on the same thread. While calls run, other threads get their turns; between them no other thread can
 * use Python: leave before anything that waits, for another thread above all.
 *
 * Returns 0; or -1, and then nothing was entered, types_last_error() says why, and types_leave() must not
 * be called.
 */
TYPES_API int types_enter(void);

/** Takes one types_enter() of this thread back; the outermost one leaves Python. */
TYPES_API void types_leave(void);

#ifdef __cplusplus
}
#endif

/**
 * TYPES_SCOPE { ... } runs the block once, in a scope; if that cannot be entered, without one. `break` and `continue` end
 * the block. With GCC and Clang the scope is left however the block is left: by its end, `return`, `break`, `goto`, a C++
 * exception (not by longjmp). With other compilers only its end and `continue` leave it.
 */
#ifndef KEELBACK_SCOPE_NAME
#define KEELBACK_SCOPE_JOIN(line) keelback_scope_##line
#define KEELBACK_SCOPE_NAME(line) KEELBACK_SCOPE_JOIN(line)
#endif
#define TYPES_SCOPE TYPES_SCOPE_AS(KEELBACK_SCOPE_NAME(__LINE__))
#if defined(__GNUC__)
static __inline__ void keelback_end_scope_of_types(const int *scope)
{
    if (*scope & 2)
        types_leave();
}
#define TYPES_SCOPE_AS(scope) \
    for (int scope __attribute__((cleanup(keelback_end_scope_of_types))) = types_enter() == 0 ? 3 : 1; scope & 1; \
         scope &= 2)
#else
#define TYPES_SCOPE_AS(scope) \
    for (int scope = types_enter() == 0 ? 3 : 1; scope & 1; scope = scope & 2 ? (types_leave(), 0) : 0)
#endif

#if defined(__cplusplus)
#if __cplusplus >= 201103L
#define TYPES_H_ASSERT static_assert
#endif
#elif defined(__STDC_VERSION__)
#if __STDC_VERSION__ >= 201112L
#define TYPES_H_ASSERT _Static_assert
#endif
#endif
#ifdef TYPES_H_ASSERT
TYPES_H_ASSERT(sizeof(struct bits) == 8, "the library was compiled with another layout");
TYPES_H_ASSERT(sizeof(struct variant) == 24, "the library was compiled with another layout");
TYPES_H_ASSERT(offsetof(struct variant, kind) == 0, "the library was compiled with another layout");
TYPES_H_ASSERT(sizeof(struct message) == 4, "the library was compiled with another layout");
TYPES_H_ASSERT(offsetof(struct message, length) == 0, "the library was compiled with another layout");
TYPES_H_ASSERT(offsetof(struct message, bytes) == 4, "the library was compiled with another layout");
TYPES_H_ASSERT(sizeof(union word) == 4, "the library was compiled with another layout");
TYPES_H_ASSERT(offsetof(union word, whole) == 0, "the library was compiled with another layout");
TYPES_H_ASSERT(offsetof(union word, bytes) == 0, "the library was compiled with another layout");
TYPES_H_ASSERT(sizeof(struct later) == 4, "the library was compiled with another layout");
TYPES_H_ASSERT(offsetof(struct later, a) == 0, "the library was compiled with another layout");
#undef TYPES_H_ASSERT
#endif

#endif /* TYPES_H */
