# 1 "elsewhere.h"
typedef struct shared_s { int a; } shared_t; /* needed by the API */
typedef struct unused_s { int b; } unused_t;
typedef shared_t *shared_p;
enum { SHARED_LENGTH = 3, SHARED_OTHER };
#define UNUSED_CONSTANT 7
int host_function(int a);
