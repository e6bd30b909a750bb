/* Made by keelback {{ keelback_version }}: the plugin {{ module_name }}. Changes to this file are lost. */
{%- if prelude_first %}

/* The user's C says which of their features the system's headers have: none is included in front of it. */
#define uint16_t __UINT16_TYPE__
#define uint32_t __UINT32_TYPE__
#define uint64_t __UINT64_TYPE__
#define int64_t __INT64_TYPE__
#define uintptr_t __UINTPTR_TYPE__
#define UINTPTR_MAX __UINTPTR_MAX__
{%- else %}
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
{%- endif %}

{{ abi_header }}
{%- if standalone %}
#define KEELBACK_STANDALONE 1
#define KEELBACK_CARRIED_SYMBOL "keelback_carried"
{%- else %}
#define KEELBACK_STANDALONE 0
{%- endif %}

{% if not loader %}#define KEELBACK_SHARED __attribute__((visibility("hidden")))
{% endif %}{{ loader_interface }}{{ loader }}
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

{% if prelude_first -%}
#define _CFFI_ 1
#undef uint16_t
#undef uint32_t
#undef uint64_t
#undef int64_t
#undef uintptr_t
#undef UINTPTR_MAX
{%- elif prelude -%}
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
{%- else -%}
{%- for include in includes %}
#include <{{ include }}>
{%- endfor %}
{%- endif %}
{%- if header_includes %}
{% for include in header_includes %}
#include {{ include }}
{%- endfor %}
{%- for include in includes %}
#include <{{ include }}>
{%- endfor %}
{%- endif %}
{%- if early_functions %}
{%- if not lifecycle %}
/* In C++ the prelude's own declarations say which language's linkage they have. */
#ifndef __cplusplus
{%- endif %}
{% for function in early_functions %}
{{ function }};
{%- endfor %}
{%- if not lifecycle %}
#endif
{%- endif %}
{%- endif %}
{% if prelude %}
/* ---- The prelude ---- */

#line {{ prelude.line }} {{ prelude.file }}
{{ prelude.text }}
{{ own_lines }}
{%- if prelude_first %}
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
{%- endif %}
{%- endif %}

#ifdef __cplusplus
typedef bool keelback_bool_t;
#else
typedef _Bool keelback_bool_t;
#endif
{%- if declared %}

/* ---- The declarations ---- */

{{ declared }}
{%- endif %}

/* ---- The payload ---- */

/* C99 promises string literals of no more than 4095 characters; these compilers know no limit. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#endif
{%- for cdef in cdefs %}
static const char keelback_cdef_{{ loop.index0 }}[] =
    {{ cdef.text }};
{%- endfor %}
{%- if init %}
static const char keelback_init_code[] =
    {{ init.text }};
{%- if init.compiled %}
static const char keelback_init_compiled[] =
    {{ init.compiled }};
{%- endif %}
{%- endif %}
{%- for file in files %}
{%- if file.data %}
static const char keelback_file_{{ loop.index0 }}[] =
    {{ file.data }};
{%- endif %}
{%- if file.code %}
static const char keelback_file_code_{{ loop.index0 }}[] =
    {{ file.code }};
{%- endif %}
{%- endfor %}
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
{%- if cdefs %}

static const keelback_cdef_t keelback_cdefs[] = {
{%- for cdef in cdefs %}
    { {{ cdef.file }}, keelback_cdef_{{ loop.index0 }}, sizeof keelback_cdef_{{ loop.index0 }} - 1, {{ cdef.flags }}, {{ cdef.pack }} },
{%- endfor %}
};
{%- endif %}
{%- if files %}

static const keelback_file_t keelback_files[] = {
{%- for file in files %}
    { {{ file.path }}, {{ file.flags }}, {{ file.place }}, {% if file.data %}keelback_file_{{ loop.index0 }}, sizeof keelback_file_{{ loop.index0 }} - 1{% else %}NULL, 0{% endif %}, {% if file.code %}keelback_file_code_{{ loop.index0 }}, sizeof keelback_file_code_{{ loop.index0 }} - 1{% else %}NULL, 0{% endif %} },
{%- endfor %}
};
{%- endif %}
{%- if lengths %}

/* The lengths of the arrays that the declarations leave to the compiler. */
{%- for length in lengths %}
#define KEELBACK_LENGTH_{{ loop.index0 }} {{ length }}
{%- endfor %}
{%- endif %}
{%- if assertions.items %}

/* ---- The declarations and the compiler agree ---- */

#if defined(__cplusplus) && __cplusplus >= 201103L
#define KEELBACK_ASSERT(condition, message) static_assert(condition, message)
#elif !defined(__cplusplus) && defined(__GNUC__)
#define KEELBACK_ASSERT(condition, message) __extension__ _Static_assert(condition, message)
#else
#define KEELBACK_ASSERT(condition, message) extern int keelback_assertion[(condition) ? 1 : -1]
#endif
{%- for assertion in assertions.items %}
{{ assertion.line }}KEELBACK_ASSERT({{ assertion.condition }}, {{ assertion.message }});
{%- endfor %}
{{ assertions.own }}
{%- endif %}
{%- if answers.items %}

