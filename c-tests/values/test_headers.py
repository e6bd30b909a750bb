"""A header as it is: its macros are constants of lib and of the generated header."""

from harness import Ran

API = """
    #include <stdint.h>
    #define VERSION "1." MINOR
    #define MINOR "5"
    #define RATIO (1.5 / 2)
    #define COUNT (sizeof(uint32_t) * LIMIT)
    #define WORD static
    enum { LIMIT = 2 };
    struct sample { uint16_t left, right; };
    int demo(struct sample *sample);
"""
INIT = """
    from demo import ffi, lib

    @ffi.def_extern()
    def demo(sample):
        print(lib.VERSION, lib.MINOR, lib.RATIO, lib.COUNT, sorted(dir(lib)))
        for name in ("WORD", "NONE"):
            try:
                getattr(lib, name)
            except AttributeError as error:
                print(error, flush=True)
        return sample.left - sample.right
"""
HOST = """
    #include <stdio.h>
    #include "demo.h"
    int main(void)
    {
        struct sample sample = {5, 7};
        int difference = demo(&sample);
        printf("%d %s %g %d\\n", difference, VERSION, RATIO, (int)COUNT);
        return 0;
    }
"""


def test_macros(plugin, host, run):
    program = host(HOST, plugin(API, INIT, name="demo"))
    assert run(program) == Ran(
        "b'1.5' b'5' 0.75 8 ['COUNT', 'LIMIT', 'MINOR', 'RATIO', 'VERSION', 'demo']\n"
        "'WORD' is a macro that has no constant value\n"
        "cffi library 'demo' has no function, constant or global variable named 'NONE'\n"
        "-2 1.5 0.75 8\n"
    )
