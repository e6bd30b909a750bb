/* Every kind of layout. */
struct plain { char a; int b; short c; double d; };
struct packed { char a; int b; } __attribute__((packed));
struct aligned { char a; } __attribute__((aligned(16)));
struct member { char a; int b __attribute__((aligned(8))); _Alignas(32) char c; };
#pragma pack(push, 2)
struct pragma { char a; int b; };
#pragma pack(pop)
struct bits { unsigned a:3, b:7; int :0; signed char c:4; long long d:40; _Bool e:1; };
struct packed_bits { unsigned a:3; int b:31; char c; } __attribute__((packed));
union either { int i; double d; char text[20]; };
struct outer { int kind; union { struct { int x, y; }; long both; }; struct { char c; } named; };
struct flexible { size_t n; struct plain items[]; };
typedef struct { long double ld; float _Complex fc; double _Complex dc; } wide_t;
typedef int aligned_int __attribute__((aligned(16)));
struct with_aligned { char c; aligned_int x; };
enum color { RED, GREEN = 5, BLUE };
enum negative { MINUS = -1 };
enum large { LARGE = 0x100000000 };
enum small { SMALL } __attribute__((packed));
enum fixed : unsigned char { FIXED = 255 };
struct enums { enum color c; enum small s; enum fixed f; enum large l; };
struct opaque;
_Static_assert(sizeof(struct plain) == 24 && _Alignof(struct outer) == 8, "layouts");
