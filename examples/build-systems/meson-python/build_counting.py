"""What `import counting._counting` is made of."""

import keelback

ffibuilder = keelback.FFI()
ffibuilder.cdef("""
    /* How many bits are set. */
    int bits(uint64_t number);
    #define MOST ...
""")
ffibuilder.set_source(
    "counting._counting",
    """
    #include <limits.h>
    #define MOST (CHAR_BIT * (int)sizeof(uint64_t))
    static int bits(uint64_t number)
    {
        int count = 0;
        for (; number; number &= number - 1)
            count++;
        return count;
    }
    """,
)
