/* Attributes and pragmas that the header repeats, and those that it does not. */
#pragma once_upon a_time
#pragma GCC no_such thing
struct __attribute__((no_such_one(3))) odd { char c; int i; } __attribute__((no_such_other));
#pragma pack(push, 1)
struct tight { char c; int i; };
#pragma pack(pop)
_Pragma("pack(2)") struct pairs { char c; double d; }; _Pragma("pack()")
#pragma pack(1)
struct open_end { char c; double d; };
int all(struct odd *, struct __attribute__((no_such_one)) tight *, struct pairs *, struct open_end *)
    __attribute__((no_such_one, nonnull, visibility("hidden"), __nothrow__));
[[no_such::one]] int extras(int __attribute__((no_such_one)) x, struct tight_extra *, struct open_extra *);
__attribute__((alias("all"), section(".text"))) int last(void) __attribute__((deprecated("x, y")));
