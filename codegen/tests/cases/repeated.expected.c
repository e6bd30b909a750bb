/* Made by keelback 0.1.0: the plugin repeated. Changes to this file are lost. */
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



KEELBACK_C KEELBACK_EXPORT int last(void);


#ifdef __cplusplus
typedef bool keelback_bool_t;
#else
typedef _Bool keelback_bool_t;
#endif

/* ---- The declarations ---- */

#pragma pack(push)
#pragma pack(push, 8)
struct not_needed { char c; int i; };
#pragma pack(pop)
#pragma pack(push, 1)
struct not_needed_either { char c; int i; };
struct tight_extra { char c; int i; };
#pragma pack(pop)
_Pragma("pack(2)")
struct open_extra { char c; double d; };
#pragma pack(4)
#pragma pack(pop)
#pragma pack(push)
struct odd { char c; int i; };
#pragma pack(push, 1)
struct tight { char c; int i; };
#pragma pack(pop)
_Pragma("pack(2)")
struct pairs { char c; double d; };
_Pragma("pack()")
#pragma pack(1)
struct open_end { char c; double d; };
#pragma pack(pop)

/* ---- The payload ---- */

/* C99 promises string literals of no more than 4095 characters; these compilers know no limit. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#endif
static const char keelback_cdef_0[] =
    "#pragma pack(push, 8)\n"
    "struct not_needed { char c; int i; };\n"
    "#pragma pack(pop)\n"
    "#pragma pack(push, 1)\n"
    "struct not_needed_either { char c; int i; };\n"
    "struct tight_extra { char c; int i; } __attribute__((no_such_one));\n"
    "#pragma pack(pop)\n"
    "__pragma(pack(2))\n"
    "struct open_extra { char c; double d; };\n"
    "#pragma pack(4)\n";
static const char keelback_cdef_1[] =
    "/* Attributes and pragmas that the header repeats, and those that it does not. */\n"
    "#pragma once_upon a_time\n"
    "#pragma GCC no_such thing\n"
    "struct __attribute__((no_such_one(3))) odd { char c; int i; } __attribute__((no_such_other));\n"
    "#pragma pack(push, 1)\n"
    "struct tight { char c; int i; };\n"
    "#pragma pack(pop)\n"
    "_Pragma(\"pack(2)\") struct pairs { char c; double d; }; _Pragma(\"pack()\")\n"
    "#pragma pack(1)\n"
    "struct open_end { char c; double d; };\n"
    "int all(struct odd *, struct __attribute__((no_such_one)) tight *, struct pairs *, struct open_end *)\n"
    "    __attribute__((no_such_one, nonnull, visibility(\"hidden\"), __nothrow__));\n"
    "[[no_such::one]] int extras(int __attribute__((no_such_one)) x, struct tight_extra *, struct open_extra *);\n"
    "__attribute__((alias(\"all\"), section(\".text\"))) int last(void) __attribute__((deprecated(\"x, y\")));\n";
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

static const keelback_cdef_t keelback_cdefs[] = {
    { "repeated.extra.h", keelback_cdef_0, sizeof keelback_cdef_0 - 1, 0, 0 },
    { "repeated.h", keelback_cdef_1, sizeof keelback_cdef_1 - 1, KEELBACK_CDEF_EMBEDDING_API, 0 },
};

/* ---- The declarations and the compiler agree ---- */

