/* A licence, which documents nothing. */

/** Adds two numbers. */
int add(int a, int b);
int undocumented(void); // belongs to undocumented
/// Says
/// hello.
const char *hello(const char *name, ...);
int (*signal_like(int sig, void (*handler)(int)))(int);
void takes(int array[10], int function(int), int matrix[][4], char *restrict s);
typedef int callback_t(void *, size_t);
typedef callback_t *callback_p;
callback_t is_a_function;
extern "Python" int from_python(int x, struct node *n);
extern "Python+C" {
    void first(void);
    /* The second. */
    double second(float);
}
extern "C" { extern int errno_like; }
static inline int inlined(void);
int __stdcall convention(int) __attribute__((nonnull));
extern __thread int per_thread;
extern void (*table[4])(int);
FILE *open_it(const char *path);
