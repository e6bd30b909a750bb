/* ---- The loader: finds Python and the Keelback runtime at the first call ----
 *
 * It includes no header of the C library, and declares the few functions that it takes from there under names of its
 * own. So no name of the C library gets in the way of the API's or the prelude's names, the prelude chooses its
 * feature macros itself, and the file compiles in half the time.
 */
#if defined(__linux__) && !defined(__mips__) && !defined(__alpha__) && !defined(__hppa__)
#define KEELBACK_LIBC(name) __asm__(name)
#define KEELBACK_ERRNO "__errno_location"
#define KEELBACK_GETENV "secure_getenv"
#define KEELBACK_RTLD_LAZY 0x1
#define KEELBACK_RTLD_NOW 0x2
#define KEELBACK_RTLD_NOLOAD 0x4
#define KEELBACK_RTLD_GLOBAL 0x100
#define KEELBACK_RTLD_DEFAULT NULL
#define KEELBACK_O_CLOEXEC 02000000
#elif defined(__APPLE__)
#define KEELBACK_LIBC(name) __asm__("_" name)
#define KEELBACK_ERRNO "__error"
#define KEELBACK_GETENV "getenv"
#define KEELBACK_RTLD_LAZY 0x1
#define KEELBACK_RTLD_NOW 0x2
#define KEELBACK_RTLD_NOLOAD 0x10
#define KEELBACK_RTLD_GLOBAL 0x8
#define KEELBACK_RTLD_DEFAULT ((void *)-2)
#define KEELBACK_O_CLOEXEC 0x1000000
#else
#error "keelback: no loader for this platform yet (there is one for Linux and for macOS)"
#endif

#if defined(__x86_64__)
#define KEELBACK_ARCH "x86_64"
#elif defined(__aarch64__)
#define KEELBACK_ARCH "aarch64"
#elif defined(__i386__)
#define KEELBACK_ARCH "i386"
#elif defined(__riscv)
#define KEELBACK_ARCH "riscv64"
#elif defined(__powerpc64__)
#define KEELBACK_ARCH "powerpc64le"
#elif defined(__s390x__)
#define KEELBACK_ARCH "s390x"
#else
#define KEELBACK_ARCH "unknown"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Runs once. Optimising it would double the time that a plugin takes to compile. */
#if defined(__clang__)
#pragma clang optimize off
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC optimize("O0")
#endif

typedef struct keelback_dl_info_t {
    const char *file;
    void *base;
    const char *symbol;
    void *address;
} keelback_dl_info_t;

extern void *keelback_dlopen(const char *file, int mode) KEELBACK_LIBC("dlopen");
extern void *keelback_dlsym(void *handle, const char *name) KEELBACK_LIBC("dlsym");
extern char *keelback_dlerror(void) KEELBACK_LIBC("dlerror");
extern int keelback_dlclose(void *handle) KEELBACK_LIBC("dlclose");
extern int keelback_dladdr(const void *address, keelback_dl_info_t *info) KEELBACK_LIBC("dladdr");
extern char *keelback_libc_getenv(const char *name) KEELBACK_LIBC(KEELBACK_GETENV);
extern int *keelback_errno_location(void) KEELBACK_LIBC(KEELBACK_ERRNO);
extern char *keelback_libc_strerror(int error) KEELBACK_LIBC("strerror");
extern int keelback_access(const char *path, int mode) KEELBACK_LIBC("access");
extern char *keelback_realpath(const char *path, char *resolved) KEELBACK_LIBC("realpath");
extern int keelback_open(const char *path, int flags, ...) KEELBACK_LIBC("open");
extern ptrdiff_t keelback_read(int file, void *to, size_t size) KEELBACK_LIBC("read");
extern ptrdiff_t keelback_write(int file, const void *from, size_t size) KEELBACK_LIBC("write");
extern int keelback_close(int file) KEELBACK_LIBC("close");
extern int keelback_usleep(unsigned int microseconds) KEELBACK_LIBC("usleep");
extern void *keelback_realloc(void *memory, size_t size) KEELBACK_LIBC("realloc");
extern void keelback_free(void *memory) KEELBACK_LIBC("free");
extern char *keelback_strstr(const char *text, const char *part) KEELBACK_LIBC("strstr");
extern char *keelback_strrchr(const char *text, int character) KEELBACK_LIBC("strrchr");
extern int keelback_vsnprintf(char *to, size_t size, const char *format, __builtin_va_list arguments)
    KEELBACK_LIBC("vsnprintf");

/* Set once, under the lock; then read without it. */
static const keelback_runtime_t *keelback_the_runtime;
static keelback_python_t keelback_the_python;

/* What went wrong last; kept for good, since keelback_last_error's callers hold pointers to it. */
typedef struct keelback_failure_t {
    struct keelback_failure_t *older;
    const char *text;
} keelback_failure_t;
static keelback_failure_t *keelback_failures;
static const char *keelback_failure;
/* The failure that was told in full. Another call that meets it costs one line. */
static const char *keelback_reported;
static unsigned int keelback_attempts;
static keelback_error_handler_t keelback_handler;
static void *keelback_handler_data;

static __thread const char *keelback_thread_failure;
/* This thread is in the loader. An API that exports, say, `open` is called by the loader's own dlopen. */
static __thread int keelback_loading;

/* Held while files are looked for and mapped, never while Python code runs. A pthread_mutex_t would need a header. */
static int keelback_locked;

static KEELBACK_COLD void keelback_lock(void)
{
    while (__atomic_exchange_n(&keelback_locked, 1, __ATOMIC_ACQUIRE))
        keelback_usleep(200);
    keelback_loading++;
}

static KEELBACK_COLD void keelback_unlock(void)
{
    keelback_loading--;
    __atomic_store_n(&keelback_locked, 0, __ATOMIC_RELEASE);
}

