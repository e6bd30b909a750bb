
/* -- fork() of the host -- */

/* A fork waits until no other thread is in the loader: the child would find the lock taken, and libraries half mapped.
 * Then the runtime, if there is one by now, gets itself into a state that a child can go on with; it may run Python, so
 * the lock is free meanwhile. A fork that the loader's own dlopen leads to has nobody to wait for. */
static KEELBACK_COLD void keelback_before_fork(void)
{
    const keelback_runtime_t *runtime;
    if (keelback_loading != 0)
        return;
    keelback_take();
    runtime = keelback_the_runtime;
    if (runtime != NULL) {
        keelback_release();
        runtime->fork(KEELBACK_FORK_BEFORE);
        keelback_take();
    }
    keelback_forking_runtime = runtime;
    keelback_forking = 1;
    __atomic_store_n(&keelback_fork_is_near, 1, __ATOMIC_RELEASE);
}

static KEELBACK_COLD void keelback_after_fork(unsigned int step)
{
    if (keelback_forking) {
        const keelback_runtime_t *runtime = keelback_forking_runtime;
        keelback_forking = 0;
        __atomic_store_n(&keelback_fork_is_near, 0, __ATOMIC_RELEASE);
        keelback_release();
        if (runtime != NULL)
            runtime->fork(step);
    }
}

static KEELBACK_COLD void keelback_after_fork_in_parent(void)
{
    keelback_after_fork(KEELBACK_FORK_PARENT);
}

static KEELBACK_COLD void keelback_after_fork_in_child(void)
{
    keelback_after_fork(KEELBACK_FORK_CHILD);
}

/* When the plugin is loaded: what the host registers later runs earlier before a fork, so a lock that its handler takes,
 * and that its threads hold when they call, comes before Python's own here too. */
__attribute__((constructor, cold, noinline)) static void keelback_watch_forks(void)
{
    keelback_pthread_atfork(keelback_before_fork, keelback_after_fork_in_parent, keelback_after_fork_in_child);
}
