
/* -- Opening a runtime -- */

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

/* The runtime that another plugin has made global, if there is one: all plugins of a process share it. */
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
    if (!keelback_is_whole(path, "", why))
        return NULL;
    /* Lazy and local, so that a runtime for another Python can be examined and closed again. */
    handle = keelback_dlopen(path, KEELBACK_RTLD_LAZY);
    if (handle == NULL) {
        const char *error = keelback_dlerror();
        keelback_note_t note;
        keelback_runtime_t described;
        /* It may be for another Python, and need functions that this one does not have: read its note. */
        __builtin_memset(&described, 0, sizeof described);
        if (keelback_read_note(path, &note)) {
            described.abi_version = note.abi_version;
            described.python_version = note.python_version;
            described.free_threaded = note.free_threaded;
            described.keelback_version = note.keelback_version;
        }
        if (described.keelback_version == NULL || keelback_runtime_fits(&described, path, found, why))
            keelback_add(why, "  %s\n", error);
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
    if (keelback_telling)
        keelback_add(why, "  %s: fits\n", path);
    /* If two plugins make their runtimes global at the same time, both then use the one that comes first. */
    keelback_dlopen(path, KEELBACK_RTLD_LAZY | KEELBACK_RTLD_NOLOAD | keelback_global());
    first = keelback_present_runtime(found, &unused);
    keelback_free(unused.text);
    return first == NULL ? runtime : first;
}
