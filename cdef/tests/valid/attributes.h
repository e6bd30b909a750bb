/* Attributes, pragmas and asm labels that count, and those that change nothing. */
_Pragma("pack(push, 1)") struct by_operator { char c; int x; };
_Pragma("pack(pop)")
__pragma(pack(push, 2)) struct by_microsoft { char c; int x; }; __pragma(pack(pop))
struct natural { char c; int x; };
struct inside { char c; _Pragma("GCC diagnostic push") int x; };
typedef int byte_t __attribute__((mode(QI)));
typedef unsigned int __attribute__((__mode__(__DI__))) wide_t;
typedef float real_t __attribute__((mode(DF)));
typedef unsigned word_t __attribute__((mode(word)));
struct native { int x; } __attribute__((scalar_storage_order("little-endian"), gcc_struct));
int renamed(int) __asm__("renamed" "_v2") __attribute__((nothrow, leaf));
extern int level asm("level_v2");
int later(void);
int later(void) __asm__("later_v2");
int system_v(int) __attribute__((sysv_abi, regparm(3), warn_unused_result, gnu::pure));
[[nodiscard]] int standard(void);
_Pragma("pack()")
#pragma pack(1)
struct behind_operator { char c; int x; };
#pragma pack()
#pragma GCC frobnicate now
#pragma twirl
#pragma GCC diagnostic pop
