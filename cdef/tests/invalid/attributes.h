int a(int) __attribute__((ms_abi));
int __vectorcall b(int);
struct c { int x; } __attribute__((scalar_storage_order("big-endian")));
struct d { char c; int x : 3; } __attribute__((__ms_struct__));
typedef float e __attribute__((ext_vector_type(4)));
typedef int f __attribute__((mode(TI)));
typedef int g __attribute__((mode(DF)));
int *h __attribute__((mode(DI)));
_Pragma("scalar_storage_order big-endian")
#pragma ms_struct on
_Pragma("pack(3)")
_Pragma("pack(pop)")
int i(void) __asm__("two words");
int j(void) __asm__(42);
int k(void) __asm__("k1");
int k(void) __asm__("k2");
__attribute__((preserve_most)) void l(void);
typedef int ok __attribute__((frobnicate(1))) ;
