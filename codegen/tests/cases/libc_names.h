/* A plugin interface may ask for names that the C library has too. */
int link(int a), connect(double b), select(void);
long time_now(void);
struct stat;
int stat(struct stat *stat);
