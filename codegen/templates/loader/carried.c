
/* -- The runtime that the plugin carries -- */

#if KEELBACK_STANDALONE
/* The runtime that the plugin carries, as a file that exists only in memory or, where that is not allowed, for a
 * moment. */
extern const char keelback_carried[] KEELBACK_LIBC(KEELBACK_CARRIED_SYMBOL) __attribute__((visibility("hidden")));
extern const char keelback_carried_end[] KEELBACK_LIBC(KEELBACK_CARRIED_SYMBOL "_end")
    __attribute__((visibility("hidden")));
extern int keelback_memfd_create(const char *name, unsigned int flags) KEELBACK_LIBC("memfd_create");
extern int keelback_fcntl(int file, int command, ...) KEELBACK_LIBC("fcntl");
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
    if (file >= 0 && file < 3) {
        /* The host has closed a standard stream: the next file that it opens is to be that. */
        int higher = keelback_fcntl(file, KEELBACK_F_DUPFD_CLOEXEC, 3);
        keelback_close(file);
        file = higher;
    }
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
