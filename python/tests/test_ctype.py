"""ctype objects and their fields."""
from cdata_types import CDEF
from differential import Cases

SETUP = """
import weakref
"""

CASES = Cases(
    cdef=CDEF,
    setup=SETUP,
    expressions=r'''
    # attributes
    [typeof(x).kind for x in ("int","char","_Bool","double","void","int*","int[3]","struct P","union U","enum E","fn_t","struct O","void*")]
    typeof("int").item
    typeof("int*").item
    typeof("int[3]").item
    typeof("int*").length
    typeof("int[]").length
    typeof("int[3]").length
    typeof("int").length
    typeof("struct P").fields
    typeof("struct O").fields
    typeof("struct P*").fields
    typeof("struct Anon").fields
    typeof("struct B").fields
    typeof("union U").fields
    typeof("int").fields
    typeof("fn_t").args
    typeof("fn_t").result
    typeof("fn_t").ellipsis
    typeof("fn_t").abi
    typeof("fn_t").item
    typeof("int(*)(int,...)").ellipsis
    typeof("int").args
    typeof("enum E").elements
    typeof("enum E").relements
    typeof("int").elements
    typeof("int").zz
    typeof("int").cname
    typeof("fn_t").cname
    setfield(typeof("int"),'zz',1)
    setfield(typeof("int"),'cname',1)
    delattr(typeof("int"),'kind')
    dir(typeof("int"))
    dir(typeof("int*"))
    dir(typeof("int[3]"))
    dir(typeof("struct P"))
    dir(typeof("struct O"))
    dir(typeof("fn_t"))
    dir(typeof("enum E"))
    hash(typeof("int"))==hash(typeof(" int "))
    typeof("int")==typeof("int")
    typeof("int")<typeof("int")
    typeof("int")==5
    repr(typeof("struct P"))
    typeof("struct P").fields[0][1].type
    typeof("struct P").fields[0][1].offset
    typeof("struct B").fields[1][1].bitshift
    typeof("struct B").fields[1][1].bitsize
    typeof("struct B").fields[1][1].flags
    typeof("struct P").fields[0][1].flags
    typeof("struct P").fields[0][1].zz
    type(typeof("struct P").fields[0][1])
    type(typeof("struct P").fields[0][1])()
    typeof("struct P").fields[0][1]
    typeof("struct F").fields
    typeof("int").__class__
    type(typeof("int")).__mro__
    type(typeof("int"))
    type(typeof("int")).__doc__
    typeof("struct P").fields is typeof("struct P").fields
    [f for n,f in typeof("struct Anon").fields][1].flags
    typeof("void").item
    typeof("void").size
    [(n,f.flags,f.offset,f.bitshift,f.bitsize) for n,f in ffi.typeof("struct H").fields]
    [(n,f.flags,f.offset,f.bitshift,f.bitsize) for n,f in ffi.typeof("struct WB").fields]
    [(n,f.flags,f.offset,f.bitshift,f.bitsize) for n,f in ffi.typeof("struct F").fields]
    [(n,f.flags,f.offset,f.bitshift,f.bitsize) for n,f in ffi.typeof("union U").fields]

    # identity
    typeof('int*') is typeof('int *')
    typeof('struct P') is typeof(new('struct P *')[0])
    typeof('int[3]') is typeof('int[3]')
    typeof('fn_t') is typeof('int(*)(int)')
    typeof('int(*)(int)').args[0] is typeof('int')
    len({typeof('int'), typeof('int '), typeof('long')})
    bool(weakref.ref(typeof('struct P')))
    ''',
)
test_same, test_different = CASES.tests()


def test_FILE_is_one_type_for_all():
    import keelback

    first, second = keelback.FFI(), keelback.FFI()
    assert first.typeof("FILE *") is second.typeof("FILE *")
    assert first.typeof("FILE *").cname == "FILE *"
    own = keelback.FFI()
    own.cdef("typedef struct { int x; } FILE;")
    assert own.typeof("FILE *") is not first.typeof("FILE *")
    assert own.sizeof("FILE") == 4
