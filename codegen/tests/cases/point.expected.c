/* Made by keelback 0.1.0: the plugin point. Changes to this file are lost. */
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

KEELBACK_C KEELBACK_EXPORT int log_line(const char *arg0);


#ifdef __cplusplus
typedef bool keelback_bool_t;
#else
typedef _Bool keelback_bool_t;
#endif

/* ---- The declarations ---- */

#define POINT_LIMIT 1000
#define POINT_DIMENSIONS 2
#define POINT_LOWEST (-5)
typedef struct {
    double x; /**< to the right */
    double y; /**< up */
} point_t;
struct canvas;
enum color { RED, GREEN = 4, BLUE };
typedef int (*visit_t)(const point_t *point, void *userdata);
struct polygon {
    size_t count;
    point_t *points;
    enum color color;
    uint8_t flags[3];
    struct {
        int left, right;
    } margin;
};

/* ---- The payload ---- */

/* C99 promises string literals of no more than 4095 characters; these compilers know no limit. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#endif
static const char keelback_cdef_0[] =
    "/* Points and what can be done with them. */\n"
    "\n"
    "#define POINT_LIMIT 1000\n"
    "static const int POINT_DIMENSIONS = 2, POINT_LOWEST = -5;\n"
    "\n"
    "/**\n"
    " * A point in the plane.\n"
    " */\n"
    "typedef struct {\n"
    "    double x; /**< to the right */\n"
    "    double y; /**< up */\n"
    "} point_t;\n"
    "\n"
    "/* Opaque: C only passes it on. */\n"
    "struct canvas;\n"
    "\n"
    "enum color { RED, GREEN = 4, BLUE };\n"
    "\n"
    "/** Gets each point, and the `userdata` that was given along. */\n"
    "typedef int (*visit_t)(const point_t *point, void *userdata);\n"
    "\n"
    "struct polygon {\n"
    "    size_t count;\n"
    "    point_t *points;\n"
    "    enum color color;\n"
    "    uint8_t flags[3];\n"
    "    struct {\n"
    "        int left, right;\n"
    "    } margin;\n"
    "};\n"
    "\n"
    "/* ---- Functions ---- */\n"
    "\n"
    "/** The point in the middle. */\n"
    "point_t middle(point_t a, point_t b); // by value\n"
    "\n"
    "// Calls `visit` for each point.\n"
    "// Stops when it returns something else than 0.\n"
    "int for_each(const struct polygon *polygon, visit_t visit, void *userdata);\n"
    "\n"
    "/* This comment stands alone. */\n"
    "\n"
    "/** Whether `a` and `b` are near each other. */\n"
    "bool near_by(const point_t *a, const point_t *b, _Bool exactly);\n"
    "void draw(struct canvas *canvas, const struct polygon *restrict polygon, enum color color);\n"
    "\n"
    "extern \"Python\" int log_line(const char *line);\n";
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

static const keelback_cdef_t keelback_cdefs[] = {
    { "point.h", keelback_cdef_0, sizeof keelback_cdef_0 - 1, KEELBACK_CDEF_EMBEDDING_API, 0 },
};

/* ---- The declarations and the compiler agree ---- */

#if defined(__cplusplus) && __cplusplus >= 201103L
#define KEELBACK_ASSERT(condition, message) static_assert(condition, message)
#elif !defined(__cplusplus) && defined(__GNUC__)
#define KEELBACK_ASSERT(condition, message) __extension__ _Static_assert(condition, message)
#else
#define KEELBACK_ASSERT(condition, message) extern int keelback_assertion[(condition) ? 1 : -1]
#endif
KEELBACK_ASSERT(sizeof(point_t) == 16, "point_t: the cdef makes it 16 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(point_t, x) == 0, "point_t: the cdef puts 'x' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((point_t *)0)->x) == 8, "point_t: the cdef makes 'x' 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(point_t, y) == 8, "point_t: the cdef puts 'y' at offset 8, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((point_t *)0)->y) == 8, "point_t: the cdef makes 'y' 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(struct polygon) == 32, "struct polygon: the cdef makes it 32 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct polygon, count) == 0, "struct polygon: the cdef puts 'count' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct polygon *)0)->count) == 8, "struct polygon: the cdef makes 'count' 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct polygon, points) == 8, "struct polygon: the cdef puts 'points' at offset 8, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct polygon *)0)->points) == 8, "struct polygon: the cdef makes 'points' 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct polygon, color) == 16, "struct polygon: the cdef puts 'color' at offset 16, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct polygon *)0)->color) == 4, "struct polygon: the cdef makes 'color' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct polygon, flags) == 20, "struct polygon: the cdef puts 'flags' at offset 20, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct polygon *)0)->flags) == 3, "struct polygon: the cdef makes 'flags' 3 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct polygon, margin) == 24, "struct polygon: the cdef puts 'margin' at offset 24, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct polygon *)0)->margin) == 8, "struct polygon: the cdef makes 'margin' 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");