/* -- Text -- */

/* Grows as it is written to. NULL when memory ran out, or nothing was written yet. */
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

/* The text, for good; an empty one when memory ran out. */
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

/* None of the variables counts under raised privileges. */
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

static KEELBACK_COLD int keelback_exists(const char *path)
{
    return path != NULL && keelback_access(path, 0) == 0;
}

/* -- Python -- */

/* What is known of the Python that was found. */
typedef struct keelback_found_t {
    keelback_python_t python;
    /* 0x030B for 3.11 */
    unsigned int version;
    unsigned int free_threaded;
    /* Where its symbols are looked up. */
    void *handle;
} keelback_found_t;

/* C has no cast from an object pointer to a function pointer. */
static KEELBACK_COLD void *keelback_symbol(void *handle, const char *name, void (**function)(void))
{
    void *address = keelback_dlsym(handle, name);
    if (function != NULL)
        __builtin_memcpy((void *)function, (const void *)&address, sizeof address);
    return address;
}

static KEELBACK_COLD void keelback_ask_version(keelback_found_t *found)
{
    const unsigned long *number = (const unsigned long *)keelback_symbol(found->handle, "Py_Version", NULL);
    void (*function)(void);
    const char *text = "";
    /* Both work before Python is initialised. Py_Version is there from 3.11 on. */
    if (keelback_symbol(found->handle, "Py_GetVersion", &function) != NULL)
        text = ((const char *(*)(void))function)();
    found->free_threaded = keelback_strstr(text, "free-threading") != NULL;
    if (number != NULL) {
        found->version = (unsigned int)(*number >> 16);
    } else {
        unsigned int major = 0, minor = 0;
        for (; *text >= '0' && *text <= '9'; text++)
            major = major * 10 + (unsigned int)(*text - '0');
        if (*text == '.')
            text++;
        for (; *text >= '0' && *text <= '9'; text++)
            minor = minor * 10 + (unsigned int)(*text - '0');
        found->version = major << 8 | minor;
    }
}

/* The file that an address is mapped from, or NULL. */
static KEELBACK_COLD const char *keelback_file_of(const void *address)
{
    keelback_dl_info_t info;
    return keelback_dladdr(address, &info) != 0 && info.file != NULL && *info.file != '\0' ? info.file : NULL;
}

static KEELBACK_COLD int keelback_same_file(const char *one, const char *other)
{
    char *real_one, *real_other;
    int same;
    if (one == NULL || other == NULL)
        return 0;
    real_one = keelback_realpath(one, NULL);
    real_other = keelback_realpath(other, NULL);
    same = real_one != NULL && real_other != NULL && __builtin_strcmp(real_one, real_other) == 0;
    keelback_free(real_one);
    keelback_free(real_other);
    return same;
}

/* libpython3.11.so.1.0 and the like; not libpython3.so, which only points to the real one. */
static KEELBACK_COLD int keelback_is_libpython(const char *path)
{
    const char *name = path == NULL ? "" : keelback_base_name(path);
    return __builtin_strncmp(name, "libpython3.", 11) == 0 && name[11] >= '0' && name[11] <= '9';
}

#ifdef __linux__
/* The beginning of struct dl_phdr_info. */
typedef struct keelback_object_t {
    size_t base;
    const char *name;
} keelback_object_t;
extern int keelback_dl_iterate_phdr(int (*visit)(keelback_object_t *object, size_t size, void *data), void *data)
    KEELBACK_LIBC("dl_iterate_phdr");

/* The dynamic linker holds its lock here: only copies the name. */
static KEELBACK_COLD int keelback_visit(keelback_object_t *object, size_t size, void *data)
{
    (void)size;
    if (!keelback_is_libpython(object->name))
        return 0;
    keelback_add((keelback_text_t *)data, "%s", object->name);
    return 1;
}
#endif

/* An interpreter that the process has already, started or not. Takes the global scope's, else makes a hidden one
 * global: the standard library's extension modules are not linked to libpython, and look for its symbols there. */
static KEELBACK_COLD int keelback_find_present(keelback_found_t *found)
{
    void *address = keelback_symbol(KEELBACK_RTLD_DEFAULT, "Py_IsInitialized", NULL);
    const char *file = address == NULL ? NULL : keelback_file_of(address);
    found->handle = KEELBACK_RTLD_DEFAULT;
    if (address != NULL && !keelback_is_libpython(file))
        return 1;
#ifdef __linux__
    if (address == NULL) {
        keelback_text_t name = {NULL, 0};
        keelback_dl_iterate_phdr(keelback_visit, &name);
        file = name.text;
    }
#endif
    if (file == NULL)
        return 0;
    found->handle = keelback_dlopen(file, KEELBACK_RTLD_NOW | KEELBACK_RTLD_NOLOAD | KEELBACK_RTLD_GLOBAL);
    if (found->handle == NULL && address == NULL)
        return 0;
    if (found->handle == NULL)
        found->handle = KEELBACK_RTLD_DEFAULT;
    found->python.libpython = file;
    return 1;
}

static KEELBACK_COLD int keelback_open_libpython(keelback_found_t *found, const char *path, const char *origin,
                                                 keelback_text_t *why)
{
    found->handle = keelback_dlopen(path, KEELBACK_RTLD_NOW | KEELBACK_RTLD_GLOBAL);
    if (found->handle == NULL) {
        keelback_add(why, "  %s: %s\n", origin, keelback_dlerror());
        return 0;
    }
    {
        void *address = keelback_symbol(found->handle, "Py_IsInitialized", NULL);
        if (address == NULL) {
            keelback_add(why, "  %s: %s is no libpython: it has no Py_IsInitialized\n", origin, path);
            keelback_dlclose(found->handle);
            return 0;
        }
        path = keelback_file_of(address);
    }
    found->python.libpython = path;
    return 1;
}

