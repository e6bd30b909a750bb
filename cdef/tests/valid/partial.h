/* What only the compiler knows. */
typedef int... integer_t;
typedef unsigned long long... unsigned_t;
typedef float... real_t;
typedef ... opaque_t;
typedef ... *handle_t;
struct partial { int a; char name[...]; opaque_t *link; ...; };
typedef struct { int x; struct { int inner; ...; } sub; struct { int hidden; ...; }; ...; } nested_t;
typedef struct { struct { int first; int second; }; ...; } around_t;
struct whole { integer_t i; };
extern int grid[...][3][...];
extern int open_grid[][...];
typedef int row_t[...];
extern row_t rows;
enum part { PA, PB = ..., PC, PD = 7, ... };
enum { NAMELESS = ... };
#define FROM_C ...
#define KNOWN (1 << 4 | 0x3)
static const int VALUE;
static const char LETTER;
static const double RATIO;
static char *const TEXT;
struct flexible { int n; char data[]; ...; };
