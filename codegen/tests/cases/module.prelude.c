#define LIMIT 10
typedef struct { double im, re; int kind; } number_t;
static void on_change(void *userdata, number_t *number);
static float scale = 1.0f;
static number_t numbers[LIMIT];
static double norm(number_t *number)
{
    on_change(NULL, number);
    return number->re * number->re + number->im * number->im;
}
static number_t *make(double re, double im)
{
    memset(numbers, 0, sizeof numbers);
    numbers[0].re = re;
    numbers[0].im = im;
    return numbers;
}
