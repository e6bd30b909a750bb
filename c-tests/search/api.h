/** What is at work: sys.prefix, sys.executable, the file of libpython, the file of the runtime; each on a line. */
const char *found(void);
