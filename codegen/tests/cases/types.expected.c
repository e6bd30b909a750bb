/* Made by keelback 0.1.0: the plugin types. Changes to this file are lost. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif


#define KEELBACK_STANDALONE 0

/* ---- What the prelude may use ---- */

#define KEELBACK_EXPORT __attribute__((visibility("default")))
#ifdef __cplusplus
#define KEELBACK_C extern "C"
#else
#define KEELBACK_C
#endif
#ifndef CFFI_DLLEXPORT
#define CFFI_DLLEXPORT KEELBACK_EXPORT
#endif

/* Starts Python and runs the init code, unless that is done: 0, or -1 after a message on standard error. */
KEELBACK_UNUSED static int cffi_start_python(void)
{
    return keelback_start_now("cffi_start_python") == 0 ? 0 : -1;
}


#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <uchar.h>

KEELBACK_C KEELBACK_EXPORT char f_char(char arg0, signed char arg1, unsigned char arg2, unsigned char arg3);
KEELBACK_C KEELBACK_EXPORT unsigned int f_int(int arg0, unsigned int arg1);
KEELBACK_C KEELBACK_EXPORT long f_long(long arg0, unsigned long arg1);
KEELBACK_C KEELBACK_EXPORT unsigned long long f_long_long(long long arg0, unsigned long long arg1);
KEELBACK_C KEELBACK_EXPORT float f_float(float arg0);
KEELBACK_C KEELBACK_EXPORT double f_double(double arg0, float arg1);
KEELBACK_C KEELBACK_EXPORT long double f_long_double(long double arg0);
KEELBACK_C KEELBACK_EXPORT void (*f_function(void (*arg0)(int)))(int);
KEELBACK_C KEELBACK_EXPORT long double (*f_real(long double (*arg0)(long double), int (*arg1)(const char *, ...)))(long double);
KEELBACK_C KEELBACK_EXPORT void f_none(void);
KEELBACK_C KEELBACK_EXPORT void f_keywords(int arg0, char *arg1, double arg2, int (*arg3)(int));
KEELBACK_C KEELBACK_EXPORT int f_two(int arg0);
KEELBACK_C KEELBACK_EXPORT int f_three(int arg0, int arg1);
KEELBACK_C KEELBACK_EXPORT int f_extern(void);
KEELBACK_C KEELBACK_EXPORT void f_restrict(char *arg0, const char *arg1);
KEELBACK_C KEELBACK_EXPORT int f_last(void);


#ifdef __cplusplus
typedef bool keelback_bool_t;
#else
typedef _Bool keelback_bool_t;
#endif

/* ---- The declarations ---- */

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
struct later;
union other;
struct later { int a; };

/* ---- The payload ---- */

/* C99 promises string literals of no more than 4095 characters; these compilers know no limit. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#endif
static const char keelback_cdef_0[] =
    "/* One of everything. */\n"
    "typedef unsigned char byte_t;\n"
    "typedef int16_t sample_t;\n"
    "typedef long double (*real_t)(long double);\n"
    "\n"
    "struct bits {\n"
    "    unsigned int ready : 1, busy : 2;\n"
    "    unsigned char : 4;\n"
    "    long long wide : 40;\n"
    "};\n"
    "struct variant {\n"
    "    int kind;\n"
    "    union {\n"
    "        int integer;\n"
    "        double real;\n"
    "        struct { char *text; size_t length; };\n"
    "    };\n"
    "};\n"
    "struct message {\n"
    "    uint32_t length;\n"
    "    unsigned char bytes[];\n"
    "};\n"
    "union word { uint32_t whole; uint8_t bytes[4]; };\n"
    "enum big { BIG_ONE = 1, BIG_TWO = 0x7fffffff };\n"
    "\n"
    "bool f_bool(_Bool value);\n"
    "char f_char(char a, signed char b, unsigned char c, byte_t d);\n"
    "short f_short(short a, unsigned short b, sample_t c);\n"
    "unsigned int f_int(int a, unsigned int b);\n"
    "long f_long(long a, unsigned long b);\n"
    "unsigned long long f_long_long(long long a, unsigned long long b);\n"
    "float f_float(float a);\n"
    "double f_double(double a, float b);\n"
    "long double f_long_double(long double a);\n"
    "wchar_t f_wchar(wchar_t a, char16_t b, char32_t c);\n"
    "int64_t f_sized(int8_t a, uint8_t b, int32_t c, uint64_t d, intptr_t e, uintmax_t f, int_fast16_t g, int_least8_t h);\n"
    "ssize_t f_sizes(size_t a, ssize_t b, ptrdiff_t c);\n"
    "union word f_union(union word a, struct bits b);\n"
    "struct variant f_variant(struct variant a);\n"
    "enum big f_enum(enum big a);\n"
    "void *f_pointers(void *a, const char *const *b, int (*c)[3], volatile int *d, int e[], const int g[4]);\n"
    "void (*f_function(void (*handler)(int signal)))(int);\n"
    "int (*f_array(void))[5];\n"
    "real_t f_real(real_t a, int (*b)(const char *format, ...));\n"
    "void f_none();\n"
    "void f_keywords(int class, char *new, double this, int (*operator)(int typename));\n"
    "void f_before(struct later *first, union other *second);\n"
    "struct later { int a; };\n"
    "int f_two(int), f_three(int a, int b);\n"
    "extern int f_extern(void);\n"
    "void f_file(FILE *file);\n"
    "void f_restrict(char *restrict to, const char *__restrict from);\n"
    "int f_last(void);\n"
    "const int f_const(const struct later a);\n";
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