/* <directory>/libpython3.N.so.1.0 under any of its names, or NULL. */
static KEELBACK_COLD char *keelback_libpython_in(const char *prefix, const char *directory, unsigned int minor)
{
    static const char *const endings[] = {".so.1.0", ".so", "t.so.1.0", "t.so", ".dylib"};
    size_t i;
    for (i = 0; i < sizeof endings / sizeof *endings; i++) {
        keelback_text_t path = {NULL, 0};
        keelback_add(&path, "%s/%s/libpython3.%u%s", prefix, directory, minor, endings[i]);
        if (keelback_exists(path.text))
            return path.text;
        keelback_free(path.text);
    }
    return NULL;
}

/* The libpython of an installation: of version 3.`minor` if that is not 0, else the newest. */
static KEELBACK_COLD char *keelback_libpython_of(const char *prefix, unsigned int minor)
{
    static const char *const directories[] = {"lib", "lib64", "lib/" KEELBACK_ARCH "-linux-gnu"};
    unsigned int newest = minor == 0 ? 40 : minor, oldest = minor == 0 ? 8 : minor;
    for (minor = newest; minor >= oldest; minor--) {
        size_t i;
        for (i = 0; i < sizeof directories / sizeof *directories; i++) {
            char *path = keelback_libpython_in(prefix, directories[i], minor);
            if (path != NULL)
                return path;
        }
    }
    return NULL;
}

/* N of "python3.N" or "3.N.1", or 0. */
static KEELBACK_COLD unsigned int keelback_minor_of(const char *text)
{
    unsigned int minor = 0;
    const char *point = keelback_strstr(text, "3.");
    if (point != NULL)
        for (point += 2; *point >= '0' && *point <= '9'; point++)
            minor = minor * 10 + (unsigned int)(*point - '0');
    return minor;
}

/* The value of `key = value` in a pyvenv.cfg, or NULL. */
static KEELBACK_COLD char *keelback_venv_value(const char *file, const char *key)
{
    size_t key_length = __builtin_strlen(key);
    while (*file != '\0') {
        const char *end = file;
        while (*end != '\0' && *end != '\n')
            end++;
        if (__builtin_strncmp(file, key, key_length) == 0) {
            const char *from = file + key_length;
            while (*from == ' ' || *from == '\t')
                from++;
            if (*from == '=') {
                keelback_text_t value = {NULL, 0};
                const char *to = end;
                for (from++; *from == ' ' || *from == '\t';)
                    from++;
                while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r'))
                    to--;
                keelback_add(&value, "%.*s", (int)(to - from), from);
                return value.text;
            }
        }
        file = *end == '\0' ? end : end + 1;
    }
    return NULL;
}

/* The prefix and version behind a python executable: that of its own place, or of a venv's `home`. */
static KEELBACK_COLD char *keelback_prefix_of(const char *executable, unsigned int *minor)
{
    keelback_text_t prefix = {NULL, 0}, config = {NULL, 0};
    char *real = keelback_realpath(executable, NULL);
    char contents[4096];
    ptrdiff_t length = 0;
    int file;
    *minor = 0;
    keelback_cut_to(&config, executable);
    keelback_add(&config, "/../pyvenv.cfg");
    file = config.text == NULL ? -1 : keelback_open(config.text, KEELBACK_O_CLOEXEC);
    if (file >= 0) {
        length = keelback_read(file, contents, sizeof contents - 1);
        keelback_close(file);
    }
    contents[length > 0 ? length : 0] = '\0';
    {
        char *home = keelback_venv_value(contents, "home");
        char *version = keelback_venv_value(contents, "version");
        if (version == NULL)
            version = keelback_venv_value(contents, "version_info");
        if (version != NULL)
            *minor = keelback_minor_of(version);
        else if (real != NULL)
            *minor = keelback_minor_of(keelback_base_name(real));
        if (home != NULL)
            keelback_add(&prefix, "%s", home);
        else if (real != NULL)
            keelback_add(&prefix, "%s", real);
        if (home == NULL)
            keelback_cut(&prefix);
        keelback_cut(&prefix);
        keelback_free(home);
        keelback_free(version);
    }
    keelback_free(config.text);
    keelback_free(real);
    return prefix.text;
}

/* KEELBACK_PYTHON: a libpython, or a python executable whose libpython is looked for. 0 when there is none. */
static KEELBACK_COLD int keelback_resolve_wish(const char *wish, keelback_python_t *python, keelback_text_t *why)
{
    const char *name = keelback_base_name(wish);
    keelback_text_t copy = {NULL, 0};
    unsigned int minor;
    char *prefix;
    /* The environment may change. */
    keelback_add(&copy, "%s", wish);
    if (keelback_strstr(name, ".so") != NULL || keelback_strstr(name, ".dylib") != NULL) {
        python->libpython = copy.text;
        return 1;
    }
    if (name == wish || !keelback_exists(wish)) {
        keelback_add(why, "  KEELBACK_PYTHON: there is no file '%s'\n", wish);
        return 0;
    }
    prefix = keelback_prefix_of(wish, &minor);
    python->home = prefix;
    python->executable = copy.text;
    python->libpython = prefix == NULL ? NULL : keelback_libpython_of(prefix, minor);
    if (python->libpython == NULL) {
        keelback_add(why, "  KEELBACK_PYTHON: %s has no libpython under %s/lib\n", wish, prefix);
        return 0;
    }
    return 1;
}

