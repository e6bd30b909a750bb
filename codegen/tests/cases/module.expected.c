/* Made by keelback 0.1.0: the plugin package.module. Changes to this file are lost. */
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

/* Preludes written for CFFI count on these. */
#define _CFFI_ 1
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* ---- The prelude ---- */

#line 1 "module.prelude.c"
#define LIMIT 10
typedef struct { double im, re; int kind; } number_t;
static void on_change(void *userdata, number_t *number);
static float scale = 1.0f;
static number_t numbers[LIMIT];
static double norm(number_t *number)
{
    on_change(NULL, number);
    return number->re * number->re + number->im * number->im;
}
static number_t *make(double re, double im)
{
    memset(numbers, 0, sizeof numbers);
    numbers[0].re = re;
    numbers[0].im = im;
    return numbers;
}
#line N "module.c"

#ifdef __cplusplus
typedef bool keelback_bool_t;
#else
typedef _Bool keelback_bool_t;
#endif

/* ---- The payload ---- */

/* C99 promises string literals of no more than 4095 characters; these compilers know no limit. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#endif
static const char keelback_cdef_0[] =
    "#define LIMIT ...\n"
    "typedef struct { double re, im; ...; } number_t;\n"
    "double norm(number_t *number);\n"
    "number_t *make(double, double);\n"
    "float scale;\n"
    "extern \"Python\" void on_change(void *userdata, number_t *number);\n";
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

static const keelback_cdef_t keelback_cdefs[] = {
    { "module.h", keelback_cdef_0, sizeof keelback_cdef_0 - 1, 0, 0 },
};

/* ---- What the declarations leave to the compiler ---- */

/* In C++ -1 may be no value of an enum. */
#ifdef __cplusplus
#define KEELBACK_ENUM_IS_SIGNED(type) ((__underlying_type(type))-1 <= 0)
#else
#define KEELBACK_ENUM_IS_SIGNED(type) ((type)-1 <= 0)
#endif

static keelback_answer_t keelback_answers[7];

/* The members have the types that the declarations say. */
#line 2 "module.h"
KEELBACK_UNUSED static void keelback_check_0(number_t *keelback_p) {
#line 2
    { double *keelback_member = &keelback_p->re; (void)keelback_member; }
#line 2
    { double *keelback_member = &keelback_p->im; (void)keelback_member; }
}
#line N "module.c"


KEELBACK_SHARED KEELBACK_COLD void keelback_answer(void)
{
    keelback_answer_t *keelback_next = keelback_answers;
#line 1 "module.h"
    keelback_next->value = (uint64_t)((LIMIT) | 0); keelback_next++->is_negative = (LIMIT) <= 0;
    keelback_next->value = (uint64_t)(sizeof(number_t)); keelback_next++->is_negative = 0;
#line 2
    keelback_next->value = (uint64_t)(__alignof__(number_t)); keelback_next++->is_negative = 0;
#line 2
    keelback_next->value = (uint64_t)(offsetof(number_t, re)); keelback_next++->is_negative = 0;
#line 2
    keelback_next->value = (uint64_t)(sizeof((((number_t *)0)->re))); keelback_next++->is_negative = 0;
#line 2
    keelback_next->value = (uint64_t)(offsetof(number_t, im)); keelback_next++->is_negative = 0;
#line 2
    keelback_next->value = (uint64_t)(sizeof((((number_t *)0)->im))); keelback_next++->is_negative = 0;
#line N "module.c"
    (void)keelback_next;
}

/* ---- What Python may call and see ---- */

/* A function is called through one with the types of its declaration; each is one line, that of its declaration. */
#if defined(__GNUC__) && !defined(__cplusplus)
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wimplicit-function-declaration"
#endif
#line 3 "module.h"
static double keelback_direct_0(number_t *arg0) { return norm(arg0); }
#line 3
static void keelback_access_0(void *keelback_slots) { number_t *arg0; double keelback_result; __builtin_memcpy(&arg0, (const char *)keelback_slots + 0, sizeof arg0); keelback_result = keelback_direct_0(arg0); __builtin_memcpy(keelback_slots, &keelback_result, sizeof keelback_result); (void)keelback_slots; }
static number_t *keelback_direct_1(double arg0, double arg1) { return make(arg0, arg1); }
#line 4
static void keelback_access_1(void *keelback_slots) { double arg0; double arg1; number_t *keelback_result; __builtin_memcpy(&arg0, (const char *)keelback_slots + 0, sizeof arg0); __builtin_memcpy(&arg1, (const char *)keelback_slots + 8, sizeof arg1); keelback_result = keelback_direct_1(arg0, arg1); __builtin_memcpy(keelback_slots, &keelback_result, sizeof keelback_result); (void)keelback_slots; }
static void keelback_access_2(void *keelback_slots) { float *keelback_typed = &scale; const volatile void *keelback_at = keelback_typed; __builtin_memcpy(keelback_slots, &keelback_at, sizeof keelback_at); }
#line N "module.c"
#if defined(__GNUC__) && !defined(__cplusplus)
#pragma GCC diagnostic pop
#endif

static const keelback_symbol_t keelback_symbols[] = {
    {"norm", KEELBACK_SYMBOL_FUNCTION, (void (*)(void))keelback_direct_0, keelback_access_0},
    {"make", KEELBACK_SYMBOL_FUNCTION, (void (*)(void))keelback_direct_1, keelback_access_1},
    {"scale", KEELBACK_SYMBOL_VARIABLE, NULL, keelback_access_2},
};

/* ---- The functions that run Python ---- */

#line 6 "module.h"
static void on_change(void *arg0, number_t *arg1);
#line N "module.c"


static keelback_function_t keelback_functions[] = {
    {"on_change", (void (*)(void))on_change, NULL, 0, 0, 0, NULL},
};

static keelback_plugin_t keelback_plugin = {
    KEELBACK_ABI_VERSION,
    KEELBACK_PLUGIN_EXTENSION_MODULE,
    "0.1.0",
    "package.module",
    keelback_cdefs, sizeof keelback_cdefs / sizeof *keelback_cdefs,
    NULL, 0, NULL,
    NULL, 0,
    NULL, 0, 0,
    keelback_functions, sizeof keelback_functions / sizeof *keelback_functions,
    keelback_symbols, sizeof keelback_symbols / sizeof *keelback_symbols,
    keelback_answers, sizeof keelback_answers / sizeof *keelback_answers,
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

static void on_change(void *arg0, number_t *arg1)
{
    union {
        keelback_slot_t slots[1];
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[0], &frame);
}

/* `import package.module` finds the plugin under a name that Python looks for. */
KEELBACK_C KEELBACK_EXPORT void *PyInit_module(void);
KEELBACK_EXPORT void *PyInit_module(void)
{
    return keelback_import();
}
