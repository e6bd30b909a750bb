
/* -- Where the plugin is, and what is beside it -- */

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
    /* A relative name is relative to the working directory at the time of dlopen, which may have changed. */
    if (file != NULL && *file != '/')
        file = mapped = keelback_mapped_file(&marker);
#endif
    if (file != NULL)
        real = keelback_realpath(file);
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
        if (i == 0) {
            size_t name;
            keelback_add(&path, "%s/", directory);
            name = path.length;
            keelback_add(&path, "%s.keelback", keelback_this()->module_name);
            /* As in C names, a dotted name has `_` for its dots; the last dot is that of the ending. */
            for (; path.text != NULL && name + sizeof ".keelback" - 1 < path.length; name++)
                if (path.text[name] == '.')
                    path.text[name] = '_';
        } else
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
