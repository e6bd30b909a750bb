#include <stdarg.h>
#include <stdbool.h>

typedef struct handle handle_t;
typedef struct { char text[12]; int code; } status_t;
struct session { void *next; int id; };
typedef unsigned short number_t;
typedef struct pair { short a; long b; } pair_t;
enum mode { READ, WRITE = 7, APPEND };
#define LIMIT (1u << 31)
#define VERSION -3
#define DEPTH 12
static const double RATIO = 0.5;
#define TITLE ((char *)"title")
#define maximum(a, b) ((a) > (b) ? (a) : (b))

CFFI_DLLEXPORT int counter;
static int table[] = {1, 2, 3}, fixed[3];
static long shared;

static int on_event(int code);
#ifdef __cplusplus
extern "C"
#endif
void on_done(pair_t *pair);

static int helper(int a, double b)
{
    counter += twice(a);
    return cffi_start_python() + on_event((int)b) + table[0] + fixed[0] + (int)shared;
}
static pair_t swap(pair_t pair, long double c)
{
    pair_t swapped;
    swapped.a = (short)pair.b;
    swapped.b = pair.a + (long)c;
    on_done(&swapped);
    return swapped;
}
static void nothing(void) {}
static const char *describe(enum mode mode)
{
    return mode == READ ? "read" : "write";
}
static int log_all(const char *format, ...)
{
    return format != 0;
}
static bool is_set(bool flag)
{
    return flag;
}
KEELBACK_EXPORT int by_hand(int a);
int by_hand(int a)
{
    return helper(a, 1.0);
}
enum exact { EXACT_LOW = -3, EXACT_ONE = 1, EXACT_BIG = 0x7fffffff };