static const keelback_cdef_t keelback_cdefs[] = {
    { "types.h", keelback_cdef_0, sizeof keelback_cdef_0 - 1, KEELBACK_CDEF_EMBEDDING_API, 0 },
};

/* ---- The declarations and the compiler agree ---- */

#if defined(__cplusplus) && __cplusplus >= 201103L
#define KEELBACK_ASSERT(condition, message) static_assert(condition, message)
#elif !defined(__cplusplus) && defined(__GNUC__)
#define KEELBACK_ASSERT(condition, message) __extension__ _Static_assert(condition, message)
#else
#define KEELBACK_ASSERT(condition, message) extern int keelback_assertion[(condition) ? 1 : -1]
#endif
KEELBACK_ASSERT(sizeof(struct bits) == 8, "struct bits: the cdef makes it 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(struct variant) == 24, "struct variant: the cdef makes it 24 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct variant, kind) == 0, "struct variant: the cdef puts 'kind' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct variant *)0)->kind) == 4, "struct variant: the cdef makes 'kind' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(struct message) == 4, "struct message: the cdef makes it 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct message, length) == 0, "struct message: the cdef puts 'length' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct message *)0)->length) == 4, "struct message: the cdef makes 'length' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct message, bytes) == 4, "struct message: the cdef puts 'bytes' at offset 4, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(union word) == 4, "union word: the cdef makes it 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(union word, whole) == 0, "union word: the cdef puts 'whole' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((union word *)0)->whole) == 4, "union word: the cdef makes 'whole' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(union word, bytes) == 0, "union word: the cdef puts 'bytes' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((union word *)0)->bytes) == 4, "union word: the cdef makes 'bytes' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(struct later) == 4, "struct later: the cdef makes it 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct later, a) == 0, "struct later: the cdef puts 'a' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct later *)0)->a) == 4, "struct later: the cdef makes 'a' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");


KEELBACK_SHARED KEELBACK_COLD void keelback_answer(void)
{
}

/* ---- The functions that run Python ---- */