#ifdef __linux__
static KEELBACK_COLD uintptr_t keelback_hex(const char **text)
{
    uintptr_t number = 0;
    for (;; ++*text) {
        char digit = **text;
        if (digit >= '0' && digit <= '9')
            number = number * 16 + (uintptr_t)(digit - '0');
        else if (digit >= 'a' && digit <= 'f')
            number = number * 16 + (uintptr_t)(digit - 'a' + 10);
        else
            return number;
    }
}

/* The file that the kernel has mapped at an address, or NULL. */
static KEELBACK_COLD char *keelback_mapped_file(const void *address)
{
    keelback_text_t maps = {NULL, 0}, path = {NULL, 0};
    char piece[4096];
    ptrdiff_t length;
    const char *line, *end;
    int file = keelback_open("/proc/self/maps", KEELBACK_O_CLOEXEC);
    if (file < 0)
        return NULL;
    while ((length = keelback_read(file, piece, sizeof piece)) > 0)
        keelback_add(&maps, "%.*s", (int)length, piece);
    keelback_close(file);
    for (line = maps.text; line != NULL && *line != '\0'; line = *end == '\0' ? end : end + 1) {
        const char *at = line;
        uintptr_t low = keelback_hex(&at), high;
        at++;
        high = keelback_hex(&at);
        for (end = line; *end != '\0' && *end != '\n';)
            end++;
        if ((uintptr_t)address < low || (uintptr_t)address >= high)
            continue;
        while (at < end && *at != '/')
            at++;
        if (at < end)
            keelback_add(&path, "%.*s", (int)(end - at), at);
        break;
    }
    keelback_free(maps.text);
    return path.text;
}
#endif

/* The directory of this plugin's file, or NULL when it is part of the program. */
static KEELBACK_COLD char *keelback_own_directory(void)
{
    static const char marker = 0;
    keelback_text_t path = {NULL, 0};
    const char *file = keelback_file_of(&marker);
    char *real = NULL, *mapped = NULL;
#ifdef __linux__
    /* A relative name began at the working directory of the time of dlopen, which may have been another. */
    if (file != NULL && *file != '/')
        file = mapped = keelback_mapped_file(&marker);
#endif
    if (file != NULL)
        real = keelback_realpath(file, NULL);
    keelback_free(mapped);
    if (real == NULL)
        return NULL;
    keelback_cut_to(&path, real);
    keelback_free(real);
    return path.text;
}

/* The bundle beside the plugin: <module>.keelback/ or keelback-bundle/. Its shape:
 *   lib/libpython3.N.so.1.0   lib/python3.N/   lib/libkeelback_runtime.so */
static KEELBACK_COLD char *keelback_bundle(const char *directory)
{
    int i;
    for (i = 0; directory != NULL && i < 2; i++) {
        keelback_text_t path = {NULL, 0}, library = {NULL, 0};
        int there;
        if (i == 0)
            keelback_add(&path, "%s/%s.keelback", directory, keelback_this()->module_name);
        else
            keelback_add(&path, "%s/keelback-bundle", directory);
        keelback_add(&library, "%s/lib", path.text);
        there = keelback_exists(library.text);
        keelback_free(library.text);
        if (there)
            return path.text;
        keelback_free(path.text);
    }
    return NULL;
}

/* Takes over what goes with a libpython, if it is this one. */
static KEELBACK_COLD int keelback_claim(keelback_found_t *found, const keelback_python_t *with)
{
    if (!keelback_same_file(found->python.libpython, with->libpython))
        return 0;
    found->python.home = with->home;
    found->python.executable = with->executable;
    found->python.bundle = with->bundle;
    return 1;
}

/* Finds Python, in the order that docs/architecture.md gives. An interpreter that the process has comes before
 * KEELBACK_PYTHON all the same: two cannot share the global scope. */
static KEELBACK_COLD int keelback_find_python(keelback_found_t *found, const char *directory, keelback_text_t *why)
{
    keelback_python_t wished = {NULL, NULL, NULL, NULL}, bundled = {NULL, NULL, NULL, NULL};
    keelback_python_t recorded = {keelback_recorded()->libpython, keelback_recorded()->home,
                                  keelback_recorded()->executable, NULL};
    const char *wish = keelback_getenv("KEELBACK_PYTHON");
    int resolved = wish != NULL && keelback_resolve_wish(wish, &wished, why);
    bundled.bundle = bundled.home = keelback_bundle(directory);
    if (bundled.bundle != NULL)
        bundled.libpython = keelback_libpython_of(bundled.bundle, 0);
    if (keelback_find_present(found)) {
        /* Also when another plugin, or an attempt that failed later, mapped it first. */
        if (!keelback_claim(found, &wished) && !keelback_claim(found, &bundled))
            keelback_claim(found, &recorded);
        return 1;
    }
    /* An explicit wish that cannot be granted is an error, and no reason to take another Python. */
    if (wish != NULL)
        return resolved && keelback_open_libpython(found, wished.libpython, "KEELBACK_PYTHON", why)
               && (keelback_claim(found, &wished), 1);
    keelback_add(why, "  KEELBACK_PYTHON: not set\n");
    if (bundled.libpython != NULL && keelback_open_libpython(found, bundled.libpython, "the bundle", why)) {
        keelback_claim(found, &bundled);
        return 1;
    }
    if (recorded.libpython != NULL
        && keelback_open_libpython(found, recorded.libpython, "recorded at build time", why)) {
        keelback_claim(found, &recorded);
        return 1;
    }
    return keelback_open_libpython(found, keelback_recorded()->library_name, "the system's libraries", why);
}

/* -- The runtime -- */

