"""A pointer that Python returns must point to something after the call."""
from harness import Ran

CDEF = "const char *text(int what); struct pair { int a[2]; }; void *any(int what); int (*function(int what))(int);"
INIT = """
    from returned import ffi

    kept = ffi.new("char[]", b"kept")
    pair = ffi.new("struct pair *", [[1, 2]])
    number = 5
    handles = []

    @ffi.def_extern(error=ffi.cast("char *", 7))
    def text(what):
        if what == 0:
            return ffi.new("char[]", b"gone")
        if what == 1:
            global late
            late = ffi.new("char[]", b"late")
            return late
        if what == 2:
            return ffi.NULL
        if what == 3:
            return ffi.from_buffer("char[]", b"of a buffer that Python may hold")
        return kept

    @ffi.def_extern(error=ffi.cast("void *", 7))
    def any(what):
        if what == 0:
            return ffi.new("struct pair *")
        if what == 1:
            return ffi.new("struct pair *").a
        if what == 2:
            return ffi.new_handle(number)
        if what == 3:
            handles.append(ffi.new_handle(number))
            return handles[-1]
        if what == 4:
            return pair.a
        if what == 5:
            p = ffi.new("struct pair *")
            handles.append(p[0])
            return p
        return pair

    @ffi.def_extern(error=ffi.cast("int(*)(int)", 7))
    def function(what):
        callback = ffi.callback("int(int)", lambda x: x + 1)
        if what:
            handles.append(callback)
        return callback
"""
HOST = r"""
    #include <stdio.h>
    #include <string.h>
    #include "returned.h"

    static char last[1000];

    static void keep(const char *name, const char *message, void *data)
    {
        (void)data;
        snprintf(last, sizeof last, "%s: %.*s", name, (int)strcspn(message, "\n"), message);
    }

    static void tell(const char *what, const void *p)
    {
        printf("%s %s%s\n", what, p == (void *)7 ? "refused " : p == NULL ? "NULL" : "good", last);
        last[0] = 0;
    }

    int main(void)
    {
        int i;
        returned_set_error_handler(keep, NULL);
        for (i = 0; i < 5; i++)
            tell("text", text(i));
        for (i = 0; i < 7; i++)
            tell("any", any(i));
        for (i = 0; i < 2; i++)
            tell("function", (void *)function(i));
        printf("%s %s %d\n", text(1), text(4), function(1)(2));
        return 0;
    }
"""
REFUSED = (
    "{0} refused {0}: RuntimeError: the result is a pointer to what goes with this call: nothing else refers to the cdata. "
    "Keep it (in a variable of the module, or in an object that lives as long as C uses the pointer), or return memory that "
    "C frees\n"
)


def test_memory_that_goes_with_the_call_is_refused(plugin, host, run):
    built = plugin(CDEF, INIT, name="returned")
    expected = [REFUSED.format("text"), "text good\n", "text NULL\n", "text good\n", "text good\n"]
    expected += [REFUSED.format("any")] * 3 + ["any good\n"] * 4
    expected += [REFUSED.format("function"), "function good\n", "late kept 3\n"]
    assert run(host(HOST, built)) == Ran("".join(expected))
