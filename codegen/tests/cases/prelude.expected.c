/* Made by keelback 0.1.0: the plugin prelude. Changes to this file are lost. */
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

static int on_event(int arg0);
static int on_a(void);
static double on_b(double arg0);
KEELBACK_C KEELBACK_EXPORT int twice(int arg0);

/* ---- The prelude ---- */

#line 1 "prelude.prelude.c"
#include <stdarg.h>
#include <stdbool.h>

typedef struct handle handle_t;
typedef struct { char text[12]; int code; } status_t;
struct session { void *next; int id; };
typedef unsigned short number_t;
typedef struct pair { short a; long b; } pair_t;
enum mode { READ, WRITE = 7, APPEND };
#define LIMIT (1u << 31)
#define VERSION -3
#define DEPTH 12
static const double RATIO = 0.5;
#define TITLE ((char *)"title")
#define maximum(a, b) ((a) > (b) ? (a) : (b))

CFFI_DLLEXPORT int counter;
static int table[] = {1, 2, 3}, fixed[3];
static long shared;

static int on_event(int code);
#ifdef __cplusplus
extern "C"
#endif
void on_done(pair_t *pair);

static int helper(int a, double b)
{
    counter += twice(a);
    return cffi_start_python() + on_event((int)b) + table[0] + fixed[0] + (int)shared;
}
static pair_t swap(pair_t pair, long double c)
{
    pair_t swapped;
    swapped.a = (short)pair.b;
    swapped.b = pair.a + (long)c;
    on_done(&swapped);
    return swapped;
}
static void nothing(void) {}
static const char *describe(enum mode mode)
{
    return mode == READ ? "read" : "write";
}
static int log_all(const char *format, ...)
{
    return format != 0;
}
static bool is_set(bool flag)
{
    return flag;
}
KEELBACK_EXPORT int by_hand(int a);
int by_hand(int a)
{
    return helper(a, 1.0);
}
enum exact { EXACT_LOW = -3, EXACT_ONE = 1, EXACT_BIG = 0x7fffffff };
#line N "prelude.c"

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
    "#define VERSION ...\n"
    "enum mode { READ, WRITE = ..., ... };\n"
    "static const int DEPTH;\n"
    "static const double RATIO;\n"
    "static char *const TITLE;\n"
    "typedef int... number_t;\n"
    "typedef struct pair { short a; long b; } pair_t;\n"
    "\n"
    "int helper(int a, double b);\n"
    "pair_t swap(pair_t pair, long double c);\n"
    "void nothing(void);\n"
    "int maximum(int a, int b);\n"
    "int log_all(const char *format, ...);\n"
    "const char *describe(enum mode mode);\n"
    "extern int table[], fixed[3];\n"
    "long shared;\n"
    "bool is_set(bool flag);\n"
    "\n"
    "extern \"Python\" int on_event(int code);\n"
    "extern \"Python+C\" void on_done(pair_t *pair);\n"
    "extern \"Python\" { int on_a(void); double on_b(double); }\n"
    "enum exact { EXACT_ONE = 1, EXACT_BIG = 0x7fffffff, EXACT_LOW = -3 };\n";
static const char keelback_cdef_1[] =
    "/* What the prelude provides, an API may be partial about. */\n"
    "typedef ... handle_t;\n"
    "typedef struct { int code; ...; } status_t;\n"
    "struct session { int id; ...; };\n"
    "typedef int... number_t;\n"
    "\n"
    "/** Opens. */\n"
    "handle_t *open_it(const char *name, struct session *session);\n"
    "/** How it went. */\n"
    "status_t status(number_t number);\n"
    "int twice(int);\n"
    "extern int counter;\n";
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

static const keelback_cdef_t keelback_cdefs[] = {
    { "prelude.extra.h", keelback_cdef_0, sizeof keelback_cdef_0 - 1, 0, 0 },
    { "prelude.h", keelback_cdef_1, sizeof keelback_cdef_1 - 1, KEELBACK_CDEF_EMBEDDING_API, 0 },
};

/* ---- The declarations and the compiler agree ---- */