static KEELBACK_COLD int keelback_runtime_fits(const keelback_runtime_t *runtime, const char *path,
                                               const keelback_found_t *found, keelback_text_t *why)
{
    if (runtime->abi_version != KEELBACK_ABI_VERSION) {
        keelback_add(why, "  %s: its interface to plugins is version %u (keelback %s), and this plugin has version %d (keelback %s)\n",
                     path, (unsigned int)runtime->abi_version, runtime->keelback_version, KEELBACK_ABI_VERSION,
                     keelback_this()->keelback_version);
        return 0;
    }
    if (runtime->python_version != found->version || runtime->free_threaded != found->free_threaded) {
        keelback_add(why, "  %s: it is for Python %u.%u%s, and this Python is %u.%u%s\n", path,
                     (unsigned int)runtime->python_version >> 8, (unsigned int)runtime->python_version & 255,
                     runtime->free_threaded ? "t" : "", found->version >> 8, found->version & 255,
                     found->free_threaded ? "t" : "");
        return 0;
    }
    return 1;
}

/* One runtime for all plugins of a process: the first that became global. */
static KEELBACK_COLD const keelback_runtime_t *keelback_present_runtime(const keelback_found_t *found,
                                                                        keelback_text_t *why)
{
    const keelback_runtime_t *runtime =
        (const keelback_runtime_t *)keelback_symbol(KEELBACK_RTLD_DEFAULT, "keelback_runtime", NULL);
    const char *path;
    if (runtime == NULL)
        return NULL;
    path = keelback_file_of(runtime);
    return keelback_runtime_fits(runtime, path == NULL ? "the process's own" : path, found, why) ? runtime : NULL;
}

static KEELBACK_COLD int keelback_is_recorded(const char *runtime)
{
    const char *recorded = keelback_recorded()->runtime;
    return recorded != NULL && __builtin_strcmp(recorded, runtime) == 0;
}

static KEELBACK_COLD const keelback_runtime_t *keelback_try_runtime(const char *path, const keelback_found_t *found,
                                                                    keelback_text_t *why)
{
    const keelback_runtime_t *runtime, *first;
    keelback_text_t unused = {NULL, 0};
    void *handle;
    if (!keelback_exists(path)) {
        keelback_add(why, "  %s: no such file\n", path);
        return NULL;
    }
    /* Lazy and local, so that one for another Python can be looked at and put back. */
    handle = keelback_dlopen(path, KEELBACK_RTLD_LAZY);
    if (handle == NULL) {
        const char *error = keelback_dlerror();
        /* A function of its own Python's version that this one does not have keeps it from being looked at. */
        int other_python = keelback_strstr(error, "undefined symbol: Py") != NULL
                           || keelback_strstr(error, "undefined symbol: _Py") != NULL;
        if (!other_python)
            keelback_add(why, "  %s\n", error);
        else
            keelback_add(why, "  %s: it is for %s%s, and this Python is %u.%u%s\n", path,
                         keelback_is_recorded(path) ? "Python " : "another version of Python",
                         keelback_is_recorded(path) ? keelback_recorded()->version : "", found->version >> 8,
                         found->version & 255, found->free_threaded ? "t" : "");
        return NULL;
    }
    runtime = (const keelback_runtime_t *)keelback_symbol(handle, "keelback_runtime", NULL);
    if (runtime == NULL) {
        keelback_add(why, "  %s: is no Keelback runtime\n", path);
        keelback_dlclose(handle);
        return NULL;
    }
    if (!keelback_runtime_fits(runtime, path, found, why)) {
        keelback_dlclose(handle);
        return NULL;
    }
    /* When two plugins with a runtime each come here at once, both then see the same one first. */
    keelback_dlopen(path, KEELBACK_RTLD_LAZY | KEELBACK_RTLD_NOLOAD | KEELBACK_RTLD_GLOBAL);
    first = keelback_present_runtime(found, &unused);
    keelback_free(unused.text);
    return first == NULL ? runtime : first;
}

/* <directory>/libkeelback_runtime.so, with or without Python's version in its name. Says nothing when there is none. */
static KEELBACK_COLD const keelback_runtime_t *keelback_runtime_in(const char *directory, const keelback_found_t *found,
                                                                   keelback_text_t *why)
{
    static const char *const endings[] = {".so", ".dylib"};
    const keelback_runtime_t *runtime = NULL;
    int i;
    for (i = 0; runtime == NULL && i < 4; i++) {
        keelback_text_t path = {NULL, 0};
        if (i < 2)
            keelback_add(&path, "%s/libkeelback_runtime-%u.%u%s%s", directory, found->version >> 8,
                         found->version & 255, found->free_threaded ? "t" : "", endings[i % 2]);
        else
            keelback_add(&path, "%s/libkeelback_runtime%s", directory, endings[i % 2]);
        if (keelback_exists(path.text))
            runtime = keelback_try_runtime(path.text, found, why);
        keelback_free(path.text);
    }
    return runtime;
}

/* The `keelback` package of an installation or a venv. */
static KEELBACK_COLD const keelback_runtime_t *keelback_runtime_of(const char *prefix, const keelback_found_t *found,
                                                                   keelback_text_t *why)
{
    static const char *const systems[] = {KEELBACK_ARCH "-linux-gnu", KEELBACK_ARCH "-linux-musl", "darwin"};
    static const char *const directories[] = {"lib", "local/lib"};
    static const char *const packages[] = {"site-packages", "dist-packages"};
    unsigned int major = found->version >> 8, minor = found->version & 255;
    const char *thread = found->free_threaded ? "t" : "";
    const keelback_runtime_t *runtime = NULL;
    size_t i, j, k;
    for (i = 0; runtime == NULL && i < 4; i++) {
        for (k = 0; runtime == NULL && k < 5; k++) {
            keelback_text_t path = {NULL, 0};
            j = i % 2;
            keelback_add(&path, "%s/%s/python%u.%u%s/%s/keelback/_runtime", prefix, directories[i / 2], major, minor,
                         thread, packages[j]);
            if (k < 3)
                keelback_add(&path, ".cpython-%u%u%s-%s.so", major, minor, thread, systems[k]);
            else
                keelback_add(&path, "%s", k == 3 ? ".abi3.so" : ".so");
            if (keelback_exists(path.text))
                runtime = keelback_try_runtime(path.text, found, why);
            keelback_free(path.text);
        }
    }
    if (runtime == NULL)
        keelback_add(why, "  %s/lib/python%u.%u%s/site-packages/keelback: no runtime there\n", prefix, major, minor,
                     thread);
    return runtime;
}

