#include <stddef.h>
#include <stdint.h>

struct point { double x, y; };
struct opaque;
enum mood { CALM = 3, ANGRY = 7 };

double score(double x); /* keelback: batch */
/* keelback: batch */
int weigh(int8_t count, float factor, const char *label);
double length(const struct point *p);   /* keelback: batch */
double area(struct point a, struct point b);   /* keelback: batch */
struct point middle(struct point a, const struct point *b);   /* keelback: batch */
void move_by(struct point *p, double n); /* keelback: batch */
/* keelback: batch */ long double wide(long double x);
enum mood flip(enum mood m, _Bool really);
void *same(struct opaque *handle);   /* keelback: batch */
unsigned draw(void);   /* keelback: batch */
int plain(int n);
