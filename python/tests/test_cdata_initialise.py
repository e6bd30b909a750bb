"""What ffi.new(), assignments and initialisers accept for each kind of type, and what they say to the rest."""
from cdata_types import CDEF
from differential import Cases

SETUP = """
def shrinking():
    class Evil:
        def __int__(self):
            values.clear()
            return 5
    values = [1, Evil(), 3, 4]
    p = new("int[4]")
    try:
        p[0:4] = values
    except ValueError:
        pass
    return p[0], p[1], len(values)
def shrinking_tuple_in_struct():
    class Evil:
        def __int__(self):
            values.clear()
            return 5
    values = [Evil(), 3]
    p = new("struct P *", values)
    return p.x, len(values)
"""

CASES = Cases(
    cdef=CDEF,
    setup=SETUP,
    expressions=r'''
    # numbers, characters, pointers
    new("int*", Index())
    new("int*", Int())
    new("int*", 3.5)
    new("int*", "3")
    new("int*", None)
    new("int*", BadInt())
    new("int*", Float())
    new("int*", 2**31)
    new("int*", -2**31-1)
    new("int*", 2**80)
    new("unsigned int*", -1)
    new("unsigned int*", 2**32)
    new("unsigned char*", 256)
    new("signed char*", -129)
    new("short*", 40000)
    new("long*", 2**63)
    new("long*", -2**63-1)
    new("unsigned long*", 2**64)
    new("unsigned long*", -1)
    new("unsigned long*", -2**80)
    new("unsigned long long*", 3.5)
    new("uint8_t*", 300)
    new("int*", cast("double", 3.5))
    new("int*", cast("long", 3))
    new("int*", cast("long", 2**40))
    new("int*", cast("char", b'A'))
    new("int*", cast("wchar_t", 'A'))
    new("int*", cast("_Bool", 1))
    new("int*", cast("enum E", 5))
    new("int*", new("int*"))
    new("int*", True)
    new("_Bool*", 2)
    new("_Bool*", -1)
    new("_Bool*", 2**70)
    new("_Bool*", 1.0)
    new("_Bool*", None)
    new("_Bool*", b'a')
    new("char*", b'ab')
    new("char*", 'a')
    new("char*", 5)
    new("char*", None)
    new("char*", cast("char", 65))[0]
    new("char*", cast("int", 65))
    new("char*", cast("signed char", 65))
    new("wchar_t*", 'ab')
    new("wchar_t*", b'a')
    new("wchar_t*", cast("wchar_t", 'x'))[0]
    new("wchar_t*", cast("char16_t", 'x'))
    new("char16_t*", '\U00012345')
    new("char16_t*", cast("wchar_t",'x'))
    new("char16_t*", 5)
    new("char32_t*", '\U00012345')[0]
    new("char32_t*", 5)
    new("char32_t*", cast("char32_t","x"))[0]
    new("float*", 1e300)[0]
    new("float*", "1")
    new("float*", None)
    new("float*", cast("int",3))
    new("float*", cast("float",3))[0]
    new("float*", cast("long double",3))[0]
    new("float*", Float())[0]
    new("float*", Index())[0]
    new("float*", Int())
    new("double*", cast("char",3))
    new("double*", 1j)
    new("double*", 10**400)
    new("long double*", 1.5)[0]
    new("long double*", "1.5")
    new("long double*", cast("int",4))
    new("long double*", cast("long double",4))[0]
    new("long double*", None)
    new("enum E*", 5)[0]
    new("enum E*", -1)[0]
    new("enum E*", "A")
    new("enum E*", 2**31)
    new("enum EU*", -1)
    new("enum E*", cast("enum E",5))[0]
    new("int**", None)
    new("int**", 5)
    new("int**", NULL)[0]
    new("int**", new("int*"))[0]
    new("int**", new("int[3]"))[0]
    new("int**", new("long*"))
    new("int**", new("long[3]"))
    new("int**", cast("void*",5))[0]
    new("void**", new("int*"))[0]
    new("void**", new("int[2]"))[0]
    new("void**", cast("fn_t",5))[0]
    new("fn_t*", cast("fn_t",5))[0]
    new("fn_t*", cast("void*",5))[0]
    new("fn_t*", cast("int*",5))
    new("fn_t*", cast("int(*)(void)",5))
    new("fn_t*", None)
    new("char**", new("unsigned char*"))[0]
    new("char**", new("signed char*"))[0]
    new("char**", new("_Bool*"))[0]
    new("char**", new("int*"))[0]
    new("char**", new("short[2]"))[0]
    new("unsigned char**", new("char*"))[0]
    new("int**", new("char*"))[0]
    new("int**", new("char[3]"))[0]
    new("signed char**", new("unsigned char*"))[0]
    new("uint8_t**", new("unsigned char*"))[0]
    new("uint8_t**", new("char*"))[0]
    new("char**", b'abc')
    new("char**", 'abc')
    new("char**", cast("int",4))
    new("char**", new("struct P*")[0])
    new("char**", new("struct P*"))[0]
    new("struct P**", new("struct P*"))[0]
    new("struct P**", new("struct P*")[0])
    new("struct P**", new("union U*"))
    new("struct O**", NULL)[0]
    new("int***", new("int*"))
    new("int(**)[3]", new("int[3]"))

    # arrays, structs, unions
    new("int")
    new("struct P")
    new("fn_t")
    new("void*")
    new("struct O*")
    new("int(*)(int)")
    new("int[]")
    new("int[]", -1)
    new("int[]", 2**62)
    new("int[]", 2**70)
    new("int[]", "abc")
    new("int[]", b"abc")
    new("int[]", None)
    new("int[]", 3.5)
    new("int[]", Index())
    new("int[]", Int())
    new("int[]", iter([1]))
    new("int[]", {1:2})
    new("int[]", range(3))
    new("int[]", [1,2,3])
    new("int[]", (1,2,3))
    new("int[]", new("int[2]"))
    new("int[]", cast("int",3))
    new("char[]", b"abc")
    new("char[]", "abc")
    new("char[]", [b"a",b"b"])
    new("char[]", bytearray(b"abc"))
    new("char[]", cast("char",3))
    new("unsigned char[]", b"abc")
    new("signed char[]", b"abc")
    new("uint8_t[]", b"abc")
    new("int8_t[]", b"abc")
    new("_Bool[]", b"\x00\x01")
    new("_Bool[]", b"\x00\x02")
    new("_Bool[]", [0,1,True])
    new("wchar_t[]", "abc")
    new("wchar_t[]", b"abc")
    new("char16_t[]", "a\U00012345")
    new("char32_t[]", "a\U00012345")
    new("wchar_t[]", ["a","b"])
    new("char16_t[]", ["a","b\U00012345"])
    new("int[2]", [1,2,3])
    new("int[2]", (1,2,3))
    new("int[2]", 3)
    new("int[2]", "ab")
    new("int[2]", b"ab")
    new("int[2]", None)
    new("int[2]", {})
    new("int[2]", iter([]))
    new("int[2]", ["a"])
    new("int[2]", new("int[2]"))
    new("int[2]", new("int[3]"))
    new("int[2]", new("int[]",2))
    new("int[2]", new("unsigned[2]"))
    new("int[2]", new("int*"))
    new("char[3]", b"abc")
    new("char[3]", b"abcd")
    new("char[3]", "abc")
    new("char[3]", 3)
    new("char[3]", [b"a"])
    new("char[3]", bytearray(b"a"))
    new("char16_t[2]", "ab")
    new("char16_t[2]", "\U00012345")
    new("char16_t[2]", "a\U00012345")
    new("char32_t[2]", "abc")
    new("wchar_t[2]", "abc")
    new("wchar_t[2]", b"abc")
    new("_Bool[2]", b"\x01\x01\x01")
    new("int[2][2]", [[1,2],[3,4]])
    new("int[2][2]", [[1,2],[3,4,5]])
    new("int[2][2]", [[1,2],3])
    new("int[][2]", [[1,2],[3,4]])
    new("int[][2]", 3)
    new("struct P*", [1,2])
    new("struct P*", [1,2,3])
    new("struct P*", {'x':1})
    new("struct P*", {'z':1})
    new("struct P*", {1:1})
    new("struct P*", 5)
    new("struct P*", "ab")
    new("struct P*", None)
    new("struct P*", iter([]))
    new("struct P*", new("struct P*"))
    new("struct P*", new("struct P*")[0])
    new("struct P*", new("union U*")[0])
    new("struct P*", ["a"])
    new("struct P*", cast("int",3))
    new("union U*", [1])
    new("union U*", [1,2])
    new("union U*", (1,2))
    new("union U*", {'b':1.5}).b
    new("union U*", {'a':1,'b':2})
    new("union U*", [])
    new("struct F*", [5,[6,7,8]])
    new("struct F*", [5,3])
    new("struct F*", {'n':1,'a':4})
    new("struct F*", {'a':[1,2]})
    new("struct F*", 5)
    new("struct F*", [5,-3])
    new("struct F*", [5,"abc"])
    new("struct F*", [5,[6,7,8]])[0]
    new("struct F*", [5,[6,7,8]]).a
    len(new("struct F*", [5,[6,7,8]]).a)
    ffi.sizeof(new("struct F*", [5,[6,7,8]])[0])
    new("struct G*", [5,[6,[7,8]]])
    new("struct G*", [5,[6,3]])[0].f.a
    new("struct G*", {'f':{'a':[1,2,3]}}).f.a[2]
    new("struct G*", [5]).f.a
    new("struct F*").a
    new("struct F[2]")
    new("struct F[2]", [[1,[2]]])
    new("struct F*", {'a':new("short[3]")})
    new("struct Anon*", [1,[2,[3]]]).m
    new("struct Anon*", [1,2])
    new("struct Anon*", {'m':5,'k':1,'l':3}).m
    new("struct N*", [[1,2],NULL,[1,2,3],b"hi"]).name
    new("struct N*", {'p':{'x':4}}).p
    new("struct N*", {'p':new("struct P*",[8,9])[0]}).p.y
    new("struct B*", [1,2,-1,5,1]).a
    new("struct B*", [4])
    new("struct B*", [-5])
    new("struct B*", {'b':32})
    new("struct B*", {'b':-1})
    new("struct B*", {'c':1}).c
    new("struct B*", {'c':2})
    new("struct B*", {'c':-2})
    new("struct B*", {'d':2**39})
    new("struct B*", {'d':2**80})
    new("struct B*", {'e':1}).e
    new("struct B*", {'e':2})
    new("struct B*", {'e':True}).e
    new("struct B*", {'a':1.5})
    new("struct B*", {'a':"x"})
    new("enum E[3]", [1,5,-1])[2]

    # more
    new("int[0]")
    new("int[0]")[0]
    new("struct P[]",[[1,2],{'x':3}])
    new("struct P*",[1,2])[0]==s[0]
    new("wchar_t*",'\ud800')[0]
    new("int*", cast("float",3))
    new("int*", cast("long double",3))
    new("unsigned*", cast("int",-3))
    new("long*", cast("unsigned long",2**64-1))
    new("enum E*", 1.5)
    new("_Bool*", cast("int",1))[0]
    new("_Bool*", cast("double",1))
    new("_Bool*", Int())
    new("_Bool*", Index())
    new("char*", bytearray(b'a'))
    new("char[4]", cast("char",b'a'))
    new("char[]", 3.5)
    new("char[4]", new("char[4]"))
    new("char[4]", new("signed char[4]"))
    new("char[4]", 'a')
    new("unsigned char[4]", 'a')
    new("unsigned char[4]", 4)
    new("_Bool[4]", 'a')
    new("wchar_t[4]", 4)
    new("char16_t[]", 4.5)
    new("union U*", 5)
    new("union U*", new("union U*")[0])
    new("union U*", {'z':1})
    new("struct P*", {'x':'a'})
    new("struct F*", new("struct F*",[1,[2,3]]))
    new("struct F*", None)
    new("struct F*", {'q':1})
    new("struct F*", [1,2,3])
    new("struct F*", [1,[2],3])
    new("struct F*", [])
    new("struct F*", {})
    new("struct G*", [1,2])
    new("struct G*", [5,[6,[7,8]]]).f.n
    setitem(new("struct F*", [5,[6,7,8]]),0,[1,[2,3,4]])
    setfield(new("struct F*", [5,[6,7,8]]),'a',[2,3,4])
    setfield(new("struct F*", [5,[6,7,8]]),'a',b"ab")
    setfield(new("struct F*", [5,[6,7,8]]),'a',3)
    setfield(new("struct F*", [5,[6,7,8]]),'a',9)
    setfield(new("struct F*", [5,[6,7,8]])[0],'a',[2,3,4])
    new("struct F*", [5,[6,7,8]])[0].a
    new("struct F[2]")[1].a
    new("struct N*").arr[0:2]
    new("struct N*")[0].arr
    new("wchar_t*","\U00012345")[0]
    new("wchar_t[]",[cast("wchar_t","a")])[0]
    new("char[]",[cast("char",65), b'b'])[0]
    new("struct N*", {'q':[1,2]})
    new("struct N*", {'q':None})
    new("struct N*", {'p':None})
    new("struct N*", {'arr':5})
    new("struct N*", {'name':5})
    new("struct N*", {'name':"x"})
    new("struct N*", {'name':[b'a']}).name[0]
    new("struct P*", {'x':1, 'z':3})
    new("struct B*", {'a':cast("int",2)}).a
    new("struct B*", {'a':Index()}).a
    new("struct B*", {'a':Int()}).a
    new("struct B*", {'b':2**70})
    new("struct B*", {'b':-2**70})
    new("struct B*", {'d':-2**63-1})
    new("struct B*", {'e':None})
    new("int[3]", [1,None])
    new("int[3]", [1,2.5])
    new("double[3]", [1,None])
    new("double[3]", [1,2.5,True])[2]
    new("double[3]", ["a"])
    new("float[3]", [1.5])[0]
    new("int*[2]", [NULL, p])[1]
    new("int*[2]", [5])
    new("char**", new("signed char[3]"))[0]
    new("char**", cast("fn_t",5))
    new("fn_t*", new("char*"))
    new("char**", cast("enum E*",8))
    new("void**", new("struct P*")[0])
    new("struct H*", [1,2,3,4,5]).f
    new("struct H*", [1,2,3,4,5,6]).f
    new("struct WB*", [1,1,3]).c
    new("struct P*")[0].__enter__()
    setfield(new("struct F*",[1,[1,2]]),'a',new("struct F*",[1,[1,2]]).a)
    setitem(new("struct F*",[1,[1,2]]),0,[1,3])
    setitem(new("struct G*",[1,[1,[1,2]]]),0,[1,[1,[2]]])
    new("struct P*", [[1],2])
    new("struct G*", [5,[6,[7,8]]])[0]
    new("struct VB*", [[1,[2]]]).f.a
    new("struct VB*", [[1,[2]]])
    new("short(*)[3]")[0]
    new("short(*)[3]",[1,2])[0][1]
    new("short(*)[]",[1,2])
    new("short(*)[]")
    new("int**")[0]
    new("fn_t*")[0]
    new("long double[2]",[1,2.5])[1]
    new("long double*",2**64-1)
    new("wchar_t[3]","\U00012345")[0]

    # lists and tuples of many
    sum(new('int[1000]', list(range(1000))))
    sum(new('int[1000]', tuple(range(-500, 500))))
    new('int[3]', [1, 2**31, 3])
    list(new('int[3]', [1, True, Int()]))
    list(new('short[3]', [32767, -32768, 5]))
    new('short[3]', [1, 32768])
    new('unsigned char[3]', [1, 256])
    list(new('uint64_t[2]', [2**64-1, 0]))
    list(new('int64_t[2]', [2**63-1, -2**63]))
    list(new('int8_t[2]', [-128, 127]))
    list(new('uint32_t[2]', [2**32-1, 2**30]))
    list(new('double[3]', [1.5, 2, True]))
    list(new('float[2]', [0.1, 1e300]))
    list(new('int*[2]', [NULL, NULL]))
    list(new('int[3]', [-1, -2**30, 2**30-1]))

    # a list that changes while it is read
    shrinking()
    shrinking_tuple_in_struct()
    ''',
    different={
        # What is beyond the end of the memory that ffi.new() made is not written to.
        'setitem(new("struct F*", [5,[6,7,8]]),0,[1,[2,3,4,5]])':
            "IndexError: too many initializers for 'short[]' (got 4)",
        'setfield(new("struct F*", [5,[6,7,8]]),\'a\',[2,3,4,5])':
            "IndexError: too many initializers for 'short[]' (got 4)",
        'setfield(new("struct F*",[1,[1,2]]),\'a\',new("struct F*",[1,[1,2,3,4]]).a)':
            "IndexError: too many initializers for 'short[]' (got 4)",
        # As in C, a struct is copied without its flexible array.
        'new("struct F*", new("struct F*",[1,[2,3]])[0])':
            "<cdata 'struct F *' owning 4 bytes>",
        'new("char[]", 2**63-1)':
            'MemoryError: out of memory for a cdata',
    },
)
test_same, test_different = CASES.tests()