#if defined(__cplusplus) && __cplusplus >= 201103L
#define KEELBACK_ASSERT(condition, message) static_assert(condition, message)
#elif !defined(__cplusplus) && defined(__GNUC__)
#define KEELBACK_ASSERT(condition, message) __extension__ _Static_assert(condition, message)
#else
#define KEELBACK_ASSERT(condition, message) extern int keelback_assertion[(condition) ? 1 : -1]
#endif
KEELBACK_ASSERT(sizeof(struct not_needed) == 8, "struct not_needed: the cdef makes it 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct not_needed, c) == 0, "struct not_needed: the cdef puts 'c' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct not_needed *)0)->c) == 1, "struct not_needed: the cdef makes 'c' 1 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct not_needed, i) == 4, "struct not_needed: the cdef puts 'i' at offset 4, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct not_needed *)0)->i) == 4, "struct not_needed: the cdef makes 'i' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(struct not_needed_either) == 5, "struct not_needed_either: the cdef makes it 5 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct not_needed_either, c) == 0, "struct not_needed_either: the cdef puts 'c' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct not_needed_either *)0)->c) == 1, "struct not_needed_either: the cdef makes 'c' 1 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct not_needed_either, i) == 1, "struct not_needed_either: the cdef puts 'i' at offset 1, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct not_needed_either *)0)->i) == 4, "struct not_needed_either: the cdef makes 'i' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(struct tight_extra) == 5, "struct tight_extra: the cdef makes it 5 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct tight_extra, c) == 0, "struct tight_extra: the cdef puts 'c' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct tight_extra *)0)->c) == 1, "struct tight_extra: the cdef makes 'c' 1 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct tight_extra, i) == 1, "struct tight_extra: the cdef puts 'i' at offset 1, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct tight_extra *)0)->i) == 4, "struct tight_extra: the cdef makes 'i' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(struct open_extra) == 10, "struct open_extra: the cdef makes it 10 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct open_extra, c) == 0, "struct open_extra: the cdef puts 'c' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct open_extra *)0)->c) == 1, "struct open_extra: the cdef makes 'c' 1 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct open_extra, d) == 2, "struct open_extra: the cdef puts 'd' at offset 2, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct open_extra *)0)->d) == 8, "struct open_extra: the cdef makes 'd' 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(struct odd) == 8, "struct odd: the cdef makes it 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct odd, c) == 0, "struct odd: the cdef puts 'c' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct odd *)0)->c) == 1, "struct odd: the cdef makes 'c' 1 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct odd, i) == 4, "struct odd: the cdef puts 'i' at offset 4, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct odd *)0)->i) == 4, "struct odd: the cdef makes 'i' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(struct tight) == 5, "struct tight: the cdef makes it 5 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct tight, c) == 0, "struct tight: the cdef puts 'c' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct tight *)0)->c) == 1, "struct tight: the cdef makes 'c' 1 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct tight, i) == 1, "struct tight: the cdef puts 'i' at offset 1, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct tight *)0)->i) == 4, "struct tight: the cdef makes 'i' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(struct pairs) == 10, "struct pairs: the cdef makes it 10 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct pairs, c) == 0, "struct pairs: the cdef puts 'c' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct pairs *)0)->c) == 1, "struct pairs: the cdef makes 'c' 1 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct pairs, d) == 2, "struct pairs: the cdef puts 'd' at offset 2, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct pairs *)0)->d) == 8, "struct pairs: the cdef makes 'd' 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(struct open_end) == 9, "struct open_end: the cdef makes it 9 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct open_end, c) == 0, "struct open_end: the cdef puts 'c' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct open_end *)0)->c) == 1, "struct open_end: the cdef makes 'c' 1 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct open_end, d) == 1, "struct open_end: the cdef puts 'd' at offset 1, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct open_end *)0)->d) == 8, "struct open_end: the cdef makes 'd' 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");


KEELBACK_SHARED KEELBACK_COLD void keelback_answer(void)
{
}

/* ---- The functions that run Python ---- */

KEELBACK_C KEELBACK_EXPORT int all(struct odd *arg0, struct tight *arg1, struct pairs *arg2, struct open_end *arg3);
KEELBACK_C KEELBACK_EXPORT int extras(int arg0, struct tight_extra *arg1, struct open_extra *arg2);
KEELBACK_C KEELBACK_EXPORT int last(void);


static keelback_function_t keelback_functions[] = {
    {"all", (void (*)(void))all, NULL, sizeof(int), 0, 0, NULL},
    {"extras", (void (*)(void))extras, NULL, sizeof(int), 0, 0, NULL},
    {"last", (void (*)(void))last, NULL, sizeof(int), 0, 0, NULL},
};

static keelback_plugin_t keelback_plugin = {
    KEELBACK_ABI_VERSION,
    0,
    "0.1.0",
    "repeated",
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

KEELBACK_EXPORT int all(struct odd *arg0, struct tight *arg1, struct pairs *arg2, struct open_end *arg3)
{
    union {
        keelback_slot_t slots[2];
        int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    __builtin_memcpy((char *)&frame + 16, &arg2, sizeof arg2);
    __builtin_memcpy((char *)&frame + 24, &arg3, sizeof arg3);
    keelback_call(&keelback_functions[0], &frame);
    return frame.result;
}

KEELBACK_EXPORT int extras(int arg0, struct tight_extra *arg1, struct open_extra *arg2)
{
    union {
        keelback_slot_t slots[2];
        int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    __builtin_memcpy((char *)&frame + 16, &arg2, sizeof arg2);
    keelback_call(&keelback_functions[1], &frame);
    return frame.result;
}

KEELBACK_EXPORT int last(void)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    keelback_call(&keelback_functions[2], &frame);
    return frame.result;
}

/* ---- The plugin's own functions ---- */

KEELBACK_C KEELBACK_EXPORT int repeated_start(void);
KEELBACK_C KEELBACK_EXPORT const char *repeated_last_error(void);
KEELBACK_C KEELBACK_EXPORT void repeated_set_error_handler(keelback_error_handler_t handler, void *data);
KEELBACK_C KEELBACK_EXPORT int repeated_enter(void);
KEELBACK_C KEELBACK_EXPORT void repeated_leave(void);

KEELBACK_EXPORT int repeated_start(void)
{
    return keelback_start_now(NULL);
}

KEELBACK_EXPORT const char *repeated_last_error(void)
{
    return keelback_last_failure();
}

KEELBACK_EXPORT void repeated_set_error_handler(keelback_error_handler_t handler, void *data)
{
    keelback_handle_errors(handler, data);
}

KEELBACK_EXPORT int repeated_enter(void)
{
    return keelback_enter_scope();
}

KEELBACK_EXPORT void repeated_leave(void)
{
    keelback_leave_scope("repeated");
}

/* `import repeated` finds the plugin under a name that Python looks for. */
KEELBACK_C KEELBACK_EXPORT void *PyInit_repeated(void);
KEELBACK_EXPORT void *PyInit_repeated(void)
{
    return keelback_import();
}
