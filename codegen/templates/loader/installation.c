
/* -- A Python installation: from an executable to its libpython -- */

/* The version and kind of a Python, from the name of its executable. */
typedef struct {
    /* 3.`minor`; 0: not known. */
    unsigned int minor;
    /* It has no GIL. One prefix may have both kinds of the same version. */
    int free_threaded;
} keelback_kind_t;

/* <directory>/libpython3.N.so.1.0 under any of its names, those of the wanted kind first, or NULL. */
static KEELBACK_COLD char *keelback_libpython_in(const char *prefix, const char *directory, keelback_kind_t kind)
{
    static const char *const endings[] = {".so.1.0", ".so", ".dylib", "t.so.1.0", "t.so", "t.dylib"};
    size_t i, count = sizeof endings / sizeof *endings, first = kind.free_threaded ? count / 2 : 0;
    for (i = 0; i < count; i++) {
        keelback_text_t path = {NULL, 0};
        keelback_add(&path, "%s/%s/libpython3.%u%s", prefix, directory, kind.minor, endings[(first + i) % count]);
        if (keelback_exists(path.text))
            return path.text;
        keelback_free(path.text);
    }
    return NULL;
}

/* The libpython of an installation: of version 3.`minor` if that is not 0, else the newest. */
static KEELBACK_COLD char *keelback_libpython_of(const char *prefix, keelback_kind_t kind)
{
    static const char *const directories[] = {"lib", "lib64", "lib/" KEELBACK_ARCH "-linux-gnu"};
    unsigned int newest = kind.minor == 0 ? 40 : kind.minor, oldest = kind.minor == 0 ? 8 : kind.minor;
    for (kind.minor = newest; kind.minor >= oldest; kind.minor--) {
        size_t i;
        for (i = 0; i < sizeof directories / sizeof *directories; i++) {
            char *path = keelback_libpython_in(prefix, directories[i], kind);
            if (path != NULL)
                return path;
        }
    }
    return NULL;
}

/* Parses "python3.N", "python3.Nt" or "3.N.1". */
static KEELBACK_COLD keelback_kind_t keelback_kind_of(const char *text)
{
    keelback_kind_t kind = {0, 0};
    const char *point = keelback_strstr(text, "3.");
    if (point != NULL) {
        for (point += 2; *point >= '0' && *point <= '9'; point++)
            kind.minor = kind.minor * 10 + (unsigned int)(*point - '0');
        kind.free_threaded = *point == 't';
    }
    return kind;
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

/* The prefix and kind of a python executable's installation; for a venv, from `home` in its pyvenv.cfg. */
static KEELBACK_COLD char *keelback_prefix_of(const char *executable, keelback_kind_t *kind)
{
    keelback_text_t prefix = {NULL, 0}, config = {NULL, 0};
    char *real = keelback_realpath(executable);
    char contents[4096];
    ptrdiff_t length = 0;
    int file;
    kind->minor = 0;
    kind->free_threaded = 0;
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
        char *base = keelback_venv_value(contents, "executable");
        if (version == NULL)
            version = keelback_venv_value(contents, "version_info");
        /* A venv's executable may be a copy, whose name has no version. */
        if (base != NULL || real != NULL)
            *kind = keelback_kind_of(keelback_base_name(base != NULL ? base : real));
        if (version != NULL)
            kind->minor = keelback_kind_of(version).minor;
        if (home != NULL)
            keelback_add(&prefix, "%s", home);
        else if (real != NULL)
            keelback_add(&prefix, "%s", real);
        if (home == NULL)
            keelback_cut(&prefix);
        keelback_cut(&prefix);
        keelback_free(home);
        keelback_free(version);
        keelback_free(base);
    }
    keelback_free(config.text);
    keelback_free(real);
    return prefix.text;
}

/* Whether a file can be a python executable: it is called python..., by its own name or one that leads to it, and may be
 * run. What else lies in a directory beside a lib/ says nothing of the Python there. */
static KEELBACK_COLD int keelback_is_python(const char *file)
{
    char *real = keelback_realpath(file);
    int is_one = real != NULL && keelback_is_program(real)
                 && (__builtin_strncmp(keelback_base_name(file), "python", 6) == 0
                     || __builtin_strncmp(keelback_base_name(real), "python", 6) == 0);
    keelback_free(real);
    return is_one;
}

/* KEELBACK_PYTHON: a libpython, or a python executable whose libpython is looked for. 0 when there is none. */
static KEELBACK_COLD int keelback_resolve_wish(const char *wish, keelback_python_t *python, keelback_text_t *why)
{
    const char *name = keelback_base_name(wish);
    keelback_text_t copy = {NULL, 0};
    keelback_kind_t kind;
    char *prefix;
    /* Copy the text: the environment may change. */
    keelback_add(&copy, "%s", wish);
    if (keelback_strstr(name, ".so") != NULL || keelback_strstr(name, ".dylib") != NULL) {
        python->libpython = copy.text;
        return 1;
    }
    if (name == wish || !keelback_exists(wish)) {
        keelback_add(why, "  KEELBACK_PYTHON: there is no file '%s'\n", wish);
        return 0;
    }
    if (!keelback_is_python(wish)) {
        keelback_add(why, "  KEELBACK_PYTHON: %s is neither a libpython nor a python executable\n", wish);
        return 0;
    }
    prefix = keelback_prefix_of(wish, &kind);
    python->home = prefix;
    python->executable = copy.text;
    python->libpython = prefix == NULL ? NULL : keelback_libpython_of(prefix, kind);
    if (python->libpython == NULL) {
        keelback_add(why, "  KEELBACK_PYTHON: %s has no libpython under %s/lib\n", wish, prefix);
        return 0;
    }
    return 1;
}
