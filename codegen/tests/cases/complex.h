float _Complex f_float(float _Complex a);
double _Complex f_double(double _Complex a, int b, float _Complex *c);
