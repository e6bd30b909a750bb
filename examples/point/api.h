/** A point of the plane. */
typedef struct {
    double x, y;
} point_t;

/** Gets each point, and the `data` that was given with it. Anything but 0 ends the walk. */
typedef int (*point_visitor_t)(point_t point, void *data);

/** How far it is from `a` to `b`. */
double point_distance(point_t a, point_t b);

/** The point halfway between. */
point_t point_middle(point_t a, point_t b);

/** Turns `point` around the origin, in place. */
void point_rotate(point_t *point, double degrees);

/** Reads "x, y". Returns 0, or -1 if `text` is something else; then `point` is as it was. */
int point_parse(const char *text, point_t *point);

/** Walks from `from` to `to` in `steps` equal steps, both ends included. Returns how many points were visited. */
int point_walk(point_t from, point_t to, int steps, point_visitor_t visit, void *data);
