/* Adds. */
int add(int a, int b);
typedef struct { int x, y; char name[8]; } point_t, *point_p;
struct node { struct node *next; unsigned flags:3, :0, more:7; union { int i; double d; }; int data[]; };
enum color { RED, GREEN = 5, BLUE = GREEN << 2, ALL = ~0 };
#define K 42
#define L (K+1) * 2
#define M ...

static const int SIX = 6;
extern int (*table[K])(const char *fmt, ...);
int (*(*get(int which))(double))[3];
extern "Python" { int cb(int, void *); }
typedef int... myint_t;
typedef ... opaque_t; typedef ... *op_p;
struct partial { int a; ...; };
extern int arr[...][...];
FILE *fopen2(const char *, const char *);
_Static_assert(sizeof(point_t) == 16, "size");
void qsort(void *base, size_t n, size_t w, int (*cmp)(const void *, const void *));
