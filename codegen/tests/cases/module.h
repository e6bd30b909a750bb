#define LIMIT ...
typedef struct { double re, im; ...; } number_t;
double norm(number_t *number);
number_t *make(double, double);
float scale;
extern "Python" void on_change(void *userdata, number_t *number);
