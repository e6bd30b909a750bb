/* Licence text.
 * "Quotes", 'apostrophes' and ; { braces in comments.
 */

typedef int operation_t(int a, int b);
operation_t add, subtract;  /* two at once */

typedef struct node {
    struct node *next;      // a list; { with odd signs "
    shared_p shared;
    char name[SHARED_LENGTH * 2 + 1];
    int (*compare)(const struct node *, const struct node *);
} node_t, *node_p;

#define FLAG_A 0x01u
#define FLAG_B   (1 << 4)   // the second
#define LETTER 'x'

typedef enum {
    /* a comment inside */
    KIND_ONE = 'a', KIND_TWO = FLAG_B | 1,
} kind_t;
typedef enum level { LOW = -1, HIGH = 100000 } level_t;

/** First
 *  of all. */
node_p first(node_t *nodes, /* how many */ size_t count);

static inline int ignored_words(void);
kind_t kind_of(node_p node); level_t level_of(const node_t node);
extern "Python" {
    int inside(_Bool flag);
}
int nested(int (*outer)(int (*inner)(void), struct hidden *));
struct packed_one { char a; int b; } __attribute__((packed));
int measure(struct packed_one *one);
#pragma pack(push, 2)
struct pragma_one { char a; int b; };
#pragma pack(pop)
int measure_too(struct pragma_one one);