#if KEELBACK_STANDALONE
/* The runtime that the plugin carries, as a file that exists only in memory or, where that is not allowed, for a
 * moment. */
extern const char keelback_carried[] KEELBACK_LIBC(KEELBACK_CARRIED_SYMBOL) __attribute__((visibility("hidden")));
extern const char keelback_carried_end[] KEELBACK_LIBC(KEELBACK_CARRIED_SYMBOL "_end")
    __attribute__((visibility("hidden")));
extern int keelback_memfd_create(const char *name, unsigned int flags) KEELBACK_LIBC("memfd_create");
extern char *keelback_mkdtemp(char *pattern) KEELBACK_LIBC("mkdtemp");
extern int keelback_unlink(const char *path) KEELBACK_LIBC("unlink");
extern int keelback_rmdir(const char *path) KEELBACK_LIBC("rmdir");

static KEELBACK_COLD int keelback_write_all(int file)
{
    const char *from = keelback_carried;
    while (from < keelback_carried_end) {
        ptrdiff_t written = keelback_write(file, from, (size_t)(keelback_carried_end - from));
        if (written <= 0)
            return 0;
        from += written;
    }
    return 1;
}

static KEELBACK_COLD const keelback_runtime_t *keelback_carried_runtime(const keelback_found_t *found,
                                                                        keelback_text_t *why)
{
    const keelback_runtime_t *runtime = NULL;
    const char *directory = keelback_getenv("TMPDIR");
    keelback_text_t path = {NULL, 0};
    int file;
    /* The file stays open: its number is the library's name for the dynamic linker. */
    file = keelback_memfd_create("keelback-runtime", 1);
    if (file >= 0 && keelback_write_all(file)) {
        keelback_add(&path, "/proc/self/fd/%d", file);
        runtime = keelback_try_runtime(path.text, found, why);
    }
    keelback_free(path.text);
    if (runtime != NULL)
        return runtime;
    if (file >= 0)
        keelback_close(file);
    path.text = NULL;
    path.length = 0;
    keelback_add(&path, "%s/keelback-XXXXXX", directory == NULL ? "/tmp" : directory);
    if (path.text == NULL || keelback_mkdtemp(path.text) == NULL) {
        keelback_add(why, "  the runtime inside the plugin: cannot make a directory in %s\n",
                     directory == NULL ? "/tmp" : directory);
        keelback_free(path.text);
        return NULL;
    }
    keelback_add(&path, "/libkeelback_runtime.so");
    file = keelback_open(path.text, 0102 | 0200 | KEELBACK_O_CLOEXEC, 0700);
    if (file >= 0 && keelback_write_all(file))
        runtime = keelback_try_runtime(path.text, found, why);
    else
        keelback_add(why, "  the runtime inside the plugin: cannot write %s\n", path.text);
    if (file >= 0)
        keelback_close(file);
    keelback_unlink(path.text);
    keelback_cut(&path);
    keelback_rmdir(path.text);
    keelback_free(path.text);
    return runtime;
}
#endif

/* The prefix that the Python's standard library is under: what is known of it, or the directory above its libpython
 * (or executable) that has lib/python3.N. */
static KEELBACK_COLD char *keelback_home_of(const keelback_found_t *found)
{
    const char *file = found->python.libpython;
    keelback_text_t home = {NULL, 0};
    char *real;
    int level;
    if (found->python.home != NULL) {
        keelback_add(&home, "%s", found->python.home);
        return home.text;
    }
    if (file == NULL)
        file = keelback_file_of(keelback_symbol(found->handle, "Py_IsInitialized", NULL));
    real = file == NULL ? NULL : keelback_realpath(file, NULL);
    keelback_add(&home, "%s", real == NULL ? "" : real);
    keelback_free(real);
    for (level = 0; level < 4; level++) {
        keelback_text_t library = {NULL, 0};
        int there;
        keelback_cut(&home);
        keelback_add(&library, "%s/lib/python%u.%u%s", home.text, found->version >> 8, found->version & 255,
                     found->free_threaded ? "t" : "");
        there = keelback_exists(library.text);
        keelback_free(library.text);
        if (there)
            return home.text;
    }
    keelback_free(home.text);
    return NULL;
}

/* Finds the runtime for the Python that was found. */
static KEELBACK_COLD const keelback_runtime_t *keelback_find_runtime(keelback_found_t *found, const char *directory,
                                                                     keelback_text_t *why)
{
    const char *wish = keelback_getenv("KEELBACK_RUNTIME");
    const keelback_runtime_t *runtime = keelback_present_runtime(found, why);
    keelback_text_t prefix = {NULL, 0};
    if (runtime != NULL)
        return runtime;
    if (wish != NULL) {
        keelback_add(why, "  KEELBACK_RUNTIME is set:\n");
        return keelback_try_runtime(wish, found, why);
    }
    keelback_add(why, "  KEELBACK_RUNTIME: not set\n");
#if KEELBACK_STANDALONE
    runtime = keelback_carried_runtime(found, why);
    if (runtime != NULL)
        return runtime;
#endif
    if (found->python.bundle != NULL) {
        keelback_add(&prefix, "%s/lib", found->python.bundle);
        runtime = keelback_runtime_in(prefix.text, found, why);
        keelback_free(prefix.text);
        prefix.text = NULL;
    }
    if (runtime == NULL && directory != NULL)
        runtime = keelback_runtime_in(directory, found, why);
    if (runtime == NULL && keelback_recorded()->runtime != NULL)
        runtime = keelback_try_runtime(keelback_recorded()->runtime, found, why);
    /* The package: of the venv, then of the installation. */
    if (runtime == NULL && found->python.executable != NULL) {
        keelback_cut_to(&prefix, found->python.executable);
        keelback_cut(&prefix);
        runtime = keelback_runtime_of(prefix.text, found, why);
    }
    if (runtime == NULL) {
        char *home = keelback_home_of(found);
        if (home != NULL && (prefix.text == NULL || !keelback_same_file(home, prefix.text)))
            runtime = keelback_runtime_of(home, found, why);
        keelback_free(home);
    }
    keelback_free(prefix.text);
    return runtime;
}

