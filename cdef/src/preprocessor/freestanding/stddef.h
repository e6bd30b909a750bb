/* <stddef.h> of the compiler (C11 4, paragraph 6), for when there is none to ask for its own. */
#ifndef _KEELBACK_STDDEF_H
#define _KEELBACK_STDDEF_H
typedef __PTRDIFF_TYPE__ ptrdiff_t;
typedef __SIZE_TYPE__ size_t;
#ifndef __cplusplus
typedef __WCHAR_TYPE__ wchar_t;
#endif
#undef NULL
#define NULL ((void *)0)
#undef offsetof
#define offsetof(type, member) __builtin_offsetof(type, member)
typedef struct {
  long long __max_align_ll __attribute__((__aligned__(__alignof__(long long))));
  long double __max_align_ld __attribute__((__aligned__(__alignof__(long double))));
} max_align_t;
#endif
#ifdef __need_wint_t
#ifndef _WINT_T
#define _WINT_T
typedef __WINT_TYPE__ wint_t;
#endif
#endif
#undef __need_size_t
#undef __need_wchar_t
#undef __need_ptrdiff_t
#undef __need_NULL
#undef __need_wint_t
