/* Made by keelback 0.1.0: the plugin style. Changes to this file are lost. */
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

KEELBACK_C KEELBACK_EXPORT int add(int arg0, int arg1);
KEELBACK_C KEELBACK_EXPORT int subtract(int arg0, int arg1);
KEELBACK_C KEELBACK_EXPORT int ignored_words(void);


#ifdef __cplusplus
typedef bool keelback_bool_t;
#else
typedef _Bool keelback_bool_t;
#endif

/* ---- The declarations ---- */

typedef struct shared_s { int a; } shared_t;
typedef struct unused_s { int b; } unused_t;
typedef shared_t *shared_p;
enum { SHARED_LENGTH = 3, SHARED_OTHER };
#define UNUSED_CONSTANT 7
typedef int operation_t(int a, int b);
typedef struct node {
    struct node *next;      // a list; { with odd signs "
    shared_p shared;
    char name[SHARED_LENGTH * 2 + 1];
    int (*compare)(const struct node *, const struct node *);
} node_t, *node_p;
#define FLAG_A 0x01u
#define FLAG_B   (1 << 4)
#define LETTER 'x'
typedef enum {
    /* a comment inside */
    KIND_ONE = 'a', KIND_TWO = FLAG_B | 1,
} kind_t;
typedef enum level { LOW = -1, HIGH = 100000 } level_t;
struct hidden;
struct packed_one { char a; int b; } __attribute__((packed));
#pragma pack(push, 2)
struct pragma_one { char a; int b; };
#pragma pack(pop)

/* ---- The payload ---- */

/* C99 promises string literals of no more than 4095 characters; these compilers know no limit. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#endif
static const char keelback_cdef_0[] =
    "# 1 \"elsewhere.h\"\n"
    "typedef struct shared_s { int a; } shared_t; /* needed by the API */\n"
    "typedef struct unused_s { int b; } unused_t;\n"
    "typedef shared_t *shared_p;\n"
    "enum { SHARED_LENGTH = 3, SHARED_OTHER };\n"
    "#define UNUSED_CONSTANT 7\n"
    "int host_function(int a);\n";
static const char keelback_cdef_1[] =
    "/* Licence text.\n"
    " * \"Quotes\", 'apostrophes' and ; { braces in comments.\n"
    " */\n"
    "\n"
    "typedef int operation_t(int a, int b);\n"
    "operation_t add, subtract;  /* two at once */\n"
    "\n"
    "typedef struct node {\n"
    "    struct node *next;      // a list; { with odd signs \"\n"
    "    shared_p shared;\n"
    "    char name[SHARED_LENGTH * 2 + 1];\n"
    "    int (*compare)(const struct node *, const struct node *);\n"
    "} node_t, *node_p;\n"
    "\n"
    "#define FLAG_A 0x01u\n"
    "#define FLAG_B   (1 << 4)   // the second\n"
    "#define LETTER 'x'\n"
    "\n"
    "typedef enum {\n"
    "    /* a comment inside */\n"
    "    KIND_ONE = 'a', KIND_TWO = FLAG_B | 1,\n"
    "} kind_t;\n"
    "typedef enum level { LOW = -1, HIGH = 100000 } level_t;\n"
    "\n"
    "/** First\n"
    " *  of all. */\n"
    "node_p first(node_t *nodes, /* how many */ size_t count);\n"
    "\n"
    "static inline int ignored_words(void);\n"
    "kind_t kind_of(node_p node); level_t level_of(const node_t node);\n"
    "extern \"Python\" {\n"
    "    int inside(_Bool flag);\n"
    "}\n"
    "int nested(int (*outer)(int (*inner)(void), struct hidden *));\n"
    "struct packed_one { char a; int b; } __attribute__((packed));\n"
    "int measure(struct packed_one *one);\n"
    "#pragma pack(push, 2)\n"
    "struct pragma_one { char a; int b; };\n"
    "#pragma pack(pop)\n"
    "int measure_too(struct pragma_one one);\n";
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

