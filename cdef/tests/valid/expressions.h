#define A 1 + 2 * 3
#define B (A << 4 | 0xf) & ~1
#define C 'a'
#define D '\x41' + '\n' + '\101'
#define E L'\u20ac'
#define F -1
#define G 0xffffffff
#define H 4294967295
#define I 1 ? 10 : 1 / 0
#define J sizeof(int) * 8
#define K (unsigned char)300
#define L 1'000'000
#define M 0b1010
#define N 18446744073709551615u
#define O -2147483648
#define P 7 / -2 + 7 % -2 * 10
#define Q -1 < 0u
#define R !0 && 2 || 0
#define S 2147483647 + 1
#define T 1 << 31
#define U (int)3.9
#define V U_LATER + 1
#define U_LATER 5
enum { X1 = V, X2, X3 = X2 * 2, X4 = sizeof(struct { char c; double d; }) };
struct point { int x, y; };
#define W offsetof(struct point, y)
static const unsigned short Y = 70000;
static const int Z = X3 + 1;
extern char sized[sizeof(struct point) + A];
