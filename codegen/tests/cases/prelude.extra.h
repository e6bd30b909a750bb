#define LIMIT ...
#define VERSION ...
enum mode { READ, WRITE = ..., ... };
static const int DEPTH;
static const double RATIO;
static char *const TITLE;
typedef int... number_t;
typedef struct pair { short a; long b; } pair_t;

int helper(int a, double b);
pair_t swap(pair_t pair, long double c);
void nothing(void);
int maximum(int a, int b);
int log_all(const char *format, ...);
const char *describe(enum mode mode);
extern int table[], fixed[3];
long shared;
bool is_set(bool flag);

extern "Python" int on_event(int code);
extern "Python+C" void on_done(pair_t *pair);
extern "Python" { int on_a(void); double on_b(double); }
enum exact { EXACT_ONE = 1, EXACT_BIG = 0x7fffffff, EXACT_LOW = -3 };