static const keelback_cdef_t keelback_cdefs[] = {
    { "style.extra.h", keelback_cdef_0, sizeof keelback_cdef_0 - 1, 0, 0 },
    { "style.h", keelback_cdef_1, sizeof keelback_cdef_1 - 1, KEELBACK_CDEF_EMBEDDING_API, 0 },
};

/* ---- The declarations and the compiler agree ---- */

#if defined(__cplusplus) && __cplusplus >= 201103L
#define KEELBACK_ASSERT(condition, message) static_assert(condition, message)
#elif !defined(__cplusplus) && defined(__GNUC__)
#define KEELBACK_ASSERT(condition, message) __extension__ _Static_assert(condition, message)
#else
#define KEELBACK_ASSERT(condition, message) extern int keelback_assertion[(condition) ? 1 : -1]
#endif
KEELBACK_ASSERT(sizeof(shared_t) == 4, "shared_t: the cdef makes it 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(shared_t, a) == 0, "shared_t: the cdef puts 'a' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((shared_t *)0)->a) == 4, "shared_t: the cdef makes 'a' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(unused_t) == 4, "unused_t: the cdef makes it 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(unused_t, b) == 0, "unused_t: the cdef puts 'b' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((unused_t *)0)->b) == 4, "unused_t: the cdef makes 'b' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(node_t) == 32, "node_t: the cdef makes it 32 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(node_t, next) == 0, "node_t: the cdef puts 'next' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((node_t *)0)->next) == 8, "node_t: the cdef makes 'next' 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(node_t, shared) == 8, "node_t: the cdef puts 'shared' at offset 8, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((node_t *)0)->shared) == 8, "node_t: the cdef makes 'shared' 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(node_t, name) == 16, "node_t: the cdef puts 'name' at offset 16, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((node_t *)0)->name) == 7, "node_t: the cdef makes 'name' 7 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(node_t, compare) == 24, "node_t: the cdef puts 'compare' at offset 24, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((node_t *)0)->compare) == 8, "node_t: the cdef makes 'compare' 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(struct packed_one) == 5, "struct packed_one: the cdef makes it 5 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct packed_one, a) == 0, "struct packed_one: the cdef puts 'a' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct packed_one *)0)->a) == 1, "struct packed_one: the cdef makes 'a' 1 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct packed_one, b) == 1, "struct packed_one: the cdef puts 'b' at offset 1, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct packed_one *)0)->b) == 4, "struct packed_one: the cdef makes 'b' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(struct pragma_one) == 6, "struct pragma_one: the cdef makes it 6 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct pragma_one, a) == 0, "struct pragma_one: the cdef puts 'a' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct pragma_one *)0)->a) == 1, "struct pragma_one: the cdef makes 'a' 1 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct pragma_one, b) == 2, "struct pragma_one: the cdef puts 'b' at offset 2, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct pragma_one *)0)->b) == 4, "struct pragma_one: the cdef makes 'b' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");


KEELBACK_SHARED KEELBACK_COLD void keelback_answer(void)
{
}

/* ---- The functions that run Python ---- */

KEELBACK_C KEELBACK_EXPORT int add(int arg0, int arg1);
KEELBACK_C KEELBACK_EXPORT int subtract(int arg0, int arg1);
KEELBACK_C KEELBACK_EXPORT node_t *first(node_t *arg0, size_t arg1);
KEELBACK_C KEELBACK_EXPORT int ignored_words(void);
KEELBACK_C KEELBACK_EXPORT kind_t kind_of(node_t *arg0);
KEELBACK_C KEELBACK_EXPORT level_t level_of(node_t arg0);
KEELBACK_C KEELBACK_EXPORT int inside(keelback_bool_t arg0);
KEELBACK_C KEELBACK_EXPORT int nested(int (*arg0)(int (*)(void), struct hidden *));
KEELBACK_C KEELBACK_EXPORT int measure(struct packed_one *arg0);
KEELBACK_C KEELBACK_EXPORT int measure_too(struct pragma_one arg0);


