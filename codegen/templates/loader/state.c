
/* -- What has been found, what failed, the lock -- */

/* Set once, under the lock; then read without it. */
static const keelback_runtime_t *keelback_the_runtime;
static keelback_python_t keelback_the_python;

/* Failures are never freed, because callers of NAME_last_error hold pointers to their texts. */
typedef struct keelback_failure_t {
    struct keelback_failure_t *older;
    const char *text;
} keelback_failure_t;
static keelback_failure_t *keelback_failures;
static const char *keelback_failure;
/* The failure that was reported in full. Further calls that fail for it report one line. */
static const char *keelback_reported;
static unsigned int keelback_attempts;
static keelback_error_handler_t keelback_handler;
static void *keelback_handler_data;

static __thread const char *keelback_thread_failure;
/* Whether this thread is in the loader: its own dlopen may call a function of the API (an exported `open`, say). */
static __thread int keelback_loading;

/* Whether `keelback inspect` asks: then `why` gets every step of the search, not just the failures. */
static int keelback_telling;

/* Held while files are looked for and mapped, never while Python code runs. A pthread_mutex_t would need a header. */
static int keelback_locked;
/* Whether this thread holds the lock during a fork; whether any thread does; the runtime that was told of the fork. */
static __thread int keelback_forking;
static int keelback_fork_is_near;
static const keelback_runtime_t *keelback_forking_runtime;

static KEELBACK_COLD void keelback_take(void)
{
    int patience = 5000;
    while (__atomic_exchange_n(&keelback_locked, 1, __ATOMIC_ACQUIRE)) {
        /* Another plugin's handler may be waiting for a start that has come to this plugin: for the caller. Who forks does
         * nothing with the lock but keep others out. */
        if (__atomic_load_n(&keelback_fork_is_near, __ATOMIC_ACQUIRE) && --patience < 0)
            return;
        keelback_usleep(200);
    }
}

static KEELBACK_COLD void keelback_release(void)
{
    __atomic_store_n(&keelback_locked, 0, __ATOMIC_RELEASE);
}

static KEELBACK_COLD void keelback_lock(void)
{
    if (keelback_forking == 0)
        keelback_take();
    keelback_loading++;
}

static KEELBACK_COLD void keelback_unlock(void)
{
    keelback_loading--;
    if (keelback_forking == 0)
        keelback_release();
}
