int add(int a, int b);
int init_runs(void);
/* 1 on the thread that ran the init code. */
int is_init_thread(void);
/* How many threads Python has a state for. */
int thread_states(void);
/* A value kept per thread by threading.local: how often this thread has asked. */
int asked_here(void);
