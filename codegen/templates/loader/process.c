
/* -- Finding the Python of this process, and opening a libpython -- */

/* The Python that was found. */
typedef struct keelback_found_t {
    keelback_python_t python;
    /* 0x030B for 3.11 */
    unsigned int version;
    unsigned int free_threaded;
    /* The handle for dlsym. */
    void *handle;
} keelback_found_t;

/* dlsym. A function's address is copied into `function`: C has no cast from an object pointer to a function pointer. */
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
    /* Py_Version (from 3.11 on) and Py_GetVersion can be used before Python is initialised. */
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
    real_one = keelback_realpath(one);
    real_other = keelback_realpath(other);
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

/* Only copies the name, because the dynamic linker holds its lock here. */
static KEELBACK_COLD int keelback_visit(keelback_object_t *object, size_t size, void *data)
{
    (void)size;
    if (!keelback_is_libpython(object->name))
        return 0;
    keelback_add((keelback_text_t *)data, "%s", object->name);
    return 1;
}
#endif

/* RTLD_GLOBAL; 0 where the plugin was opened with dlmopen() in a namespace of its own: glibc has no global scope there, and
 * crashes over it (https://sourceware.org/bugzilla/show_bug.cgi?id=15971 and its kin). */
static KEELBACK_COLD int keelback_global(void)
{
    static const char marker = 0;
    static int known = -1;
    long space = 0;
    void *map = NULL;
    keelback_dl_info_t info;
    void (*dladdr1)(void), (*dlinfo)(void);
    if (known >= 0)
        return known;
    /* Not every C library has these; those that do not have no namespaces. 2: RTLD_DL_LINKMAP; 1: RTLD_DI_LMID. */
    if (keelback_symbol(KEELBACK_RTLD_DEFAULT, "dladdr1", &dladdr1) != NULL
        && keelback_symbol(KEELBACK_RTLD_DEFAULT, "dlinfo", &dlinfo) != NULL
        && ((int (*)(const void *, keelback_dl_info_t *, void **, int))dladdr1)(&marker, &info, &map, 2) != 0
        && map != NULL)
        ((int (*)(void *, int, void *))dlinfo)(map, 1, &space);
    known = space == 0 ? KEELBACK_RTLD_GLOBAL : 0;
    return known;
}

/* An interpreter that the process has already, started or not. Takes the global scope's, else makes a hidden one
 * global: the standard library's extension modules are not linked to libpython, and look for its symbols there. */
static KEELBACK_COLD int keelback_find_present(keelback_found_t *found)
{
    void *address = keelback_symbol(KEELBACK_RTLD_DEFAULT, "Py_IsInitialized", NULL);
    const char *file = address == NULL ? NULL : keelback_file_of(address);
    found->handle = KEELBACK_RTLD_DEFAULT;
    if (address != NULL && !keelback_is_libpython(file))
        return 1;
    if (keelback_global() == 0) {
        /* In such a namespace, only libraries that the plugin is linked to have their symbols visible to all. */
        found->python.libpython = file;
        return address != NULL;
    }
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
    if (!keelback_is_whole(path, origin, why))
        return 0;
    found->handle = keelback_dlopen(path, KEELBACK_RTLD_NOW | keelback_global());
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
        /* A library that is linked with libpython finds the symbol too: make sure that this file is the libpython. */
        if (__builtin_strncmp(keelback_base_name(path), "libpython", 9) != 0
            && !keelback_same_file(keelback_file_of(address), path)) {
            keelback_add(why, "  %s: %s is no libpython: it is linked with %s\n", origin, path,
                         keelback_file_of(address));
            keelback_dlclose(found->handle);
            return 0;
        }
        path = keelback_file_of(address);
    }
    if (keelback_telling)
        keelback_add(why, "  %s: %s\n", origin, path);
    found->python.libpython = path;
    return 1;
}
