/* Made by keelback {{ keelback_version }}: the C interface of {{ module_name }}, for parsers without a preprocessor. Changes to this file are lost. */
{% for typedef in typedefs %}
{{ typedef }}
{%- endfor %}

{{ declared }}

/* What every library made by keelback has. They can be called from any thread, at any time. */

/** Starts Python and runs the library's Python code: 0, or a negative number, and then {{ lifecycle }}_last_error() says why. */
int {{ lifecycle }}_start(void);

/** The last failure on this thread, or NULL. The text belongs to the library. */
const char *{{ lifecycle }}_last_error(void);

/** Has `handler` called for each failure that no caller sees otherwise, instead of a message on standard error. */
void {{ lifecycle }}_set_error_handler(
    void (*handler)(const char *function, const char *message, void *data), void *data);

/** The thread stays in Python between its calls until {{ lifecycle }}_leave(), which makes them faster and keeps other threads out of Python: 0, or -1, and then {{ lifecycle }}_last_error() says why. */
int {{ lifecycle }}_enter(void);

/** Takes one {{ lifecycle }}_enter() of this thread back. */
void {{ lifecycle }}_leave(void);