static keelback_function_t keelback_functions[] = {
    {"add", (void (*)(void))add, NULL, sizeof(int), 0, 0, NULL},
    {"subtract", (void (*)(void))subtract, NULL, sizeof(int), 0, 0, NULL},
    {"first", (void (*)(void))first, NULL, sizeof(node_t *), 0, 0, NULL},
    {"ignored_words", (void (*)(void))ignored_words, NULL, sizeof(int), 0, 0, NULL},
    {"kind_of", (void (*)(void))kind_of, NULL, sizeof(kind_t), 0, 0, NULL},
    {"level_of", (void (*)(void))level_of, NULL, sizeof(level_t), 0, 0, NULL},
    {"inside", (void (*)(void))inside, NULL, sizeof(int), 0, 0, NULL},
    {"nested", (void (*)(void))nested, NULL, sizeof(int), 0, 0, NULL},
    {"measure", (void (*)(void))measure, NULL, sizeof(int), 0, 0, NULL},
    {"measure_too", (void (*)(void))measure_too, NULL, sizeof(int), 0, 0, NULL},
};

static keelback_plugin_t keelback_plugin = {
    KEELBACK_ABI_VERSION,
    0,
    "0.1.0",
    "style",
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

KEELBACK_EXPORT int add(int arg0, int arg1)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[0], &frame);
    return frame.result;
}

KEELBACK_EXPORT int subtract(int arg0, int arg1)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[1], &frame);
    return frame.result;
}

KEELBACK_EXPORT node_t *first(node_t *arg0, size_t arg1)
{
    union {
        keelback_slot_t slots[1];
        node_t *result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[2], &frame);
    return frame.result;
}

KEELBACK_EXPORT int ignored_words(void)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    keelback_call(&keelback_functions[3], &frame);
    return frame.result;
}

KEELBACK_EXPORT kind_t kind_of(node_t *arg0)
{
    union {
        keelback_slot_t slots[1];
        kind_t result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[4], &frame);
    return frame.result;
}

KEELBACK_EXPORT level_t level_of(node_t arg0)
{
    union {
        keelback_slot_t slots[1];
        level_t result;
    } frame;
    const void *at0 = &arg0;
    __builtin_memcpy((char *)&frame, &at0, sizeof at0);
    keelback_call(&keelback_functions[5], &frame);
    return frame.result;
}

KEELBACK_EXPORT int inside(keelback_bool_t arg0)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[6], &frame);
    return frame.result;
}

KEELBACK_EXPORT int nested(int (*arg0)(int (*)(void), struct hidden *))
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[7], &frame);
    return frame.result;
}

KEELBACK_EXPORT int measure(struct packed_one *arg0)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[8], &frame);
    return frame.result;
}

KEELBACK_EXPORT int measure_too(struct pragma_one arg0)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    const void *at0 = &arg0;
    __builtin_memcpy((char *)&frame, &at0, sizeof at0);
    keelback_call(&keelback_functions[9], &frame);
    return frame.result;
}

/* ---- The plugin's own functions ---- */

KEELBACK_C KEELBACK_EXPORT int style_start(void);
KEELBACK_C KEELBACK_EXPORT const char *style_last_error(void);
KEELBACK_C KEELBACK_EXPORT void style_set_error_handler(keelback_error_handler_t handler, void *data);
KEELBACK_C KEELBACK_EXPORT int style_enter(void);
KEELBACK_C KEELBACK_EXPORT void style_leave(void);

KEELBACK_EXPORT int style_start(void)
{
    return keelback_start_now(NULL);
}

KEELBACK_EXPORT const char *style_last_error(void)
{
    return keelback_last_failure();
}

KEELBACK_EXPORT void style_set_error_handler(keelback_error_handler_t handler, void *data)
{
    keelback_handle_errors(handler, data);
}

KEELBACK_EXPORT int style_enter(void)
{
    return keelback_enter_scope();
}

KEELBACK_EXPORT void style_leave(void)
{
    keelback_leave_scope("style");
}

/* `import style` finds the plugin under a name that Python looks for. */
KEELBACK_C KEELBACK_EXPORT void *PyInit_style(void);
KEELBACK_EXPORT void *PyInit_style(void)
{
    return keelback_import();
}
