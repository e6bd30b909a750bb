/* One of everything. */
typedef unsigned char byte_t;
typedef int16_t sample_t;
typedef long double (*real_t)(long double);

struct bits {
    unsigned int ready : 1, busy : 2;
    unsigned char : 4;
    long long wide : 40;
};
struct variant {
    int kind;
    union {
        int integer;
        double real;
        struct { char *text; size_t length; };
    };
};
struct message {
    uint32_t length;
    unsigned char bytes[];
};
union word { uint32_t whole; uint8_t bytes[4]; };
enum big { BIG_ONE = 1, BIG_TWO = 0x7fffffff };

bool f_bool(_Bool value);
char f_char(char a, signed char b, unsigned char c, byte_t d);
short f_short(short a, unsigned short b, sample_t c);
unsigned int f_int(int a, unsigned int b);
long f_long(long a, unsigned long b);
unsigned long long f_long_long(long long a, unsigned long long b);
float f_float(float a);
double f_double(double a, float b);
long double f_long_double(long double a);
wchar_t f_wchar(wchar_t a, char16_t b, char32_t c);
int64_t f_sized(int8_t a, uint8_t b, int32_t c, uint64_t d, intptr_t e, uintmax_t f, int_fast16_t g, int_least8_t h);
ssize_t f_sizes(size_t a, ssize_t b, ptrdiff_t c);
union word f_union(union word a, struct bits b);
struct variant f_variant(struct variant a);
enum big f_enum(enum big a);
void *f_pointers(void *a, const char *const *b, int (*c)[3], volatile int *d, int e[], const int g[4]);
void (*f_function(void (*handler)(int signal)))(int);
int (*f_array(void))[5];
real_t f_real(real_t a, int (*b)(const char *format, ...));
void f_none();
void f_keywords(int class, char *new, double this, int (*operator)(int typename));
void f_before(struct later *first, union other *second);
struct later { int a; };
int f_two(int), f_three(int a, int b);
extern int f_extern(void);
void f_file(FILE *file);
void f_restrict(char *restrict to, const char *__restrict from);
int f_last(void);
const int f_const(const struct later a);
