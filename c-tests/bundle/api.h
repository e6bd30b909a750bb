/** What the init code found of `name`; the text lives until the next call. */
const char *ask(const char *name);
