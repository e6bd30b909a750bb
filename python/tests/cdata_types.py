"""The declarations that the cdata tests share."""
CDEF = """
    struct P { int x; int y; };
    union U { int a; float b; };
    struct B { int a:3; unsigned b:5; signed c:1; long long d:40; _Bool e:1; };
    struct Gap { int a:3; int :5; int b:2; int c; };
    struct F { int n; short a[]; };
    struct G { int z; struct F f; };
    struct Zero { int n; short a[0]; };
    struct O;
    enum E { A, B = 5, C = -1 };
    enum EU { X1, X2 };
    struct N { struct P p; struct P *q; int arr[3]; char name[8]; };
    struct Anon { int k; struct { int l; union { int m; float f; }; }; };
    struct H { int a; union { int b; float c; }; struct { int d; int e; }; int f; };
    union V { struct { int a, b; }; union { int c, d; }; };
    struct L { struct L *next; int v; };
    struct W { wchar_t w[4]; char16_t h[4]; char32_t c[4]; };
    struct One { char c; };
    typedef int (*fn_t)(int);
"""
