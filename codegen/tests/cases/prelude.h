/* What the prelude provides, an API may be partial about. */
typedef ... handle_t;
typedef struct { int code; ...; } status_t;
struct session { int id; ...; };
typedef int... number_t;

/** Opens. */
handle_t *open_it(const char *name, struct session *session);
/** How it went. */
status_t status(number_t number);
int twice(int);
extern int counter;
