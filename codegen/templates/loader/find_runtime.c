
/* -- Which runtime -- */

/* <directory>/libkeelback_runtime.so, with or without Python's version in its name; NULL if there is none. */
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
    if (keelback_telling && runtime == NULL)
        keelback_add(why, "  %s: no libkeelback_runtime fits there\n", directory);
    return runtime;
}

/* The runtime in the `keelback` package of an installation or a venv. */
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
    real = file == NULL ? NULL : keelback_realpath(file);
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
    if (keelback_telling)
        keelback_add(why, "  this process: has no runtime\n");
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
