"""Items, slices, fields, len(), iteration, repr() and the other things that any cdata can do."""
from cdata_types import CDEF
from differential import Cases

SETUP = """
p = new("int *", 5)
a = new("int[5]", [1, 2, 3, 4, 5])
q = cast("int *", a)
s = new("struct P *", [1, 2])
c = new("char[6]", b"hello")
n = new("struct N *")
w = new("struct W *", {"w": "abc", "h": "a\U00012345"})
import copy, pickle, weakref
def slice_of(values):
    array = new("int[1000]")
    array[0:1000] = values
    return sum(array)
"""

CASES = Cases(
    cdef=CDEF,
    setup=SETUP,
    expressions=r'''
    # items, fields, repr()
    p[0]
    p[1]
    p[-1]
    p["a"]
    p[1.5]
    p[None]
    p[2**70]
    p[Index()]==5
    p[Int()]
    a[4]
    a[5]
    a[-1]
    a[2**70]
    a[cast("int",2)]
    a[True]
    q[3]
    q[-1]==q[-1]
    q[2**62]
    NULL[0]
    cast("int*",0)[0]
    cast("int*",0)[3]
    cast("void*",5)[0]
    cast("fn_t",5)[0]
    cast("struct O*",5)[0]
    cast("int",5)[0]
    s[0]
    s[1]
    s[0][0]
    s[0]['x']
    s['x']
    new("struct P[3]")[2]
    new("struct P[3]")[3]
    new("int[3][4]")[2]
    new("int[3][4]")[3]
    new("int[3][4]")[2][4]
    cast("int(*)[4]", a)[0]
    cast("int(*)[]", a)[0]
    setitem(p,0,7)
    setitem(p,1,7)
    setitem(p,0,"a")
    setitem(a,5,7)
    setitem(a,-1,7)
    setitem(NULL,0,7)
    setitem(cast("int*",0),0,7)
    setitem(cast("struct O*",5),0,7)
    setitem(s,0,[3,4])
    setitem(s,0,{'x':5}).x
    setitem(s,0,new("struct P*",[8,9])[0]).y
    setitem(s,0,5)
    delitem(p,0)
    delitem(a,0)
    delitem(s,0)
    delattr(s,'x')
    delattr(s,'zz')
    delattr(p,'zz')
    len(a)
    len(p)
    len(cast("int",3))
    len(s[0])
    len(new("struct F*",[1,[2,3]]).a)
    iter(p)
    iter(cast("int",3))
    iter(s[0])
    list(a)
    list(c)
    list(new("struct P[2]"))
    list(new("int[2][2]"))
    next(iter(a))
    s.x
    s.zz
    s[0].zz
    p.zz
    a.zz
    cast("int",3).zz
    cast("struct O*",5).x
    cast("fn_t",5).x
    cast("struct P**",5).x
    setfield(s,'x',5)
    setfield(s[0],'x',6)
    setfield(s,'zz',5)
    setfield(s[0],'zz',5)
    setfield(p,'zz',5)
    setfield(a,'zz',5)
    setfield(cast("struct O*",5),'x',5)
    setfield(s,'x','a')
    setfield(s,'x',2**40)
    getattr(s,'__class__')
    setfield(s,'__class__',5)
    n.p
    n.q
    n.arr
    n.name
    setfield(n,'arr',[5,6])
    setfield(n,'arr',[5,6,7,8])
    setfield(n,'name',b"hi")
    setfield(n,'name',b"12345678")
    setfield(n,'name',b"123456789")
    setfield(n,'p',[1])
    setfield(n,'q',n)
    setfield(n,'q',s)
    setfield(w,'w',"abc")
    w.w[2]
    setfield(w,'h',"a\U00012345")
    w.h[1],w.h[2],w.h[3]
    setfield(w,'h',"abc\U00012345")
    setfield(w,'c',"a\U00012345")
    dir(s)
    dir(s[0])
    dir(p)
    dir(a)
    dir(new("struct Anon*"))
    dir(cast("struct O*",5))
    cast("fn_t",5)(a=1)
    p()
    s()
    s[0]()
    cast("int",4)()
    p
    a
    s
    s[0]
    c
    n.p
    n[0].p
    NULL
    cast("int",5)
    cast("char",65)
    cast("_Bool",1)
    cast("double",1)
    cast("long double",1)
    cast("wchar_t",65)
    new("int[]",3)
    new("int[3][2]")
    new("int[3][2]")[1]
    new("struct F*",[1,[2,3]])
    new("struct F*",[1,[2,3]])[0]
    cast("int",5).__complex__
    [type(x).__mro__ for x in (p,s,s[0],q)]
    type(p)()
    type(ffi.typeof("int"))()
    type(p).__doc__
    isinstance(p, ffi.CData)
    p.__enter__() is p
    p.__exit__(None,None,None)
    q.__enter__()
    q.__exit__()
    cast("int",3).__enter__()
    s[0].__enter__()
    new("int[2]").__enter__()
    NULL.__enter__()
    copy.copy(p)
    copy.deepcopy(p)
    pickle.dumps(p)
    p.__dict__
    type(p).x
    cast("int",5).__index__
    b"%d" % cast("int",5)
    "%d" % cast("int",5)
    "%s" % cast("int",5)
    f"{cast('int',5):x}"
    f"{cast('int',5)}"
    memoryview(a)
    bytes(c)
    a in [a]
    hash(a)==hash(q)
    hash(s[0])==hash(s)
    round(cast("double",2.5))

    # slices
    delitem(a,slice(0,1))
    a[1:3]
    a[0:0]
    a[5:5]
    a[5:6]
    a[:3]
    a[1:]
    a[:]
    a[0:4:1]
    a[0:4:2]
    a[3:2]
    a[-1:2]
    a[1:-1]
    a[0:6]
    a["a":2]
    a[1.5:2]
    a[None:2]
    p[0:1]
    p[0:5]
    q[0:5]
    q[-1:2]
    q[1:3][5]
    q[2:1]
    a[1:4][1:2]
    a[1:4][3]
    len(a[1:4])
    cast("int(*)[]",a)[0:1]
    cast("void*",5)[0:2]
    cast("fn_t",5)[0:2]
    cast("struct O*",5)[0:2]
    s[0:1]
    s[0][0:1]
    cast("int",3)[0:1]
    setitem(a,slice(0,2),[8,9])
    setitem(a,slice(0,2),(8,9))
    setitem(a,slice(0,2),iter([8,9]))
    setitem(a,slice(0,2),range(2))
    setitem(a,slice(0,2),[8])
    setitem(a,slice(0,2),[8,9,10])
    setitem(a,slice(0,2),5)
    setitem(a,slice(0,2),None)
    setitem(a,slice(0,2),"ab")
    setitem(a,slice(0,2),b"ab")
    setitem(a,slice(0,2),new("int[2]",[5,6]))
    setitem(a,slice(0,2),new("int[3]",[5,6]))
    setitem(a,slice(0,2),new("long[2]",[15,6]))
    setitem(a,slice(0,2),new("long[3]",[15,6]))
    setitem(a,slice(0,2),new("int[]",2))
    setitem(a,slice(0,2),new("int*"))
    setitem(a,slice(0,2),cast("int",3))
    setitem(a,slice(0,2),{1:2,3:4})
    setitem(a,slice(0,2),["a",2])
    setitem(a,slice(0,2),a[1:3])
    setitem(c,slice(0,2),b"ab")
    setitem(c,slice(0,2),b"abc")
    setitem(c,slice(0,2),b"a")
    setitem(c,slice(0,2),"ab")
    setitem(c,slice(0,2),bytearray(b"xy"))
    setitem(c,slice(0,2),bytearray(b"xyz"))
    setitem(c,slice(0,2),memoryview(b"xy"))
    setitem(c,slice(0,2),[b'a',b'b'])
    setitem(new("unsigned char[3]"),slice(0,2),b"ab")
    setitem(new("unsigned char[3]"),slice(0,2),bytearray(b"ab"))
    setitem(new("_Bool[3]"),slice(0,2),b"\x00\x01")
    setitem(new("_Bool[3]"),slice(0,2),b"\x00\x02")
    setitem(new("wchar_t[3]"),slice(0,2),"ab")
    setitem(new("wchar_t[3]"),slice(0,2),"abc")
    setitem(new("short[3]"),slice(0,2),b"abcd")
    setitem(new("struct P[3]"),slice(0,2),[[1,2],[3,4]])
    list(a[1:3])
    a[0:2]
    a==a[0:5]

    # more
    setfield(cast("void*",5),'x',1)
    p[0:0]
    ffi.sizeof(new("struct F*", [5,[6,7,8]]))
    p.__call__
    p.__len__
    p.__class__
    next(iter(new("int[0]")))
    s < s[0]
    s[0] < s
    s == s[0]
    p != None
    s[0] == s
    [x for x in s[0:1]]
    p & 1
    p + True
    s[True]
    ffi.typeof("long double").kind
    pow(cast("int",3),2)
    ffi.typeof("struct H").fields
    setitem(g,0,[4])
    setitem(cast("int(*)[]",new("int[4]")),0,[1,2])
    ffi.sizeof(new("struct G*", [5,[6,[7,8]]])[0])
    ffi.typeof("char16_t").kind

    # structs in structs
    new('struct H *', [1, 2, 3, 4, 5]).f
    new('struct H *', [1, 2, 3, 4, 5, 6])
    new('union V *', [123, 456]).b
    new('union V *', [0, 0, 0])
    new('struct Zero *').a
    cast('struct Zero *', new('char[12]')).a
    new('struct Gap *', [1, 1, 3]).c
    dir(new('union V *'))

    # slices of many
    slice_of(list(range(1000)))
    slice_of(tuple(range(1000)))
    slice_of(range(1000))
    slice_of([2**40] * 1000)
    ''',
    different={
        # NULL has no fields: CFFI crashes.
        'cast("struct P*", 0).x':
            "RuntimeError: cannot dereference null pointer from cdata 'struct P *'",
        'setfield(cast("struct P*", 0), "x", 5)':
            "RuntimeError: cannot dereference null pointer from cdata 'struct P *'",
        'cast("struct P(*)[2]", 0)[0][1].x':
            "RuntimeError: cannot dereference null pointer from cdata 'struct P(*)[2]'",
        # The size of a step is not known: CFFI makes one up.
        'cast("int(*)[]", a)[1]':
            "TypeError: ctype 'int(*)[]' points to items of unknown size",
        # CFFI: an internal error.
        'setitem(cast("void*",5),0,7)':
            "TypeError: cdata 'void' is opaque",
        # A slice of NULL could not be used anyhow.
        'cast("int*",0)[0:2]':
            "RuntimeError: cannot dereference null pointer from cdata 'int *'",
    },
)
test_same, test_different = CASES.tests()