/* -- Loading and starting -- */

/* Under the lock. Fills in keelback_the_python and keelback_the_runtime, or appends to `why`. */
static KEELBACK_COLD const keelback_runtime_t *keelback_load(keelback_found_t *found, keelback_text_t *why)
{
    const keelback_runtime_t *runtime;
    keelback_text_t tried = {NULL, 0};
    char *directory = keelback_own_directory();
    __builtin_memset(found, 0, sizeof *found);
    if (!keelback_find_python(found, directory, &tried)) {
        keelback_add(why,
                     "%s: no libpython could be loaded, so Python cannot be started. Tried:\n%s"
                     "Install Python %s with its shared library (Debian, Ubuntu: apt install libpython%s; Fedora: dnf "
                     "install python3-libs; pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install %s), or set "
                     "KEELBACK_PYTHON to the path of a libpython or of a python executable.\n",
                     keelback_this()->module_name, tried.text == NULL ? "" : tried.text,
                     keelback_recorded()->version, keelback_recorded()->version, keelback_recorded()->version);
        runtime = NULL;
    } else {
        keelback_free(tried.text);
        tried.text = NULL;
        tried.length = 0;
        keelback_ask_version(found);
        runtime = keelback_find_runtime(found, directory, &tried);
        if (runtime == NULL)
            keelback_add(why,
                         "%s: no Keelback runtime for Python %u.%u%s (%s) could be loaded. Tried:\n%s"
                         "Install the package keelback into that Python (pip install keelback), or set "
                         "KEELBACK_RUNTIME to the path of its runtime.\n",
                         keelback_this()->module_name, found->version >> 8, found->version & 255,
                         found->free_threaded ? "t" : "",
                         found->python.libpython == NULL ? "the process's own" : found->python.libpython,
                         tried.text == NULL ? "" : tried.text);
    }
    keelback_free(tried.text);
    keelback_free(directory);
    if (runtime != NULL) {
        keelback_answer();
        keelback_the_python = found->python;
        __atomic_store_n(&keelback_the_runtime, runtime, __ATOMIC_RELEASE);
    }
    return runtime;
}

/* A Python that runs already knows best where its packages are: lets it import the runtime. */
static KEELBACK_COLD int keelback_import_runtime(const keelback_found_t *found)
{
    void (*is_initialized)(void), (*ensure)(void), (*release)(void), (*import)(void), (*decref)(void), (*clear)(void);
    void *module;
    int state;
    if (found->version == 0)
        return 0;
    if (keelback_symbol(found->handle, "Py_IsInitialized", &is_initialized) == NULL
        || !((int (*)(void))is_initialized)()
        || keelback_symbol(found->handle, "PyGILState_Ensure", &ensure) == NULL
        || keelback_symbol(found->handle, "PyGILState_Release", &release) == NULL
        || keelback_symbol(found->handle, "PyImport_ImportModule", &import) == NULL
        || keelback_symbol(found->handle, "Py_DecRef", &decref) == NULL
        || keelback_symbol(found->handle, "PyErr_Clear", &clear) == NULL)
        return 0;
    state = ((int (*)(void))ensure)();
    module = ((void *(*)(const char *))import)("keelback._runtime");
    if (module == NULL)
        ((void (*)(void))clear)();
    else
        ((void (*)(void *))decref)(module);
    ((void (*)(int))release)(state);
    return module != NULL;
}

/* The runtime, or NULL and keelback_thread_failure. */
static KEELBACK_COLD const keelback_runtime_t *keelback_need_runtime(void)
{
    const keelback_runtime_t *runtime = __atomic_load_n(&keelback_the_runtime, __ATOMIC_ACQUIRE);
    unsigned int attempts = __atomic_load_n(&keelback_attempts, __ATOMIC_ACQUIRE);
    keelback_found_t found;
    keelback_text_t why = {NULL, 0};
    if (runtime != NULL)
        return runtime;
    keelback_lock();
    runtime = keelback_the_runtime;
    if (runtime == NULL && attempts != keelback_attempts && keelback_failure != NULL) {
        /* Another thread failed while this one waited: one search is enough for both. */
        keelback_thread_failure = keelback_failure;
        keelback_unlock();
        return NULL;
    }
    if (runtime == NULL)
        runtime = keelback_load(&found, &why);
    keelback_unlock();
    if (runtime == NULL && keelback_import_runtime(&found)) {
        keelback_free(why.text);
        why.text = NULL;
        why.length = 0;
        keelback_lock();
        runtime = keelback_the_runtime;
        if (runtime == NULL)
            runtime = keelback_load(&found, &why);
        keelback_unlock();
    }
    keelback_lock();
    if (runtime == NULL) {
        keelback_thread_failure = keelback_keep(&why);
        __atomic_store_n(&keelback_failure, keelback_thread_failure, __ATOMIC_RELEASE);
        __atomic_store_n(&keelback_attempts, keelback_attempts + 1, __ATOMIC_RELEASE);
    } else {
        keelback_free(why.text);
        __atomic_store_n(&keelback_failure, (const char *)NULL, __ATOMIC_RELEASE);
    }
    keelback_unlock();
    return runtime;
}

