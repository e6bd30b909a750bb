"""Every type of C in every place of a module that CFFI compiles: parameters, results, pointers, fields, arrays, variables,
constants, function pointers, extern "Python".

    all_types.py compile            in the current folder
    all_types.py cffi|keelback      uses it, and prints what comes out, as JSON
"""
import json
import re
import sys

INTEGERS = [
    "signed char", "unsigned char", "short", "unsigned short", "int", "unsigned int", "long", "unsigned long", "long long",
    "unsigned long long", "int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t", "int64_t", "uint64_t",
    "intptr_t", "uintptr_t", "ptrdiff_t", "size_t", "ssize_t", "int_least8_t", "uint_least16_t", "int_fast32_t",
    "uint_fast64_t", "intmax_t", "uintmax_t",
]
TYPES = {
    **{name: "5" for name in INTEGERS},
    "_Bool": "1", "char": "'c'", "wchar_t": "L'w'", "char16_t": "u'x'", "char32_t": "U'y'",
    "float": "1.5f", "double": "2.5", "long double": "3.5L", "float _Complex": "1.5f", "double _Complex": "2.5",
    "enum color": "GREEN", "level": "LOW", "point": "{1, 2}", "union both": "{7}", "int *": "&target", "char *": "text",
    "const char *": "text", "void *": "&target", "point *": "&corner", "struct opaque *": "(struct opaque *)&target",
    "FILE *": "(FILE *)0", "function_t": "negate", "int **": "(int **)0",
}
DECLARED = """
enum color { RED, GREEN = 5 };
typedef enum { LOW = -3, HIGH = 3 } level;
typedef struct { int x; short y; } point;
union both { int i; double d; };
struct opaque;
typedef int (*function_t)(int);
"""
VALUES = """0|1|-1|5|127|128|-128|-129|255|256|32767|32768|65535|65536|2**31-1|2**31|-2**31|-2**31-1|2**32|2**63-1|2**63|2**64
1.5|-2.5|1e300|float('inf')|True|None|'a'|b'a'|'ab'|b''|'\\U00012345'|1+2j|[1, 2]|{'x': 3}|{'i': 3}|{'d': 1.5}|(1,)|[]|object
ffi.NULL|ffi.cast('int', 7)|ffi.cast('char', 65)|ffi.cast('double', 1.25)|ffi.cast('long double', 1.25)|ffi.cast('void *', 16)
ffi.new('int *', 3)|ffi.new('int[2]', [3, 4])|ffi.new('point *', [3, 4])|ffi.new('point *', [3, 4])[0]|ffi.cast('level', 3)
ffi.new('char[]', b'xyz')|ffi.cast('enum color', 5)|ffi.cast('_Bool', 1)|lib.negate|Indexable()|Floatable()"""


def places():
    """Declarations, with their source."""
    cdef, source = [DECLARED + "extern point corner; int negate(int);"], [DECLARED + "struct opaque { int x; };"]
    source.append("static int target = 4; static char text[] = \"text\"; point corner = {8, 9};")
    source.append("static int negate(int n) { return -n; }")
    for number, (ctype, value) in enumerate(TYPES.items()):
        n = number
        both = f"""
            struct with_{n} {{ char c; {ctype} field; {ctype} array[2]; }};
            typedef {ctype} alias_{n};
        """
        cdef.append(both + f"""
            {ctype} same_{n}({ctype});
            {ctype} second_{n}(int, {ctype});
            {ctype} none_{n}(void);
            alias_{n} item_{n}({ctype} *, int);
            struct with_{n} whole_{n}(struct with_{n});
            {ctype} called_{n}({ctype} (*)({ctype}), {ctype});
            extern {ctype} variable_{n};
            extern {ctype} many_{n}[3];
            static const alias_{n} constant_{n};
            extern "Python" {ctype} extern_{n}({ctype}, int);
            {ctype} to_python_{n}({ctype});
        """)
        source.append(both + f"""
            static {ctype} same_{n}({ctype} v) {{ return v; }}
            static {ctype} second_{n}(int i, {ctype} v) {{ return v; }}
            {ctype} variable_{n} = {value};
            {ctype} many_{n}[3] = {{ {value} }};
            static const alias_{n} constant_{n} = {value};
            static {ctype} none_{n}(void) {{ return variable_{n}; }}
            static alias_{n} item_{n}({ctype} *v, int i) {{ return v[i]; }}
            static struct with_{n} whole_{n}(struct with_{n} w) {{ return w; }}
            static {ctype} called_{n}({ctype} (*f)({ctype}), {ctype} v) {{ return f(v); }}
            static {ctype} extern_{n}({ctype}, int);
            static {ctype} to_python_{n}({ctype} v) {{ return extern_{n}(v, 1); }}
        """)
    headers = "".join(f"#include <{name}.h>\n" for name in ("complex", "stdint", "stdio", "sys/types", "uchar", "wchar"))
    return "\n".join(cdef), headers + "\n".join(source)


