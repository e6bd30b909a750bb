struct point { double x, y; };

/* keelback: batch */
double score(double x);
int weigh(const struct point *where, const char *label, _Bool n, int result); /* keelback: batch */
void tick(void *);   // keelback: batch
int plain(int);
