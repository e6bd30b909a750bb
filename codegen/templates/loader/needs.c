
/* -- What a bundle needs of this machine -- */

/* The number that follows `word` in `text`, and where it ends; -1 when there is none. */
static KEELBACK_COLD int keelback_number_after(const char *text, const char *word, const char **end)
{
    const char *at = keelback_strstr(text, word);
    int number = 0;
    if (at == NULL)
        return -1;
    at += __builtin_strlen(word);
    for (; *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (*at - '0');
    *end = at;
    return number;
}

#ifdef __x86_64__
/* The level of the x86-64 ABI that this processor supports, from some features of each level. */
static KEELBACK_COLD int keelback_x86_level(void)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt"))
        return 1;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("fma"))
        return 2;
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") ? 4 : 3;
}
#endif

/* What is read of a bundle's lib/needs. */
typedef struct {
    char text[256];
} keelback_needs_t;

/* Reads lib/needs; empty if there is none. */
static KEELBACK_COLD void keelback_read_needs(const char *bundle, keelback_needs_t *needs)
{
    keelback_text_t path = {NULL, 0};
    ptrdiff_t length = 0;
    int file;
    keelback_add(&path, "%s/lib/needs", bundle);
    file = path.text == NULL ? -1 : keelback_open(path.text, KEELBACK_O_CLOEXEC);
    keelback_free(path.text);
    if (file >= 0) {
        length = keelback_read(file, needs->text, sizeof needs->text - 1);
        keelback_close(file);
    }
    needs->text[length > 0 ? length : 0] = '\0';
}

/* The libpython of a bundle, or NULL. The line `python 3.11` says which it is, so that it is not searched for; bundles that
 * older versions of Keelback made have no such line. */
static KEELBACK_COLD char *keelback_bundled_libpython(const char *bundle, const keelback_needs_t *needs)
{
    const keelback_kind_t any = {0, 0};
    const char *said = keelback_strstr(needs->text, "python ");
    char *path = NULL;
    if (said != NULL)
        path = keelback_libpython_of(bundle, keelback_kind_of(said));
    return path != NULL ? path : keelback_libpython_of(bundle, any);
}

/* Whether the machine has what the bundle asks for: lines `glibc 2.36` and `x86-64-v3`. The dynamic linker would name a
 * symbol version, and a processor would stop at some instruction. */
static KEELBACK_COLD int keelback_can_use(const char *bundle, const keelback_needs_t *said, keelback_text_t *why)
{
    const char *needs = said->text, *end = "", *has = NULL;
    int major, minor, serves = 1;
    major = keelback_number_after(needs, "glibc ", &end);
    minor = keelback_number_after(end, ".", &end);
    if (major >= 0 && minor >= 0) {
        const char *(*version)(void);
        const char *rest = "";
        *(void **)&version = keelback_dlsym(KEELBACK_RTLD_DEFAULT, "gnu_get_libc_version");
        if (version != NULL)
            has = version();
        serves = has != NULL;
        if (serves) {
            int have = keelback_number_after(has, "", &rest);
            serves = have > major || (have == major && keelback_number_after(rest, ".", &rest) >= minor);
        }
        if (!serves)
            keelback_add(why,
                         "  the bundle: %s needs glibc %d.%d or newer, and this machine has %s. Make the bundle on a "
                         "system that is as old as the oldest it is for.\n",
                         bundle, major, minor, has != NULL ? has : "another C library");
    }
#ifdef __x86_64__
    if (keelback_number_after(needs, "x86-64-v", &end) > keelback_x86_level()) {
        keelback_add(why, "  the bundle: %s needs a processor of the level x86-64-v%d, and this one has x86-64-v%d.\n",
                     bundle, keelback_number_after(needs, "x86-64-v", &end), keelback_x86_level());
        serves = 0;
    }
#endif
    return serves;
}
