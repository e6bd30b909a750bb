/* What of the exports for modules that CFFI compiled must be C: a function that returns a long double. */

typedef int (*convert_t)(void *object, void *to);

static convert_t convert;

static long double to_long_double(void *object)
{
    long double value;
    return convert(object, &value) < 0 ? -1 : value;
}

/* The function, which converts with this one: always the same. */
void *keelback_to_long_double(convert_t with)
{
    convert = with;
    return (void *)to_long_double;
}
