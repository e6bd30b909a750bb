int add(int a, int b);
/* What came of importing C extensions of the standard library, one line. */
const char *extensions(void);
/* How often the init code has run in this process. */
int init_runs(void);
