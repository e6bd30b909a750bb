/* Made by keelback {{ keelback_version }}: the C interface of {{ module_name }}. Changes to this file are lost. */
#ifndef {{ guard }}
#define {{ guard }}
{% for include in user_includes %}
#include {{ include }}
{%- endfor %}
{%- for include in includes %}
#include <{{ include }}>
{%- endfor %}
{%- if uchar %}
#ifndef __cplusplus
#include <uchar.h>
#endif
{%- endif %}

#ifndef {{ api_macro }}
#if defined(_WIN32)
#define {{ api_macro }} __declspec(dllimport)
#else
#define {{ api_macro }}
#endif
#endif
{%- if uses_extension %}

/* What compilers have beyond the standard (in C++: beyond C++, like bit-fields' types and flexible arrays). */
#ifndef KEELBACK_EXTENSION
#if defined(__GNUC__)
#define KEELBACK_EXTENSION __extension__
#else
#define KEELBACK_EXTENSION
#endif
#endif
{%- endif %}

#ifdef __cplusplus
extern "C" {
#endif

{{ declared }}
{%- if lifecycle %}

/*
 * What every library made by keelback has. They can be called from any thread, at any time.
 */

/**
 * Starts Python, if the process has none, and runs the library's Python code. Calling it is optional: the first call of
 * any function above does the same, but has only its result to tell of a failure.
 *
 * Returns 0, also when all is running already; or a negative number, and then {{ lifecycle }}_last_error() says why.
 * After a failure it may be called again, and tries again.
 */
{{ api_macro }} int {{ lifecycle }}_start(void);

/**
 * The last failure on this thread: one line, and Python's traceback where there is one. NULL if there was none.
 * The text belongs to the library, and is good until the thread's next failure, or its end.
 */
{{ api_macro }} const char *{{ lifecycle }}_last_error(void);

/**
 * Has `handler` called for each failure that no caller sees otherwise, instead of a message on standard error: with the
 * name of the function that failed, the text that {{ lifecycle }}_last_error() gives (but for that name), and `data`. It
 * runs on the thread of the failure, before the failed function returns its error value, and must not keep the texts. It
 * has to return: no longjmp, no C++ exception. What fails in calls that it makes goes to standard error. NULL brings the
 * messages on standard error back.
 */
{{ api_macro }} void {{ lifecycle }}_set_error_handler(
    void (*handler)(const char *function, const char *message, void *data), void *data);

/**
 * Enters a scope: from here to {{ lifecycle }}_leave() the thread stays in Python between its calls, which makes many short
 * calls faster. Starts Python where that has not been done. Scopes may be nested, each {{ lifecycle }}_enter() with its
 * {{ lifecycle }}_leave() on the same thread. While calls run, other threads get their turns; between them no other thread can
 * use Python: leave before anything that waits, for another thread above all.
 *
 * Returns 0; or -1, and then nothing was entered, {{ lifecycle }}_last_error() says why, and {{ lifecycle }}_leave() must not
 * be called.
 */
{{ api_macro }} int {{ lifecycle }}_enter(void);

/** Takes one {{ lifecycle }}_enter() of this thread back; the outermost one leaves Python. */
{{ api_macro }} void {{ lifecycle }}_leave(void);
{%- endif %}

#ifdef __cplusplus
}
#endif
{%- if lifecycle %}

/**
 * {{ scope_macro }} { ... } runs the block once, in a scope; if that cannot be entered, without one. `break` and `continue` end
 * the block. With GCC and Clang the scope is left however the block is left: by its end, `return`, `break`, `goto`, a C++
 * exception (not by longjmp). With other compilers only its end and `continue` leave it.
 */
#ifndef KEELBACK_SCOPE_NAME
#define KEELBACK_SCOPE_JOIN(line) keelback_scope_##line
#define KEELBACK_SCOPE_NAME(line) KEELBACK_SCOPE_JOIN(line)
#endif
#define {{ scope_macro }} {{ scope_macro }}_AS(KEELBACK_SCOPE_NAME(__LINE__))
#if defined(__GNUC__)
static __inline__ void keelback_end_scope_of_{{ lifecycle }}(const int *scope)
{
    if (*scope & 2)
        {{ lifecycle }}_leave();
}
#define {{ scope_macro }}_AS(scope) \
    for (int scope __attribute__((cleanup(keelback_end_scope_of_{{ lifecycle }}))) = {{ lifecycle }}_enter() == 0 ? 3 : 1; scope & 1; \
         scope &= 2)
#else
#define {{ scope_macro }}_AS(scope) \
    for (int scope = {{ lifecycle }}_enter() == 0 ? 3 : 1; scope & 1; scope = scope & 2 ? ({{ lifecycle }}_leave(), 0) : 0)
#endif
{%- endif %}
{%- if assertions %}

#if defined(__cplusplus)
#if __cplusplus >= 201103L
#define {{ guard }}_ASSERT static_assert
#endif
#elif defined(__STDC_VERSION__)
#if __STDC_VERSION__ >= 201112L
#define {{ guard }}_ASSERT _Static_assert
#endif
#endif
#ifdef {{ guard }}_ASSERT
{%- for assertion in assertions %}
{{ guard }}_ASSERT({{ assertion.condition }}, {{ assertion.message }});
{%- endfor %}
#undef {{ guard }}_ASSERT
#endif
{%- endif %}

#endif /* {{ guard }} */
