#include <stdio.h>
#ifdef X
int a;
#endif
#define TEXT "abc"
#define FLOATING 1.5
#define SQUARE(x) ((x) * (x))
#define EMPTY
#define 5
#pragma pack(3)
#pragma pack(pop)
#error no
# 100 "other.h"
int f(nosuch);
