/* What the library offers to C. Each function is written in Python, in plugin.py. */

/** The sum of both numbers. */
int @NAME@_add(int a, int b);

/** Writes a greeting for `name` to `text`, which has room for `size` bytes.
 *  Returns its length, or -1 if it does not fit. */
int @NAME@_greet(const char *name, char *text, size_t size);