KEELBACK_C KEELBACK_EXPORT keelback_bool_t f_bool(keelback_bool_t arg0);
KEELBACK_C KEELBACK_EXPORT char f_char(char arg0, signed char arg1, unsigned char arg2, unsigned char arg3);
KEELBACK_C KEELBACK_EXPORT short f_short(short arg0, unsigned short arg1, int16_t arg2);
KEELBACK_C KEELBACK_EXPORT unsigned int f_int(int arg0, unsigned int arg1);
KEELBACK_C KEELBACK_EXPORT long f_long(long arg0, unsigned long arg1);
KEELBACK_C KEELBACK_EXPORT unsigned long long f_long_long(long long arg0, unsigned long long arg1);
KEELBACK_C KEELBACK_EXPORT float f_float(float arg0);
KEELBACK_C KEELBACK_EXPORT double f_double(double arg0, float arg1);
KEELBACK_C KEELBACK_EXPORT long double f_long_double(long double arg0);
KEELBACK_C KEELBACK_EXPORT wchar_t f_wchar(wchar_t arg0, char16_t arg1, char32_t arg2);
KEELBACK_C KEELBACK_EXPORT int64_t f_sized(int8_t arg0, uint8_t arg1, int32_t arg2, uint64_t arg3, intptr_t arg4, uintmax_t arg5, int_fast16_t arg6, int_least8_t arg7);
KEELBACK_C KEELBACK_EXPORT ssize_t f_sizes(size_t arg0, ssize_t arg1, ptrdiff_t arg2);
KEELBACK_C KEELBACK_EXPORT union word f_union(union word arg0, struct bits arg1);
KEELBACK_C KEELBACK_EXPORT struct variant f_variant(struct variant arg0);
KEELBACK_C KEELBACK_EXPORT enum big f_enum(enum big arg0);
KEELBACK_C KEELBACK_EXPORT void *f_pointers(void *arg0, const char *const *arg1, int (*arg2)[3], volatile int *arg3, int *arg4, const int *arg5);
KEELBACK_C KEELBACK_EXPORT void (*f_function(void (*arg0)(int)))(int);
KEELBACK_C KEELBACK_EXPORT int (*f_array(void))[5];
KEELBACK_C KEELBACK_EXPORT long double (*f_real(long double (*arg0)(long double), int (*arg1)(const char *, ...)))(long double);
KEELBACK_C KEELBACK_EXPORT void f_none(void);
KEELBACK_C KEELBACK_EXPORT void f_keywords(int arg0, char *arg1, double arg2, int (*arg3)(int));
KEELBACK_C KEELBACK_EXPORT void f_before(struct later *arg0, union other *arg1);
KEELBACK_C KEELBACK_EXPORT int f_two(int arg0);
KEELBACK_C KEELBACK_EXPORT int f_three(int arg0, int arg1);
KEELBACK_C KEELBACK_EXPORT int f_extern(void);
KEELBACK_C KEELBACK_EXPORT void f_file(FILE *arg0);
KEELBACK_C KEELBACK_EXPORT void f_restrict(char *arg0, const char *arg1);
KEELBACK_C KEELBACK_EXPORT int f_last(void);
KEELBACK_C KEELBACK_EXPORT int f_const(struct later arg0);


static keelback_function_t keelback_functions[] = {
    {"f_bool", (void (*)(void))f_bool, NULL, sizeof(keelback_bool_t), 0, 0, NULL},
    {"f_char", (void (*)(void))f_char, NULL, sizeof(char), 0, 0, NULL},
    {"f_short", (void (*)(void))f_short, NULL, sizeof(short), 0, 0, NULL},
    {"f_int", (void (*)(void))f_int, NULL, sizeof(unsigned int), 0, 0, NULL},
    {"f_long", (void (*)(void))f_long, NULL, sizeof(long), 0, 0, NULL},
    {"f_long_long", (void (*)(void))f_long_long, NULL, sizeof(unsigned long long), 0, 0, NULL},
    {"f_float", (void (*)(void))f_float, NULL, sizeof(float), 0, 0, NULL},
    {"f_double", (void (*)(void))f_double, NULL, sizeof(double), 0, 0, NULL},
    {"f_long_double", (void (*)(void))f_long_double, NULL, sizeof(long double), 0, 0, NULL},
    {"f_wchar", (void (*)(void))f_wchar, NULL, sizeof(wchar_t), 0, 0, NULL},
    {"f_sized", (void (*)(void))f_sized, NULL, sizeof(int64_t), 0, 0, NULL},
    {"f_sizes", (void (*)(void))f_sizes, NULL, sizeof(ssize_t), 0, 0, NULL},
    {"f_union", (void (*)(void))f_union, NULL, sizeof(union word), 0, 0, NULL},
    {"f_variant", (void (*)(void))f_variant, NULL, sizeof(struct variant), 0, 0, NULL},
    {"f_enum", (void (*)(void))f_enum, NULL, sizeof(enum big), 0, 0, NULL},
    {"f_pointers", (void (*)(void))f_pointers, NULL, sizeof(void *), 0, 0, NULL},
    {"f_function", (void (*)(void))f_function, NULL, sizeof(void (*)(int)), 0, 0, NULL},
    {"f_array", (void (*)(void))f_array, NULL, sizeof(int (*)[5]), 0, 0, NULL},
    {"f_real", (void (*)(void))f_real, NULL, sizeof(long double (*)(long double)), 0, 0, NULL},
    {"f_none", (void (*)(void))f_none, NULL, 0, 0, 0, NULL},
    {"f_keywords", (void (*)(void))f_keywords, NULL, 0, 0, 0, NULL},
    {"f_before", (void (*)(void))f_before, NULL, 0, 0, 0, NULL},
    {"f_two", (void (*)(void))f_two, NULL, sizeof(int), 0, 0, NULL},
    {"f_three", (void (*)(void))f_three, NULL, sizeof(int), 0, 0, NULL},
    {"f_extern", (void (*)(void))f_extern, NULL, sizeof(int), 0, 0, NULL},
    {"f_file", (void (*)(void))f_file, NULL, 0, 0, 0, NULL},
    {"f_restrict", (void (*)(void))f_restrict, NULL, 0, 0, 0, NULL},
    {"f_last", (void (*)(void))f_last, NULL, sizeof(int), 0, 0, NULL},
    {"f_const", (void (*)(void))f_const, NULL, sizeof(int), 0, 0, NULL},
};

