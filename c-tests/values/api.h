#define LENGTH 4
typedef enum { RED, GREEN = 5, BLUE } color;
typedef struct { int x, y; } point;
typedef struct { double d; long long l; char c; } mixed;
typedef struct { float f[3]; } floats;
typedef struct { char big[100]; int last; } large;
typedef struct { unsigned a : 3; int b : 5; unsigned long long c : 40; } bits;
typedef union { int i; float f; char bytes[8]; } either;
typedef struct { point p; mixed m; point ps[LENGTH]; } nested;
typedef int (*binary)(int, int);
typedef struct { binary function; void *data; const char *name; } entry;

_Bool not_(_Bool value);
char next_char(char c);
signed char neg8(signed char v);
unsigned char inv8(unsigned char v);
short neg16(short v);
unsigned short inv16(unsigned short v);
int neg32(int v);
unsigned inv32(unsigned v);
long negl(long v);
unsigned long invl(unsigned long v);
long long neg64(long long v);
unsigned long long inv64(unsigned long long v);
float halff(float v);
double half(double v);
long double halfl(long double v);
float _Complex conjf_(float _Complex v);
double _Complex conj_(double _Complex v);
wchar_t next_wide(wchar_t c);
color next_color(color c);
size_t length(const char *text);
char *upper(char *text);
void *same(void *pointer);

point swap(point p);
mixed mix(mixed m, int times);
floats scale(floats f, float by);
large fill(large value, char with);
bits bump(bits b);
either flip(either e);
nested turn(nested n);
int point_move(point *p, int dx, int dy);
double sum(const double *values, int count);
int many(int a, double b, char c, float d, long e, short f, unsigned char g, long long h, double i, point j, float k, const char *l,
         long double m, int n, mixed o, double p, _Bool q);
double doubles(double a, double b, double c, double d, double e, double f, double g, double h, double i, double j);
long integers(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j);

int call_back(binary function, int a, int b);
binary get_adder(void);
int call_entry(const entry *e, int a, int b);
int visit(int count, void (*visitor)(int index, void *data), void *data);
int sum_array(int values[LENGTH]);
void fill_out(int *out, double *other, char **text);