/* 0, or a negative code and keelback_thread_failure. */
static KEELBACK_COLD int keelback_start(void)
{
    keelback_plugin_t *plugin = keelback_this();
    const keelback_runtime_t *runtime = keelback_need_runtime();
    keelback_text_t why = {NULL, 0};
    const char *told;
    int code;
    if (runtime == NULL)
        return -1;
    __atomic_store_n(&keelback_failure, (const char *)NULL, __ATOMIC_RELEASE);
    code = runtime->start(plugin, &keelback_the_python);
    if (code == 0) {
        keelback_thread_failure = NULL;
        return 0;
    }
    told = runtime->last_error(plugin);
    if (told == NULL)
        keelback_add(&why, "%s: Python could not be started (code %d)\n", plugin->module_name, code);
    else
        keelback_add(&why, "%s", told);
    keelback_lock();
    keelback_thread_failure = keelback_keep(&why);
    __atomic_store_n(&keelback_failure, keelback_thread_failure, __ATOMIC_RELEASE);
    keelback_unlock();
    return code < 0 ? code : -code;
}

/* Tells the error handler, or standard error: in full once, then in one line. */
static KEELBACK_COLD void keelback_report(const char *function)
{
    const char *failure = keelback_thread_failure;
    keelback_error_handler_t handler;
    keelback_text_t line = {NULL, 0};
    void *data;
    int again;
    keelback_lock();
    handler = keelback_handler;
    data = keelback_handler_data;
    again = keelback_reported == failure;
    keelback_reported = failure;
    keelback_unlock();
    if (handler != NULL) {
        handler(function, failure, data);
        return;
    }
    if (!again)
        keelback_add(&line, "%s", failure);
    keelback_add(&line, "%s: %s was called, but Python could not be started%s\n", keelback_this()->module_name,
                 function, again ? " (the reason was told before)" : "");
    if (line.text != NULL && keelback_write(2, line.text, line.length) < 0) {
        /* Nobody is left to tell. */
    }
    keelback_free(line.text);
}

/* Where every stub jumps until the init code has run. */
KEELBACK_SHARED KEELBACK_COLD void keelback_slow_path(keelback_function_t *function, void *slots)
{
    int saved_errno = *keelback_errno_location();
    keelback_dispatch_t dispatch = NULL;
    /* Called from the loader's own work: there is nothing to call yet, and nothing to wait for. */
    if (keelback_loading == 0) {
        const char *failure = __atomic_load_n(&keelback_failure, __ATOMIC_ACQUIRE);
        if (failure != NULL) {
            /* A failed start is tried again by NAME_start, not by every call. */
            keelback_thread_failure = failure;
        } else if (keelback_start() == 0) {
            /* Still this function: the init code is running, on this thread, and calls its own plugin. */
            dispatch = __atomic_load_n(&keelback_this()->dispatch, __ATOMIC_ACQUIRE);
            if (dispatch == keelback_slow_path)
                dispatch = keelback_the_runtime->dispatch;
        }
        if (dispatch == NULL)
            keelback_report(function->name);
    }
    *keelback_errno_location() = saved_errno;
    if (dispatch != NULL)
        dispatch(function, slots);
    else if (function->start_error != NULL)
        __builtin_memcpy(slots, function->start_error, function->result_size);
    else
        __builtin_memset(slots, 0, function->result_size);
}

KEELBACK_SHARED KEELBACK_COLD int keelback_start_now(const char *report_as)
{
    int saved_errno = *keelback_errno_location();
    int code = keelback_loading != 0 ? -1 : keelback_start();
    if (code != 0 && report_as != NULL && keelback_loading == 0)
        keelback_report(report_as);
    *keelback_errno_location() = saved_errno;
    return code;
}

KEELBACK_SHARED KEELBACK_COLD const char *keelback_last_failure(void)
{
    const keelback_runtime_t *runtime = __atomic_load_n(&keelback_the_runtime, __ATOMIC_ACQUIRE);
    const char *told = runtime == NULL ? NULL : runtime->last_error(keelback_this());
    return told != NULL ? told : keelback_thread_failure;
}

KEELBACK_SHARED KEELBACK_COLD void keelback_handle_errors(keelback_error_handler_t handler, void *data)
{
    const keelback_runtime_t *runtime;
    keelback_plugin_t *plugin = keelback_this();
    keelback_lock();
    keelback_handler = handler;
    keelback_handler_data = data;
    runtime = keelback_the_runtime;
    if (runtime == NULL) {
        plugin->error_handler = handler;
        plugin->error_handler_data = data;
    }
    keelback_unlock();
    if (runtime != NULL)
        runtime->set_error_handler(plugin, handler, data);
}

KEELBACK_SHARED KEELBACK_COLD void *keelback_import(void)
{
    const keelback_runtime_t *runtime = keelback_need_runtime();
    if (runtime == NULL) {
        void (*set)(void);
        void *const *error = (void *const *)keelback_symbol(KEELBACK_RTLD_DEFAULT, "PyExc_ImportError", NULL);
        if (error != NULL && keelback_symbol(KEELBACK_RTLD_DEFAULT, "PyErr_SetString", &set) != NULL)
            ((void (*)(void *, const char *))set)(*error, keelback_thread_failure);
        return NULL;
    }
    return runtime->import(keelback_this());
}

#if defined(__clang__)
#pragma clang optimize on
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif

#ifdef __cplusplus
}
#endif
