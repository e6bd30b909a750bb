/* Points and what can be done with them. */

#define POINT_LIMIT 1000
static const int POINT_DIMENSIONS = 2, POINT_LOWEST = -5;

/**
 * A point in the plane.
 */
typedef struct {
    double x; /**< to the right */
    double y; /**< up */
} point_t;

/* Opaque: C only passes it on. */
struct canvas;

enum color { RED, GREEN = 4, BLUE };

/** Gets each point, and the `userdata` that was given along. */
typedef int (*visit_t)(const point_t *point, void *userdata);

struct polygon {
    size_t count;
    point_t *points;
    enum color color;
    uint8_t flags[3];
    struct {
        int left, right;
    } margin;
};

/* ---- Functions ---- */

/** The point in the middle. */
point_t middle(point_t a, point_t b); // by value

// Calls `visit` for each point.
// Stops when it returns something else than 0.
int for_each(const struct polygon *polygon, visit_t visit, void *userdata);

/* This comment stands alone. */

/** Whether `a` and `b` are near each other. */
bool near_by(const point_t *a, const point_t *b, _Bool exactly);
void draw(struct canvas *canvas, const struct polygon *restrict polygon, enum color color);

extern "Python" int log_line(const char *line);