KEELBACK_SHARED KEELBACK_COLD void keelback_answer(void)
{
}

/* ---- The functions that run Python ---- */

KEELBACK_C KEELBACK_EXPORT point_t middle(point_t arg0, point_t arg1);
KEELBACK_C KEELBACK_EXPORT int for_each(const struct polygon *arg0, int (*arg1)(const point_t *, void *), void *arg2);
KEELBACK_C KEELBACK_EXPORT keelback_bool_t near_by(const point_t *arg0, const point_t *arg1, keelback_bool_t arg2);
KEELBACK_C KEELBACK_EXPORT void draw(struct canvas *arg0, const struct polygon *arg1, enum color arg2);
KEELBACK_C KEELBACK_EXPORT int log_line(const char *arg0);

static const point_t keelback_error_0 = {-1.0, 0.5};
static const keelback_bool_t keelback_error_2 = (keelback_bool_t)(1);

static keelback_function_t keelback_functions[] = {
    {"middle", (void (*)(void))middle, &keelback_error_0, sizeof(point_t), 0, 0, NULL},
    {"for_each", (void (*)(void))for_each, NULL, sizeof(int), 0, 0, NULL},
    {"near_by", (void (*)(void))near_by, &keelback_error_2, sizeof(keelback_bool_t), 0, 0, NULL},
    {"draw", (void (*)(void))draw, NULL, 0, 0, 0, NULL},
    {"log_line", (void (*)(void))log_line, NULL, sizeof(int), 0, 0, NULL},
};

static keelback_plugin_t keelback_plugin = {
    KEELBACK_ABI_VERSION,
    0,
    "0.1.0",
    "point",
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

KEELBACK_EXPORT point_t middle(point_t arg0, point_t arg1)
{
    union {
        keelback_slot_t slots[1];
        point_t result;
    } frame;
    const void *at0 = &arg0;
    const void *at1 = &arg1;
    __builtin_memcpy((char *)&frame, &at0, sizeof at0);
    __builtin_memcpy((char *)&frame + 8, &at1, sizeof at1);
    keelback_call(&keelback_functions[0], &frame);
    return frame.result;
}

KEELBACK_EXPORT int for_each(const struct polygon *arg0, int (*arg1)(const point_t *, void *), void *arg2)
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

KEELBACK_EXPORT keelback_bool_t near_by(const point_t *arg0, const point_t *arg1, keelback_bool_t arg2)
{
    union {
        keelback_slot_t slots[2];
        keelback_bool_t result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    __builtin_memcpy((char *)&frame + 16, &arg2, sizeof arg2);
    keelback_call(&keelback_functions[2], &frame);
    return frame.result;
}

KEELBACK_EXPORT void draw(struct canvas *arg0, const struct polygon *arg1, enum color arg2)
{
    union {
        keelback_slot_t slots[2];
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    __builtin_memcpy((char *)&frame + 16, &arg2, sizeof arg2);
    keelback_call(&keelback_functions[3], &frame);
}

KEELBACK_EXPORT int log_line(const char *arg0)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[4], &frame);
    return frame.result;
}

/* ---- The plugin's own functions ---- */

KEELBACK_C KEELBACK_EXPORT int point_start(void);
KEELBACK_C KEELBACK_EXPORT const char *point_last_error(void);
KEELBACK_C KEELBACK_EXPORT void point_set_error_handler(keelback_error_handler_t handler, void *data);
KEELBACK_C KEELBACK_EXPORT int point_enter(void);
KEELBACK_C KEELBACK_EXPORT void point_leave(void);

KEELBACK_EXPORT int point_start(void)
{
    return keelback_start_now(NULL);
}

KEELBACK_EXPORT const char *point_last_error(void)
{
    return keelback_last_failure();
}

KEELBACK_EXPORT void point_set_error_handler(keelback_error_handler_t handler, void *data)
{
    keelback_handle_errors(handler, data);
}

KEELBACK_EXPORT int point_enter(void)
{
    return keelback_enter_scope();
}

KEELBACK_EXPORT void point_leave(void)
{
    keelback_leave_scope("point");
}

/* `import point` finds the plugin under a name that Python looks for. */
KEELBACK_C KEELBACK_EXPORT void *PyInit_point(void);
KEELBACK_EXPORT void *PyInit_point(void)
{
    return keelback_import();
}