#if defined(__cplusplus) && __cplusplus >= 201103L
#define KEELBACK_ASSERT(condition, message) static_assert(condition, message)
#elif !defined(__cplusplus) && defined(__GNUC__)
#define KEELBACK_ASSERT(condition, message) __extension__ _Static_assert(condition, message)
#else
#define KEELBACK_ASSERT(condition, message) extern int keelback_assertion[(condition) ? 1 : -1]
#endif
#line 8 "prelude.extra.h"
KEELBACK_ASSERT(sizeof(pair_t) == 16, "pair_t: the cdef makes it 16 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
#line 8
KEELBACK_ASSERT(__builtin_offsetof(pair_t, a) == 0, "pair_t: the cdef puts 'a' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
#line 8
KEELBACK_ASSERT(sizeof(((pair_t *)0)->a) == 2, "pair_t: the cdef makes 'a' 2 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
#line 8
KEELBACK_ASSERT(__builtin_offsetof(pair_t, b) == 8, "pair_t: the cdef puts 'b' at offset 8, the compiler does not: correct the declaration, or end it with '...;'");
#line 8
KEELBACK_ASSERT(sizeof(((pair_t *)0)->b) == 8, "pair_t: the cdef makes 'b' 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
#line 23
KEELBACK_ASSERT(EXACT_ONE == 1, "EXACT_ONE: the cdef gives it the value 1, the C source does not: correct it, or write '= ...'");
#line 23
KEELBACK_ASSERT(EXACT_BIG == 2147483647, "EXACT_BIG: the cdef gives it the value 2147483647, the C source does not: correct it, or write '= ...'");
#line 23
KEELBACK_ASSERT(EXACT_LOW == (-3), "EXACT_LOW: the cdef gives it the value (-3), the C source does not: correct it, or write '= ...'");
#line N "prelude.c"


/* ---- What the declarations leave to the compiler ---- */

/* In C++ -1 may be no value of an enum. */
#ifdef __cplusplus
#define KEELBACK_ENUM_IS_SIGNED(type) ((__underlying_type(type))-1 <= 0)
#else
#define KEELBACK_ENUM_IS_SIGNED(type) ((type)-1 <= 0)
#endif

static keelback_answer_t keelback_answers[15];

KEELBACK_SHARED KEELBACK_COLD void keelback_answer(void)
{
    keelback_answer_t *keelback_next = keelback_answers;
#line 1 "prelude.extra.h"
    keelback_next->value = (uint64_t)((LIMIT) | 0); keelback_next++->is_negative = (LIMIT) <= 0;
    keelback_next->value = (uint64_t)((VERSION) | 0); keelback_next++->is_negative = (VERSION) <= 0;
    keelback_next->value = (uint64_t)(sizeof(enum mode)); keelback_next++->is_negative = KEELBACK_ENUM_IS_SIGNED(enum mode);
#line 3
    keelback_next->value = (uint64_t)((READ) | 0); keelback_next++->is_negative = (READ) <= 0;
#line 3
    keelback_next->value = (uint64_t)((WRITE) | 0); keelback_next++->is_negative = (WRITE) <= 0;
    keelback_next->value = (uint64_t)((DEPTH) | 0); keelback_next++->is_negative = (DEPTH) <= 0;
#line 7
    keelback_next->value = (uint64_t)(sizeof(number_t)); keelback_next++->is_negative = (((number_t)-1) | 0) <= 0;
#line 3 "prelude.h"
    keelback_next->value = (uint64_t)(sizeof(status_t)); keelback_next++->is_negative = 0;
#line 3
    keelback_next->value = (uint64_t)(__alignof__(status_t)); keelback_next++->is_negative = 0;
#line 3
    keelback_next->value = (uint64_t)(offsetof(status_t, code)); keelback_next++->is_negative = 0;
#line 3
    keelback_next->value = (uint64_t)(sizeof((((status_t *)0)->code))); keelback_next++->is_negative = 0;
    keelback_next->value = (uint64_t)(sizeof(struct session)); keelback_next++->is_negative = 0;
#line 4
    keelback_next->value = (uint64_t)(__alignof__(struct session)); keelback_next++->is_negative = 0;
#line 4
    keelback_next->value = (uint64_t)(offsetof(struct session, id)); keelback_next++->is_negative = 0;
#line 4
    keelback_next->value = (uint64_t)(sizeof((((struct session *)0)->id))); keelback_next++->is_negative = 0;
#line N "prelude.c"
    (void)keelback_next;
}

/* ---- What Python may call and see ---- */

/* A function is called through one with the types of its declaration; each is one line, that of its declaration. */
#if defined(__GNUC__) && !defined(__cplusplus)
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wimplicit-function-declaration"
#endif
#line 5 "prelude.extra.h"
static void keelback_access_0(void *keelback_slots) { double keelback_value = RATIO; void *keelback_to; __builtin_memcpy(&keelback_to, keelback_slots, sizeof keelback_to); __builtin_memcpy(keelback_to, &keelback_value, sizeof keelback_value); }
static void keelback_access_1(void *keelback_slots) { char *keelback_value = TITLE; void *keelback_to; __builtin_memcpy(&keelback_to, keelback_slots, sizeof keelback_to); __builtin_memcpy(keelback_to, &keelback_value, sizeof keelback_value); }
#line 10
static int keelback_direct_2(int arg0, double arg1) { return (int)helper(arg0, arg1); }
#line 10
static void keelback_access_2(void *keelback_slots) { int arg0; double arg1; int keelback_result; __builtin_memcpy(&arg0, (const char *)keelback_slots + 0, sizeof arg0); __builtin_memcpy(&arg1, (const char *)keelback_slots + 8, sizeof arg1); keelback_result = keelback_direct_2(arg0, arg1); __builtin_memcpy(keelback_slots, &keelback_result, sizeof keelback_result); (void)keelback_slots; }
static pair_t keelback_direct_3(pair_t arg0, long double arg1) { return swap(arg0, arg1); }
#line 11
static void keelback_access_3(void *keelback_slots) { pair_t arg0; long double arg1; const void *keelback_at0; const void *keelback_at1; pair_t keelback_result; void *keelback_to; __builtin_memcpy(&keelback_at0, (const char *)keelback_slots + 0, sizeof keelback_at0); __builtin_memcpy(&arg0, keelback_at0, sizeof arg0); __builtin_memcpy(&keelback_at1, (const char *)keelback_slots + 8, sizeof keelback_at1); __builtin_memcpy(&arg1, keelback_at1, sizeof arg1); keelback_result = keelback_direct_3(arg0, arg1); __builtin_memcpy(&keelback_to, (const char *)keelback_slots + 16, sizeof keelback_to); __builtin_memcpy(keelback_to, &keelback_result, sizeof keelback_result); (void)keelback_slots; }
static void keelback_direct_4(void) { nothing(); }
#line 12
static void keelback_access_4(void *keelback_slots) { keelback_direct_4(); (void)keelback_slots; }
static int keelback_direct_5(int arg0, int arg1) { return (int)maximum(arg0, arg1); }
#line 13
static void keelback_access_5(void *keelback_slots) { int arg0; int arg1; int keelback_result; __builtin_memcpy(&arg0, (const char *)keelback_slots + 0, sizeof arg0); __builtin_memcpy(&arg1, (const char *)keelback_slots + 8, sizeof arg1); keelback_result = keelback_direct_5(arg0, arg1); __builtin_memcpy(keelback_slots, &keelback_result, sizeof keelback_result); (void)keelback_slots; }
#line 15
static const char *keelback_direct_7(enum mode arg0) { return describe(arg0); }
#line 15
static void keelback_access_7(void *keelback_slots) { enum mode arg0; const char *keelback_result; __builtin_memcpy(&arg0, (const char *)keelback_slots + 0, sizeof arg0); keelback_result = keelback_direct_7(arg0); __builtin_memcpy(keelback_slots, &keelback_result, sizeof keelback_result); (void)keelback_slots; }
static void keelback_access_8(void *keelback_slots) { int *keelback_typed = table; const volatile void *keelback_at = keelback_typed; __builtin_memcpy(keelback_slots, &keelback_at, sizeof keelback_at); }
#line 16
static void keelback_access_9(void *keelback_slots) { int *keelback_typed = fixed; const volatile void *keelback_at = keelback_typed; __builtin_memcpy(keelback_slots, &keelback_at, sizeof keelback_at); }
static void keelback_access_10(void *keelback_slots) { long *keelback_typed = &shared; const volatile void *keelback_at = keelback_typed; __builtin_memcpy(keelback_slots, &keelback_at, sizeof keelback_at); }
static keelback_bool_t keelback_direct_11(keelback_bool_t arg0) { return (keelback_bool_t)is_set(arg0); }
#line 18
static void keelback_access_11(void *keelback_slots) { keelback_bool_t arg0; keelback_bool_t keelback_result; __builtin_memcpy(&arg0, (const char *)keelback_slots + 0, sizeof arg0); keelback_result = keelback_direct_11(arg0); __builtin_memcpy(keelback_slots, &keelback_result, sizeof keelback_result); (void)keelback_slots; }
#line 12 "prelude.h"
static void keelback_access_12(void *keelback_slots) { int *keelback_typed = &counter; const volatile void *keelback_at = keelback_typed; __builtin_memcpy(keelback_slots, &keelback_at, sizeof keelback_at); }
#line N "prelude.c"
#if defined(__GNUC__) && !defined(__cplusplus)
#pragma GCC diagnostic pop
#endif

static const keelback_symbol_t keelback_symbols[] = {
    {"RATIO", KEELBACK_SYMBOL_CONSTANT, NULL, keelback_access_0},
    {"TITLE", KEELBACK_SYMBOL_CONSTANT, NULL, keelback_access_1},
    {"helper", KEELBACK_SYMBOL_FUNCTION, (void (*)(void))keelback_direct_2, keelback_access_2},
    {"swap", KEELBACK_SYMBOL_FUNCTION, (void (*)(void))keelback_direct_3, keelback_access_3},
    {"nothing", KEELBACK_SYMBOL_FUNCTION, (void (*)(void))keelback_direct_4, keelback_access_4},
    {"maximum", KEELBACK_SYMBOL_FUNCTION, (void (*)(void))keelback_direct_5, keelback_access_5},
#line 14 "prelude.extra.h"
    {"log_all", KEELBACK_SYMBOL_FUNCTION, (void (*)(void))log_all, NULL},
#line N "prelude.c"
    {"describe", KEELBACK_SYMBOL_FUNCTION, (void (*)(void))keelback_direct_7, keelback_access_7},
    {"table", KEELBACK_SYMBOL_VARIABLE, NULL, keelback_access_8},
    {"fixed", KEELBACK_SYMBOL_VARIABLE, NULL, keelback_access_9},
    {"shared", KEELBACK_SYMBOL_VARIABLE, NULL, keelback_access_10},
    {"is_set", KEELBACK_SYMBOL_FUNCTION, (void (*)(void))keelback_direct_11, keelback_access_11},
    {"counter", KEELBACK_SYMBOL_VARIABLE, NULL, keelback_access_12},
};

/* ---- The functions that run Python ---- */

#line 20 "prelude.extra.h"
static int on_event(int arg0);
void on_done(pair_t *arg0);
static int on_a(void);
#line 22
static double on_b(double arg0);
#line 8 "prelude.h"
KEELBACK_C KEELBACK_EXPORT handle_t *open_it(const char *arg0, struct session *arg1);
#line 10
KEELBACK_C KEELBACK_EXPORT status_t status(number_t arg0);
KEELBACK_C KEELBACK_EXPORT int twice(int arg0);
#line N "prelude.c"


static keelback_function_t keelback_functions[] = {
    {"on_event", (void (*)(void))on_event, NULL, sizeof(int), 0, 0, NULL},
    {"on_done", (void (*)(void))on_done, NULL, 0, 0, 0, NULL},
    {"on_a", (void (*)(void))on_a, NULL, sizeof(int), 0, 0, NULL},
    {"on_b", (void (*)(void))on_b, NULL, sizeof(double), 0, 0, NULL},
    {"open_it", (void (*)(void))open_it, NULL, sizeof(handle_t *), 0, 0, NULL},
    {"status", (void (*)(void))status, NULL, sizeof(status_t), 0, 0, NULL},
    {"twice", (void (*)(void))twice, NULL, sizeof(int), 0, 0, NULL},
};

static keelback_plugin_t keelback_plugin = {
    KEELBACK_ABI_VERSION,
    0,
    "0.1.0",
    "prelude",
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

static int on_event(int arg0)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[0], &frame);
    return frame.result;
}

void on_done(pair_t *arg0)
{
    union {
        keelback_slot_t slots[1];
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[1], &frame);
}

static int on_a(void)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    keelback_call(&keelback_functions[2], &frame);
    return frame.result;
}

static double on_b(double arg0)
{
    union {
        keelback_slot_t slots[1];
        double result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[3], &frame);
    return frame.result;
}

KEELBACK_EXPORT handle_t *open_it(const char *arg0, struct session *arg1)
{
    union {
        keelback_slot_t slots[1];
        handle_t *result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[4], &frame);
    return frame.result;
}

KEELBACK_EXPORT status_t status(number_t arg0)
{
    union {
        keelback_slot_t slots[1];
        status_t result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[5], &frame);
    return frame.result;
}

KEELBACK_EXPORT int twice(int arg0)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[6], &frame);
    return frame.result;
}