/* ---- What the declarations leave to the compiler ---- */

/* In C++ -1 may be no value of an enum. */
#ifdef __cplusplus
#define KEELBACK_ENUM_IS_SIGNED(type) ((__underlying_type(type))-1 <= 0)
#else
#define KEELBACK_ENUM_IS_SIGNED(type) ((type)-1 <= 0)
#endif

static keelback_answer_t keelback_answers[{{ answers.items | length }}];
{%- endif %}
{%- if member_checks.items %}

/* The members have the types that the declarations say. */
{%- for check in member_checks.items %}
{{ check.line }}KEELBACK_UNUSED static void keelback_check_{{ loop.index0 }}({{ check.record }} *keelback_p) {
{%- for one in check.statements %}
{{ one.line }}    {{ one.statement }}
{%- endfor %}
}
{%- endfor %}
{{ member_checks.own }}
{%- endif %}
{%- if values.items %}

/* The constants of which the declarations give the value. */
static keelback_value_t keelback_values[] = {
{%- for known in values.items %}
    { "{{ known.name }}", { 0, 0 } },
{%- endfor %}
};
{%- endif %}

KEELBACK_SHARED KEELBACK_COLD void keelback_answer(void)
{
{%- if values.items %}
    keelback_value_t *keelback_known = keelback_values;
{%- for known in values.items %}
{{ known.line }}    keelback_known->value.value = (uint64_t)(({{ known.name }}) | 0); keelback_known++->value.is_negative = ({{ known.name }}) <= 0;
{%- endfor %}
{{ values.own }}    (void)keelback_known;
{%- endif %}
{%- if answers.items %}
    keelback_answer_t *keelback_next = keelback_answers;
{%- for answer in answers.items %}
{{ answer.line }}    keelback_next->value = (uint64_t)({{ answer.value }}); keelback_next++->is_negative = {{ answer.negative }};
{%- endfor %}
{{ answers.own }}    (void)keelback_next;
{%- endif %}
}
{%- if symbols %}

/* ---- What Python may call and see ---- */

/* A function is called through one with the types of its declaration; each is one line, that of its declaration. */
#if defined(__GNUC__) && !defined(__cplusplus)
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wimplicit-function-declaration"
#endif
{{- symbols.definitions }}
{{ symbols.own }}#if defined(__GNUC__) && !defined(__cplusplus)
#pragma GCC diagnostic pop
#endif

static const keelback_symbol_t keelback_symbols[] = {
{{- symbols.table }}
};
{%- endif %}
{%- if functions.items %}

/* ---- The functions that run Python ---- */
{% for function in functions.items %}
{{ function.line }}{% if function.extension %}KEELBACK_EXTENSION {% endif %}{{ function.first_linkage }}{{ function.declaration }}{% if function.label %} __asm__("{{ function.label }}"){% endif %};
{%- endfor %}
{{ functions.own }}
{%- for function in functions.items if function.result_typedef %}
KEELBACK_EXTENSION typedef {{ function.result_typedef }};
{%- endfor %}
{%- for function in functions.items if function.error %}
{% if function.extension %}KEELBACK_EXTENSION {% endif %}static const {{ function.error.declaration }} = {{ function.error.value }};
{%- endfor %}

static keelback_function_t keelback_functions[] = {
{%- for function in functions.items %}
    {"{{ function.name }}", (void (*)(void)){{ function.name }}, {{ function.error_of }}, {{ function.result_size }}, {{ function.batch_of }}, {{ function.batch_result }}, NULL},
{%- endfor %}
};
{%- endif %}

{%- if includes_modules %}

static const keelback_include_t keelback_includes[] = {
{%- for include in includes_modules %}
    { {{ include.module_name }}, {{ include.position }} },
{%- endfor %}
};
{%- endif %}
{%- if layouts.items %}

/* How the compiler lays out what the declarations describe completely. */
static const keelback_layout_t keelback_layouts[] = {
{%- for layout in layouts.items %}
{{ layout.line }}    { {{ layout.record }}, {{ layout.member }}, {{ layout.offset }}, {{ layout.size }} },
{%- endfor %}
{{ layouts.own }}};
{%- endif %}

