
/* -- Text, paths, the environment -- */

/* A text that grows. `text` is NULL before the first write, and when memory runs out. */
typedef struct keelback_text_t {
    char *text;
    size_t length;
} keelback_text_t;

__attribute__((cold, noinline, format(printf, 2, 3)))
static void keelback_add(keelback_text_t *to, const char *format, ...)
{
    __builtin_va_list arguments;
    int length;
    char *grown;
    __builtin_va_start(arguments, format);
    length = keelback_vsnprintf(NULL, 0, format, arguments);
    __builtin_va_end(arguments);
    if (length < 0)
        return;
    grown = (char *)keelback_realloc(to->text, to->length + (size_t)length + 1);
    if (grown == NULL)
        return;
    __builtin_va_start(arguments, format);
    keelback_vsnprintf(grown + to->length, (size_t)length + 1, format, arguments);
    __builtin_va_end(arguments);
    to->text = grown;
    to->length += (size_t)length;
}

/* Makes the text permanent; an empty one if memory ran out. */
static KEELBACK_COLD const char *keelback_keep(keelback_text_t *text)
{
    keelback_failure_t *failure;
    if (text->text == NULL)
        return "";
    for (failure = keelback_failures; failure != NULL; failure = failure->older)
        if (__builtin_strcmp(failure->text, text->text) == 0) {
            keelback_free(text->text);
            return failure->text;
        }
    failure = (keelback_failure_t *)keelback_realloc(NULL, sizeof *failure);
    if (failure == NULL)
        return text->text;
    failure->text = text->text;
    failure->older = keelback_failures;
    keelback_failures = failure;
    return text->text;
}

/* The path without links, or NULL. The C library writes to memory that is given: where the plugin was opened with
 * RTLD_DEEPBIND, memory of its own may come from the host's allocator, which the plugin's free() does not know. */
static KEELBACK_COLD char *keelback_realpath(const char *path)
{
    /* PATH_MAX */
    char resolved[4096];
    keelback_text_t copy = {NULL, 0};
    if (keelback_libc_realpath(path, resolved) == NULL)
        return NULL;
    keelback_add(&copy, "%s", resolved);
    return copy.text;
}

/* Cuts the last component off a path: "/usr/bin/python3" becomes "/usr/bin", "libfoo.so" becomes ".". */
static KEELBACK_COLD void keelback_cut(keelback_text_t *path)
{
    char *slash = path->text == NULL ? NULL : keelback_strrchr(path->text, '/');
    if (slash == NULL) {
        path->length = 0;
        keelback_add(path, ".");
    } else {
        path->length = slash == path->text ? 1 : (size_t)(slash - path->text);
        path->text[path->length] = '\0';
    }
}

/* `path` without its last component. */
static KEELBACK_COLD void keelback_cut_to(keelback_text_t *to, const char *path)
{
    to->length = 0;
    keelback_add(to, "%s", path);
    keelback_cut(to);
}

static KEELBACK_COLD const char *keelback_base_name(const char *path)
{
    const char *slash = keelback_strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* getenv; NULL for every variable in a process with raised privileges. */
static KEELBACK_COLD const char *keelback_getenv(const char *name)
{
    const char *value;
#ifdef __APPLE__
    extern int keelback_issetugid(void) KEELBACK_LIBC("issetugid");
    if (keelback_issetugid())
        return NULL;
#endif
    value = keelback_libc_getenv(name);
    return value == NULL || *value == '\0' ? NULL : value;
}

/* Whether the file is executable and no directory (only in a directory does `/.` exist). */
static KEELBACK_COLD int keelback_is_program(const char *path)
{
    keelback_text_t within = {NULL, 0};
    int is_directory;
    keelback_add(&within, "%s/.", path);
    is_directory = within.text == NULL
                   || keelback_faccessat(KEELBACK_AT_FDCWD, within.text, 0, KEELBACK_AT_EACCESS) == 0;
    keelback_free(within.text);
    return !is_directory && keelback_faccessat(KEELBACK_AT_FDCWD, path, 1, KEELBACK_AT_EACCESS) == 0;
}

/* Whether the effective user, for whom dlopen works too, sees the file. access() would ask for the real user. */
static KEELBACK_COLD int keelback_exists(const char *path)
{
    return path != NULL && keelback_faccessat(KEELBACK_AT_FDCWD, path, 0, KEELBACK_AT_EACCESS) == 0;
}
