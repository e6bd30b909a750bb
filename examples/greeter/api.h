/** Greets `name` on standard output. Returns how many greetings were made so far, this one included. */
int greet(const char *name);