static keelback_plugin_t keelback_plugin = {
    KEELBACK_ABI_VERSION,
    {{ flags }},
    "{{ keelback_version }}",
    {{ module_literal }},
    {% if cdefs %}keelback_cdefs, sizeof keelback_cdefs / sizeof *keelback_cdefs{% else %}NULL, 0{% endif %},
    {% if init %}keelback_init_code, sizeof keelback_init_code - 1, {{ init.file }}{% else %}NULL, 0, NULL{% endif %},
    {% if init and init.compiled %}keelback_init_compiled, sizeof keelback_init_compiled - 1{% else %}NULL, 0{% endif %},
    {% if files %}keelback_files, sizeof keelback_files / sizeof *keelback_files, {{ code_magic }}u{% else %}NULL, 0, 0{% endif %},
    {% if functions.items %}keelback_functions, sizeof keelback_functions / sizeof *keelback_functions{% else %}NULL, 0{% endif %},
    {% if symbols %}keelback_symbols, sizeof keelback_symbols / sizeof *keelback_symbols{% else %}NULL, 0{% endif %},
    {% if answers.items %}keelback_answers, sizeof keelback_answers / sizeof *keelback_answers{% else %}NULL, 0{% endif %},
    {% if includes_modules %}keelback_includes, sizeof keelback_includes / sizeof *keelback_includes{% else %}NULL, 0{% endif %},
    {% if layouts.items %}keelback_layouts, sizeof keelback_layouts / sizeof *keelback_layouts{% else %}NULL, 0{% endif %},
    {% if values.items %}keelback_values, sizeof keelback_values / sizeof *keelback_values{% else %}NULL, 0{% endif %},
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
    {{ python.libpython }},
    {{ python.home }},
    {{ python.executable }},
    {{ runtime_path }},
    {{ python.version }},
#ifdef __APPLE__
    "libpython" {{ python.version }} ".dylib",
#else
    "libpython" {{ python.version }} ".so.1.0",
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
{%- if functions.items %}

static inline void keelback_call(keelback_function_t *function, void *slots)
{
    __atomic_load_n(&keelback_plugin.dispatch, __ATOMIC_ACQUIRE)(function, slots);
}

/* Arguments and result meet the dispatcher in slots of 8 bytes, aligned for any type. */
typedef struct __attribute__((aligned(16))) keelback_slot_t {
    char bytes[16];
} keelback_slot_t;
{%- for function in functions.items %}

{{ function.debug_line }}{% if function.extension %}KEELBACK_EXTENSION {% endif %}{{ function.linkage }}{{ function.declaration }}
{{ function.debug_line }}{
    {% if function.extension %}KEELBACK_EXTENSION {% endif %}union {
        keelback_slot_t slots[{{ function.slots }}];
{%- if function.result %}
        {{ function.result }};
{%- endif %}
    } frame;
{%- for parameter in function.parameters if parameter.by_pointer %}
{{ function.debug_line }}    const void *at{{ parameter.index }} = &arg{{ parameter.index }};
{%- endfor %}
{%- for parameter in function.parameters %}
{{ function.debug_line }}    __builtin_memcpy((char *)&frame{% if parameter.offset %} + {{ parameter.offset }}{% endif %}, &{% if parameter.by_pointer %}at{% else %}arg{% endif %}{{ parameter.index }}, sizeof {% if parameter.by_pointer %}at{% else %}arg{% endif %}{{ parameter.index }});
{%- endfor %}
{{ function.debug_line }}    keelback_call(&keelback_functions[{{ function.index }}], &frame);
{%- if function.result %}
{{ function.debug_line }}    return frame.result;
{%- endif %}
}
{%- if function.debug_line %}
{{ own_lines }}
{%- endif %}
{%- endfor %}
{%- endif %}
{%- if lifecycle %}

/* ---- The plugin's own functions ---- */

KEELBACK_C KEELBACK_EXPORT int {{ lifecycle }}_start(void);
KEELBACK_C KEELBACK_EXPORT const char *{{ lifecycle }}_last_error(void);
KEELBACK_C KEELBACK_EXPORT void {{ lifecycle }}_set_error_handler(keelback_error_handler_t handler, void *data);
KEELBACK_C KEELBACK_EXPORT int {{ lifecycle }}_enter(void);
KEELBACK_C KEELBACK_EXPORT void {{ lifecycle }}_leave(void);

KEELBACK_EXPORT int {{ lifecycle }}_start(void)
{
    return keelback_start_now(NULL);
}

KEELBACK_EXPORT const char *{{ lifecycle }}_last_error(void)
{
    return keelback_last_failure();
}

KEELBACK_EXPORT void {{ lifecycle }}_set_error_handler(keelback_error_handler_t handler, void *data)
{
    keelback_handle_errors(handler, data);
}

KEELBACK_EXPORT int {{ lifecycle }}_enter(void)
{
    return keelback_enter_scope();
}

KEELBACK_EXPORT void {{ lifecycle }}_leave(void)
{
    keelback_leave_scope("{{ lifecycle }}");
}
{%- endif %}

/* `import {{ module_name }}` finds the plugin under a name that Python looks for. */
KEELBACK_C KEELBACK_EXPORT void *PyInit_{{ last_name }}(void);
KEELBACK_EXPORT void *PyInit_{{ last_name }}(void)
{
    return keelback_import();
}
{%- if standalone %}

/* The runtime that the plugin carries. */
#ifdef __APPLE__
#define KEELBACK_CARRIED_BEGIN ".const_data\n"
#define KEELBACK_CARRIED_END ".text\n"
#else
#define KEELBACK_CARRIED_BEGIN ".pushsection .rodata.keelback, \"a\"\n"
#define KEELBACK_CARRIED_END ".popsection\n"
#endif
__asm__(KEELBACK_CARRIED_BEGIN
        ".balign 16\n" KEELBACK_CARRIED_SYMBOL ":\n"
        ".incbin \"" {{ standalone }} "\"\n" KEELBACK_CARRIED_SYMBOL "_end:\n" KEELBACK_CARRIED_END);
{%- endif %}