def build():
    import cffi

    cdef, source = places()
    ffi = cffi.FFI()
    ffi.cdef(cdef)
    ffi.set_source("every_type", source, extra_compile_args=["-w", "-O0"])
    ffi.compile()


class Indexable:
    def __index__(self):
        return 6


class Floatable:
    def __float__(self):
        return 6.5


def main():
    if sys.argv[1] == "keelback":
        import keelback

        keelback.install_as_cffi()
    from every_type import ffi, lib

    outcomes = []

    def short(text):
        return re.sub(r"0x[0-9a-f]{6,}", "ADDRESS", text)

    def shown(value):
        if isinstance(value, ffi.CData):
            kind = ffi.typeof(value)
            if kind.kind in ("struct", "union") and kind.fields:
                return kind.cname, [shown(getattr(value, name)) for name, _ in kind.fields if name != "array"]
            if kind.cname == "long double":
                return kind.cname, float(value)
            return kind.cname, value == ffi.NULL if kind.kind in ("pointer", "function") else None
        return value

    def note(label, function):
        try:
            outcome = repr(shown(function()))
        except Exception as error:
            outcome = f"{type(error).__name__}: {error}"
        outcomes.append([label, short(outcome)])

    names = dict(ffi=ffi, lib=lib, Indexable=Indexable, Floatable=Floatable)
    values = [text for line in VALUES.splitlines() for text in line.split("|")]
    for n, ctype in enumerate(TYPES):
        for text in values:
            value = eval(text, names)
            for name, arguments in (("same", (value,)), ("second", (1, value)), ("item", ([value, value], 1))):
                note(f"{ctype}: {name}({text})", lambda: getattr(lib, f"{name}_{n}")(*arguments))
            note(f"{ctype}: field {text}", lambda: ffi.new(f"struct with_{n} *", {"field": value}).field)
            note(f"{ctype}: whole {text}", lambda: getattr(lib, f"whole_{n}")({"c": b"c", "field": value}))
            note(f"{ctype}: variable {text}", lambda: setattr(lib, f"variable_{n}", value))
            note(f"{ctype}: variable {text}, then", lambda: getattr(lib, f"variable_{n}"))
        note(f"{ctype}: none", lambda: getattr(lib, f"none_{n}")())
        note(f"{ctype}: constant", lambda: getattr(lib, f"constant_{n}"))
        note(f"{ctype}: many", lambda: getattr(lib, f"many_{n}")[0])
        note(f"{ctype}: types", lambda: (ffi.typeof(f"alias_{n}"), ffi.sizeof(f"struct with_{n}"), getattr(lib, f"same_{n}").__doc__))
        note(f"{ctype}: function type", lambda: ffi.typeof(getattr(lib, f"called_{n}")))
        # The type's own value, through Python and back.
        note(f"{ctype}: attach", lambda: ffi.def_extern(name=f"extern_{n}")(lambda v, i: v) and None)
        note(f"{ctype}: to Python", lambda: getattr(lib, f"to_python_{n}")(getattr(lib, f"constant_{n}")))
        note(f"{ctype}: callback", lambda: getattr(lib, f"called_{n}")(
            ffi.callback(f"alias_{n}(alias_{n})", lambda v: v), getattr(lib, f"constant_{n}")))
    print(json.dumps(outcomes))


if sys.argv[1] == "compile":
    build()
else:
    main()