/* ---- The plugin's own functions ---- */

KEELBACK_C KEELBACK_EXPORT int prelude_start(void);
KEELBACK_C KEELBACK_EXPORT const char *prelude_last_error(void);
KEELBACK_C KEELBACK_EXPORT void prelude_set_error_handler(keelback_error_handler_t handler, void *data);
KEELBACK_C KEELBACK_EXPORT int prelude_enter(void);
KEELBACK_C KEELBACK_EXPORT void prelude_leave(void);

KEELBACK_EXPORT int prelude_start(void)
{
    return keelback_start_now(NULL);
}

KEELBACK_EXPORT const char *prelude_last_error(void)
{
    return keelback_last_failure();
}

KEELBACK_EXPORT void prelude_set_error_handler(keelback_error_handler_t handler, void *data)
{
    keelback_handle_errors(handler, data);
}

KEELBACK_EXPORT int prelude_enter(void)
{
    return keelback_enter_scope();
}

KEELBACK_EXPORT void prelude_leave(void)
{
    keelback_leave_scope("prelude");
}

/* `import prelude` finds the plugin under a name that Python looks for. */
KEELBACK_C KEELBACK_EXPORT void *PyInit_prelude(void);
KEELBACK_EXPORT void *PyInit_prelude(void)
{
    return keelback_import();
}
