/* Made by keelback 0.1.0: the plugin packed. Changes to this file are lost. */
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


#include <stdint.h>


#ifdef __cplusplus
typedef bool keelback_bool_t;
#else
typedef _Bool keelback_bool_t;
#endif

/* ---- The declarations ---- */

#pragma pack(push, 1)
struct wire {
    uint8_t kind;
    uint32_t length;
    uint16_t check;
};
#pragma pack(pop)

/* ---- The payload ---- */

/* C99 promises string literals of no more than 4095 characters; these compilers know no limit. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#endif
static const char keelback_cdef_0[] =
    "struct wire {\n"
    "    uint8_t kind;\n"
    "    uint32_t length;\n"
    "    uint16_t check;\n"
    "};\n"
    "uint32_t measure(struct wire wire, const struct wire *other);\n";
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

static const keelback_cdef_t keelback_cdefs[] = {
    { "packed.packed.h", keelback_cdef_0, sizeof keelback_cdef_0 - 1, KEELBACK_CDEF_EMBEDDING_API | KEELBACK_CDEF_PACKED, 0 },
};

/* ---- The declarations and the compiler agree ---- */

#if defined(__cplusplus) && __cplusplus >= 201103L
#define KEELBACK_ASSERT(condition, message) static_assert(condition, message)
#elif !defined(__cplusplus) && defined(__GNUC__)
#define KEELBACK_ASSERT(condition, message) __extension__ _Static_assert(condition, message)
#else
#define KEELBACK_ASSERT(condition, message) extern int keelback_assertion[(condition) ? 1 : -1]
#endif
KEELBACK_ASSERT(sizeof(struct wire) == 7, "struct wire: the cdef makes it 7 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct wire, kind) == 0, "struct wire: the cdef puts 'kind' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct wire *)0)->kind) == 1, "struct wire: the cdef makes 'kind' 1 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct wire, length) == 1, "struct wire: the cdef puts 'length' at offset 1, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct wire *)0)->length) == 4, "struct wire: the cdef makes 'length' 4 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct wire, check) == 5, "struct wire: the cdef puts 'check' at offset 5, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct wire *)0)->check) == 2, "struct wire: the cdef makes 'check' 2 bytes large, the compiler does not: correct the declaration, or end it with '...;'");


KEELBACK_SHARED KEELBACK_COLD void keelback_answer(void)
{
}

/* ---- The functions that run Python ---- */

KEELBACK_C KEELBACK_EXPORT uint32_t measure(struct wire arg0, const struct wire *arg1);


static keelback_function_t keelback_functions[] = {
    {"measure", (void (*)(void))measure, NULL, sizeof(uint32_t), 0, 0, NULL},
};

static keelback_plugin_t keelback_plugin = {
    KEELBACK_ABI_VERSION,
    0,
    "0.1.0",
    "packed",
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

KEELBACK_EXPORT uint32_t measure(struct wire arg0, const struct wire *arg1)
{
    union {
        keelback_slot_t slots[1];
        uint32_t result;
    } frame;
    const void *at0 = &arg0;
    __builtin_memcpy((char *)&frame, &at0, sizeof at0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[0], &frame);
    return frame.result;
}

/* ---- The plugin's own functions ---- */

KEELBACK_C KEELBACK_EXPORT int packed_start(void);
KEELBACK_C KEELBACK_EXPORT const char *packed_last_error(void);
KEELBACK_C KEELBACK_EXPORT void packed_set_error_handler(keelback_error_handler_t handler, void *data);
KEELBACK_C KEELBACK_EXPORT int packed_enter(void);
KEELBACK_C KEELBACK_EXPORT void packed_leave(void);

KEELBACK_EXPORT int packed_start(void)
{
    return keelback_start_now(NULL);
}

KEELBACK_EXPORT const char *packed_last_error(void)
{
    return keelback_last_failure();
}

KEELBACK_EXPORT void packed_set_error_handler(keelback_error_handler_t handler, void *data)
{
    keelback_handle_errors(handler, data);
}

KEELBACK_EXPORT int packed_enter(void)
{
    return keelback_enter_scope();
}

KEELBACK_EXPORT void packed_leave(void)
{
    keelback_leave_scope("packed");
}

/* `import packed` finds the plugin under a name that Python looks for. */
KEELBACK_C KEELBACK_EXPORT void *PyInit_packed(void);
KEELBACK_EXPORT void *PyInit_packed(void)
{
    return keelback_import();
}