static keelback_plugin_t keelback_plugin = {
    KEELBACK_ABI_VERSION,
    0,
    "0.1.0",
    "types",
    keelback_cdefs, sizeof keelback_cdefs / sizeof *keelback_cdefs,
    NULL, 0, NULL,
    NULL, 0,
    NULL, 0, 0,
    keelback_functions, sizeof keelback_functions / sizeof *keelback_functions,
    NULL, 0,
    NULL, 0,
    NULL, 0,
    NULL, 0,
    NULL, 0,
    keelback_slow_path,
    NULL,
    NULL,
    NULL,
};

KEELBACK_SHARED keelback_plugin_t *keelback_this(void)
{
    return &keelback_plugin;
}

static const keelback_recorded_t keelback_where = {
    NULL,
    NULL,
    NULL,
    NULL,
    "3.11",
#ifdef __APPLE__
    "libpython" "3.11" ".dylib",
#else
    "libpython" "3.11" ".so.1.0",
#endif
};

/* Found by its section: the library exports nothing for it. */
#ifdef __APPLE__
__attribute__((used, section("__DATA,__keelback")))
#else
__attribute__((used, section(".keelback")))
#endif
static keelback_description_t keelback_description = {
    &keelback_plugin,
    &keelback_where,
    keelback_search,
    KEELBACK_STANDALONE,
};

KEELBACK_SHARED KEELBACK_COLD const keelback_recorded_t *keelback_recorded(void)
{
    /* By way of the description, so that no linker takes it for unused. */
    return keelback_description.recorded;
}

static inline void keelback_call(keelback_function_t *function, void *slots)
{
    __atomic_load_n(&keelback_plugin.dispatch, __ATOMIC_ACQUIRE)(function, slots);
}

/* Arguments and result meet the dispatcher in slots of 8 bytes, aligned for any type. */
typedef struct __attribute__((aligned(16))) keelback_slot_t {
    char bytes[16];
} keelback_slot_t;

KEELBACK_EXPORT keelback_bool_t f_bool(keelback_bool_t arg0)
{
    union {
        keelback_slot_t slots[1];
        keelback_bool_t result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[0], &frame);
    return frame.result;
}

