
/* -- Loading and starting -- */

/* The caller holds the lock. Sets keelback_the_python and keelback_the_runtime, or appends the reasons to `why`. */
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
                     "KEELBACK_PYTHON to the path of a libpython or of a python executable. Or put a Python beside the "
                     "library: keelback bundle, where it was built.\n",
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

/* A Python that runs already knows best where its packages are: lets it import the runtime. in_python: the thread is in
 * it, perhaps in a sub-interpreter, whose state PyGILState_Ensure does not know. */
static KEELBACK_COLD int keelback_import_runtime(const keelback_found_t *found, int in_python)
{
    void (*is_initialized)(void), (*ensure)(void), (*release)(void), (*import)(void), (*decref)(void), (*clear)(void);
    void *module;
    int state = 0;
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
    if (!in_python)
        state = ((int (*)(void))ensure)();
    module = ((void *(*)(const char *))import)("keelback._runtime");
    if (module == NULL)
        ((void (*)(void))clear)();
    else
        ((void (*)(void *))decref)(module);
    if (!in_python)
        ((void (*)(int))release)(state);
    return module != NULL;
}

/* Returns the runtime; or NULL, and sets keelback_thread_failure. */
static KEELBACK_COLD const keelback_runtime_t *keelback_need_runtime(int in_python)
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
        /* Another thread's search failed while this one waited for the lock: do not search again. */
        keelback_thread_failure = keelback_failure;
        keelback_unlock();
        return NULL;
    }
    if (runtime == NULL)
        runtime = keelback_load(&found, &why);
    keelback_unlock();
    if (runtime == NULL && keelback_import_runtime(&found, in_python)) {
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

/* Returns 0; or a negative code, and sets keelback_thread_failure. */
static KEELBACK_COLD int keelback_start(void)
{
    keelback_plugin_t *plugin = keelback_this();
    const keelback_runtime_t *runtime = keelback_need_runtime(0);
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
