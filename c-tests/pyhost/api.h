int add(int a, int b);
/* id() of the module object and of its lib, as the init code sees them. */
unsigned long long module_id(void);
unsigned long long lib_id(void);
int init_runs(void);