KEELBACK_EXPORT char f_char(char arg0, signed char arg1, unsigned char arg2, unsigned char arg3)
{
    union {
        keelback_slot_t slots[2];
        char result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    __builtin_memcpy((char *)&frame + 16, &arg2, sizeof arg2);
    __builtin_memcpy((char *)&frame + 24, &arg3, sizeof arg3);
    keelback_call(&keelback_functions[1], &frame);
    return frame.result;
}

KEELBACK_EXPORT short f_short(short arg0, unsigned short arg1, int16_t arg2)
{
    union {
        keelback_slot_t slots[2];
        short result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    __builtin_memcpy((char *)&frame + 16, &arg2, sizeof arg2);
    keelback_call(&keelback_functions[2], &frame);
    return frame.result;
}

KEELBACK_EXPORT unsigned int f_int(int arg0, unsigned int arg1)
{
    union {
        keelback_slot_t slots[1];
        unsigned int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[3], &frame);
    return frame.result;
}

KEELBACK_EXPORT long f_long(long arg0, unsigned long arg1)
{
    union {
        keelback_slot_t slots[1];
        long result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[4], &frame);
    return frame.result;
}

KEELBACK_EXPORT unsigned long long f_long_long(long long arg0, unsigned long long arg1)
{
    union {
        keelback_slot_t slots[1];
        unsigned long long result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[5], &frame);
    return frame.result;
}

KEELBACK_EXPORT float f_float(float arg0)
{
    union {
        keelback_slot_t slots[1];
        float result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[6], &frame);
    return frame.result;
}

KEELBACK_EXPORT double f_double(double arg0, float arg1)
{
    union {
        keelback_slot_t slots[1];
        double result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[7], &frame);
    return frame.result;
}

KEELBACK_EXPORT long double f_long_double(long double arg0)
{
    union {
        keelback_slot_t slots[1];
        long double result;
    } frame;
    const void *at0 = &arg0;
    __builtin_memcpy((char *)&frame, &at0, sizeof at0);
    keelback_call(&keelback_functions[8], &frame);
    return frame.result;
}

KEELBACK_EXPORT wchar_t f_wchar(wchar_t arg0, char16_t arg1, char32_t arg2)
{
    union {
        keelback_slot_t slots[2];
        wchar_t result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    __builtin_memcpy((char *)&frame + 16, &arg2, sizeof arg2);
    keelback_call(&keelback_functions[9], &frame);
    return frame.result;
}

KEELBACK_EXPORT int64_t f_sized(int8_t arg0, uint8_t arg1, int32_t arg2, uint64_t arg3, intptr_t arg4, uintmax_t arg5, int_fast16_t arg6, int_least8_t arg7)
{
    union {
        keelback_slot_t slots[4];
        int64_t result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    __builtin_memcpy((char *)&frame + 16, &arg2, sizeof arg2);
    __builtin_memcpy((char *)&frame + 24, &arg3, sizeof arg3);
    __builtin_memcpy((char *)&frame + 32, &arg4, sizeof arg4);
    __builtin_memcpy((char *)&frame + 40, &arg5, sizeof arg5);
    __builtin_memcpy((char *)&frame + 48, &arg6, sizeof arg6);
    __builtin_memcpy((char *)&frame + 56, &arg7, sizeof arg7);
    keelback_call(&keelback_functions[10], &frame);
    return frame.result;
}

KEELBACK_EXPORT ssize_t f_sizes(size_t arg0, ssize_t arg1, ptrdiff_t arg2)
{
    union {
        keelback_slot_t slots[2];
        ssize_t result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    __builtin_memcpy((char *)&frame + 16, &arg2, sizeof arg2);
    keelback_call(&keelback_functions[11], &frame);
    return frame.result;
}

KEELBACK_EXPORT union word f_union(union word arg0, struct bits arg1)
{
    union {
        keelback_slot_t slots[1];
        union word result;
    } frame;
    const void *at0 = &arg0;
    const void *at1 = &arg1;
    __builtin_memcpy((char *)&frame, &at0, sizeof at0);
    __builtin_memcpy((char *)&frame + 8, &at1, sizeof at1);
    keelback_call(&keelback_functions[12], &frame);
    return frame.result;
}

KEELBACK_EXPORT struct variant f_variant(struct variant arg0)
{
    union {
        keelback_slot_t slots[1];
        struct variant result;
    } frame;
    const void *at0 = &arg0;
    __builtin_memcpy((char *)&frame, &at0, sizeof at0);
    keelback_call(&keelback_functions[13], &frame);
    return frame.result;
}

KEELBACK_EXPORT enum big f_enum(enum big arg0)
{
    union {
        keelback_slot_t slots[1];
        enum big result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[14], &frame);
    return frame.result;
}

KEELBACK_EXPORT void *f_pointers(void *arg0, const char *const *arg1, int (*arg2)[3], volatile int *arg3, int *arg4, const int *arg5)
{
    union {
        keelback_slot_t slots[3];
        void *result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    __builtin_memcpy((char *)&frame + 16, &arg2, sizeof arg2);
    __builtin_memcpy((char *)&frame + 24, &arg3, sizeof arg3);
    __builtin_memcpy((char *)&frame + 32, &arg4, sizeof arg4);
    __builtin_memcpy((char *)&frame + 40, &arg5, sizeof arg5);
    keelback_call(&keelback_functions[15], &frame);
    return frame.result;
}

KEELBACK_EXPORT void (*f_function(void (*arg0)(int)))(int)
{
    union {
        keelback_slot_t slots[1];
        void (*result)(int);
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[16], &frame);
    return frame.result;
}

KEELBACK_EXPORT int (*f_array(void))[5]
{
    union {
        keelback_slot_t slots[1];
        int (*result)[5];
    } frame;
    keelback_call(&keelback_functions[17], &frame);
    return frame.result;
}

KEELBACK_EXPORT long double (*f_real(long double (*arg0)(long double), int (*arg1)(const char *, ...)))(long double)
{
    union {
        keelback_slot_t slots[1];
        long double (*result)(long double);
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[18], &frame);
    return frame.result;
}

KEELBACK_EXPORT void f_none(void)
{
    union {
        keelback_slot_t slots[1];
    } frame;
    keelback_call(&keelback_functions[19], &frame);
}

KEELBACK_EXPORT void f_keywords(int arg0, char *arg1, double arg2, int (*arg3)(int))
{
    union {
        keelback_slot_t slots[2];
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    __builtin_memcpy((char *)&frame + 16, &arg2, sizeof arg2);
    __builtin_memcpy((char *)&frame + 24, &arg3, sizeof arg3);
    keelback_call(&keelback_functions[20], &frame);
}

KEELBACK_EXPORT void f_before(struct later *arg0, union other *arg1)
{
    union {
        keelback_slot_t slots[1];
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[21], &frame);
}

KEELBACK_EXPORT int f_two(int arg0)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[22], &frame);
    return frame.result;
}

KEELBACK_EXPORT int f_three(int arg0, int arg1)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[23], &frame);
    return frame.result;
}

KEELBACK_EXPORT int f_extern(void)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    keelback_call(&keelback_functions[24], &frame);
    return frame.result;
}

KEELBACK_EXPORT void f_file(FILE *arg0)
{
    union {
        keelback_slot_t slots[1];
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[25], &frame);
}

KEELBACK_EXPORT void f_restrict(char *arg0, const char *arg1)
{
    union {
        keelback_slot_t slots[1];
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[26], &frame);
}

KEELBACK_EXPORT int f_last(void)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    keelback_call(&keelback_functions[27], &frame);
    return frame.result;
}

KEELBACK_EXPORT int f_const(struct later arg0)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    const void *at0 = &arg0;
    __builtin_memcpy((char *)&frame, &at0, sizeof at0);
    keelback_call(&keelback_functions[28], &frame);
    return frame.result;
}

/* ---- The plugin's own functions ---- */

KEELBACK_C KEELBACK_EXPORT int types_start(void);
KEELBACK_C KEELBACK_EXPORT const char *types_last_error(void);
KEELBACK_C KEELBACK_EXPORT void types_set_error_handler(keelback_error_handler_t handler, void *data);
KEELBACK_C KEELBACK_EXPORT int types_enter(void);
KEELBACK_C KEELBACK_EXPORT void types_leave(void);

KEELBACK_EXPORT int types_start(void)
{
    return keelback_start_now(NULL);
}

KEELBACK_EXPORT const char *types_last_error(void)
{
    return keelback_last_failure();
}

KEELBACK_EXPORT void types_set_error_handler(keelback_error_handler_t handler, void *data)
{
    keelback_handle_errors(handler, data);
}

KEELBACK_EXPORT int types_enter(void)
{
    return keelback_enter_scope();
}

KEELBACK_EXPORT void types_leave(void)
{
    keelback_leave_scope("types");
}

/* `import types` finds the plugin under a name that Python looks for. */
KEELBACK_C KEELBACK_EXPORT void *PyInit_types(void);
KEELBACK_EXPORT void *PyInit_types(void)
{
    return keelback_import();
}
