
/* -- The loader's functions for the plugin -- */

/* Reports this thread's failure to the error handler, or on standard error: there once in full, then in one line. */
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
    if (handler == NULL)
        keelback_reported = failure;
    keelback_unlock();
    if (handler != NULL) {
        handler(function, failure, data);
        return;
    }
    if (!again)
        keelback_add(&line, "%s", failure);
    keelback_add(&line, "%s: %s was called, but its Python code could not be started%s\n", keelback_this()->module_name,
                 function, again ? " (the reason was told before)" : "");
    if (line.text != NULL && keelback_write(2, line.text, line.length) < 0) {
        /* Standard error is closed: the message is lost. */
    }
    keelback_free(line.text);
}

/* NAME_leave of a thread that is in no scope, because there is no Python. `prefix` is NAME. */
static KEELBACK_COLD void keelback_report_no_scope(const char *prefix)
{
    keelback_error_handler_t handler;
    keelback_text_t line = {NULL, 0}, function = {NULL, 0};
    void *data;
    keelback_lock();
    handler = keelback_handler;
    data = keelback_handler_data;
    keelback_unlock();
    keelback_add(&function, "%s_leave", prefix);
    keelback_add(&line, "%s_leave(): this thread is in no scope here: no %s_enter() has returned 0\n", prefix, prefix);
    if (handler != NULL && function.text != NULL && line.text != NULL)
        handler(function.text, line.text, data);
    else if (handler == NULL && line.text != NULL && keelback_write(2, line.text, line.length) < 0) {
        /* Standard error is closed: the message is lost. */
    }
    keelback_free(function.text);
    keelback_free(line.text);
}

/* Writes what a call returns that Python gave no result for: in a batch, to each element of its array. */
static KEELBACK_COLD void keelback_give_error(const keelback_function_t *function, char *slots)
{
    char *result = slots;
    size_t size = function->result_size, count = 1;
    if (size != 0 && function->batch_of != 0) {
        __builtin_memcpy(&count, slots, sizeof count);
        __builtin_memcpy(&result, slots + 8 * function->batch_result, sizeof result);
        /* More than there can be: no array is that long. */
        if (count > (size_t)-1 / 2 / size)
            count = 0;
    }
    for (; count > 0; count--, result += size) {
        if (function->start_error != NULL)
            __builtin_memcpy(result, function->start_error, size);
        else
            __builtin_memset(result, 0, size);
    }
}

/* The function that every stub calls until the init code has run. */
KEELBACK_SHARED KEELBACK_COLD void keelback_slow_path(keelback_function_t *function, void *slots)
{
    int saved_errno = *keelback_errno_location();
    keelback_dispatch_t dispatch = NULL;
    /* Not if the loader's own dlopen calls (an exported `open`): nothing is loaded yet, and waiting would block. */
    if (keelback_loading == 0) {
        const char *failure = __atomic_load_n(&keelback_failure, __ATOMIC_ACQUIRE);
        if (failure != NULL) {
            /* A failed start is tried again by NAME_start, not by every call. */
            const keelback_runtime_t *runtime = __atomic_load_n(&keelback_the_runtime, __ATOMIC_ACQUIRE);
            keelback_thread_failure = failure;
            if (runtime != NULL)
                runtime->record(keelback_this(), failure);
        } else if (keelback_start() == 0) {
            /* If `dispatch` is still this function, the init code runs on this thread, and calls its own plugin. */
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
    else
        keelback_give_error(function, (char *)slots);
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

/* Starts the plugin, as a call does: a start that failed is not tried again. */
static KEELBACK_COLD int keelback_start_for_scope(void)
{
    const char *failure = __atomic_load_n(&keelback_failure, __ATOMIC_ACQUIRE);
    const keelback_runtime_t *runtime = __atomic_load_n(&keelback_the_runtime, __ATOMIC_ACQUIRE);
    if (failure == NULL || keelback_loading != 0)
        return keelback_start_now(NULL);
    keelback_thread_failure = failure;
    if (runtime != NULL)
        runtime->record(keelback_this(), failure);
    return -1;
}

KEELBACK_SHARED int keelback_enter_scope(void)
{
    keelback_plugin_t *plugin = keelback_this();
    if (__atomic_load_n(&plugin->dispatch, __ATOMIC_ACQUIRE) == keelback_slow_path && keelback_start_for_scope() != 0)
        return -1;
    return keelback_the_runtime->enter(plugin);
}

KEELBACK_SHARED void keelback_leave_scope(const char *prefix)
{
    const keelback_runtime_t *runtime = __atomic_load_n(&keelback_the_runtime, __ATOMIC_ACQUIRE);
    int saved_errno = *keelback_errno_location();
    if (runtime != NULL) {
        runtime->leave(keelback_this());
        return;
    }
    keelback_report_no_scope(prefix);
    *keelback_errno_location() = saved_errno;
}

KEELBACK_SHARED KEELBACK_COLD void keelback_search(keelback_search_t *search)
{
    keelback_found_t found;
    keelback_text_t steps = {NULL, 0};
    const keelback_runtime_t *runtime = NULL;
    char *directory;
    __builtin_memset(search, 0, sizeof *search);
    __builtin_memset(&found, 0, sizeof found);
    keelback_lock();
    keelback_telling = 1;
    directory = keelback_own_directory();
    if (keelback_find_python(&found, directory, &steps)) {
        search->python_steps = steps.text;
        steps.text = NULL;
        steps.length = 0;
        keelback_ask_version(&found);
        search->python = found.python;
        search->python_version = found.version;
        search->free_threaded = found.free_threaded;
        runtime = keelback_find_runtime(&found, directory, &steps);
        search->runtime_steps = steps.text;
    } else
        search->python_steps = steps.text;
    if (runtime != NULL)
        search->runtime = keelback_file_of(runtime);
    keelback_free(directory);
    keelback_telling = 0;
    keelback_unlock();
}

KEELBACK_SHARED KEELBACK_COLD void *keelback_import(void)
{
    const keelback_runtime_t *runtime = keelback_need_runtime(1);
    if (runtime == NULL) {
        void (*set)(void);
        void *const *error = (void *const *)keelback_symbol(KEELBACK_RTLD_DEFAULT, "PyExc_ImportError", NULL);
        if (error != NULL && keelback_symbol(KEELBACK_RTLD_DEFAULT, "PyErr_SetString", &set) != NULL)
            ((void (*)(void *, const char *))set)(*error, keelback_thread_failure);
        return NULL;
    }
    return runtime->import(keelback_this());
}
