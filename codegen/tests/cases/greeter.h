/* A greeter, as small as a library gets. */

/** The sum of two numbers. */
int add1(int x, int y);

/// A greeting for `name`. The text is good until the next call.
const char *greet(const char *name);
