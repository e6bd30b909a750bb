typedef struct { double x, y; } point_t;

int add1(int a, int b);
double multiply(double a, double b); /* keelback: batch */
double scale(double x); /* keelback: batch */
void noop(void);
int length(const char *text);
double point(const point_t *p);
double point_val(point_t p);
void *make_handle(void);
int handle(void *h);
int raises(int n);
int wrong(int n);
