"""ffi.cast(), and what primitive cdata and pointers do in int(), bool(), hash(), comparisons and arithmetic."""
from cdata_types import CDEF
from differential import Cases

SETUP = """
p = new("int *", 5)
s = new("struct P *", [1, 2])
"""

CASES = Cases(
    cdef=CDEF,
    setup=SETUP,
    expressions=r'''
    # casts, int(), float()
    cast("int", 3.9)
    cast("int", -3.9)
    cast("int", 1e30)
    cast("int", float('nan'))
    cast("int", float('inf'))
    cast("char", 300)
    cast("_Bool", 5)
    cast("_Bool", 0.5)
    cast("_Bool", 0.0)
    cast("_Bool", -0.0)
    cast("_Bool", float('nan'))
    cast("_Bool", 2**80)
    cast("_Bool", b'\x00')
    cast("_Bool", b'a')
    cast("_Bool", "a")
    cast("_Bool", NULL)
    cast("_Bool", Float())
    cast("_Bool", BadInt())
    cast("_Bool", type("Half", (), {"__float__": lambda self: 0.5, "__int__": lambda self: 0})())
    cast("_Bool", type("Text", (), {"__float__": lambda self: "x"})())
    cast("_Bool", object())
    cast("_Bool", new("int*"))
    cast("_Bool", cast("float",0.3))
    cast("int*", -1)
    cast("int", 2**80+5)
    cast("int", -2**80-5)
    cast("unsigned", -1)
    cast("int", b'A')
    cast("int", b'AB')
    cast("int", b'')
    cast("int", "A")
    cast("int", "AB")
    cast("int", None)
    cast("int", Index())
    cast("int", Int())
    cast("int", Float())
    cast("int", [1])
    cast("int", new("struct P*")[0])
    cast("int", NULL)
    cast("intptr_t", new("int[3]")) != 0
    cast("char", b'A')
    cast("char", b'AB')
    cast("char", "A")
    cast("char", -1)
    cast("char", 3.7)
    cast("signed char", b'\xff')
    cast("char", cast("wchar_t", "\u1234"))
    cast("wchar_t", "A")
    cast("wchar_t", b"A")
    cast("wchar_t", b"\xff")
    cast("wchar_t", 65)
    cast("wchar_t", 2**32+65)
    int(cast("wchar_t", -1))
    cast("char16_t", 65)
    cast("char16_t", "\U00012345")
    cast("char16_t", 0xd800)
    cast("char32_t", 0x12345)
    cast("wchar_t", "AB")
    cast("int", "\u1234")
    cast("float", 3)
    cast("float", "3")
    cast("float", b"3")
    cast("float", 1e300)
    cast("float", 1/3)
    cast("double", None)
    cast("double", 1/3)
    cast("double", NULL)
    cast("double", cast("int",3))
    cast("double", cast("char",b'A'))
    cast("double", cast("wchar_t",'A'))
    cast("double", cast("_Bool",1))
    cast("double", cast("enum E",5))
    cast("double", "A")
    cast("double", "AB")
    cast("double", b"A")
    cast("double", b"AB")
    cast("double", 1j)
    cast("double", new("struct P*")[0])
    cast("double", Int())
    cast("double", Index())
    cast("long double", 1/3)
    cast("long double", 3)
    cast("long double", 10**30)
    int(cast("long double", 2**63-1))
    int(cast("long double", 2**64-1))
    cast("long double", "3")
    cast("long double", cast("int",3))
    cast("long double", b"A")
    int(cast("long double", 1e300))==int(1e300)
    int(cast("long double", 3.99))
    int(cast("long double", -3.99))
    int(cast("long double", float('inf')))
    int(cast("long double", float('nan')))
    float(cast("long double", 3.25))
    bool(cast("long double", -0.0))
    bool(cast("long double", 1e-320))
    cast("long double", float('inf'))
    cast("long double", float('nan'))
    cast("long double", -0.0)
    cast("long double", 1e22)
    cast("long double", 1e-300)
    cast("int", 1j)
    cast("enum E", 5)
    cast("enum E", 6)
    cast("enum E", -1)
    cast("enum EU", -1)
    cast("enum E", 2**32+5)
    cast("enum E", "A")
    cast("enum E", b"A")
    cast("enum E", 1.7)
    cast("enum E", NULL)
    repr(cast("enum E", 5))
    str(cast("enum E", 5))
    cast("int*", 5)
    cast("int*", 5.0)
    cast("int*", "a")
    cast("int*", b"a")
    cast("int*", None)
    cast("int*", new("char[5]"))
    cast("int*", cast("int",5))
    cast("int*", cast("double",5))
    cast("int*", cast("char",b'a'))
    cast("int*", new("struct P*")[0])
    cast("int*", 2**64+5)
    cast("int*", Index())
    cast("int*", Int())
    cast("fn_t", 0)
    cast("fn_t", 5)
    cast("fn_t", NULL)
    cast("int[3]", new("int[5]"))
    cast("int[3]", new("int*"))
    cast("int[3]", new("char*"))
    cast("int[]", new("int*"))
    cast("int[3]", 5)
    cast("int[3]", [1])
    cast("struct P", 5)
    cast("struct P", new("struct P*")[0])
    cast("struct P", new("struct N*")[0])
    cast("struct P*", new("struct P*")[0])
    cast("union U", 5)
    cast("void", 5)
    cast("void*", 5)
    cast("void*", new("int*"))
    cast("struct O*", 5)
    cast("int", cast("long double",5.5))
    cast("int", cast("float",-5.5))
    cast("unsigned char", 3.99e9)
    cast("long", 1e18)
    cast("int", True)
    cast("uint64_t", -1)
    int(cast("uint64_t", -1))

    # hash, comparison, arithmetic
    hash(cast("int",8))==hash(8)
    hash(cast("double",1.5))==hash(1.5)
    hash(cast("char",b'a'))==hash(b'a')
    hash(cast("wchar_t",'a'))==hash('a')
    cast("long double",1.5)==cast("long double",1.5)
    cast("long double",1.5)==1.5
    cast("long double",1.5)!=1.5
    cast("int",8)==8
    cast("int",8)==8.0
    cast("int",8)==cast("long",8)
    cast("int",8)=="a"
    cast("int",8)<9
    cast("int",8)<cast("double",9.5)
    cast("int",8)<"a"
    cast("int",8)<cast("int*",3)
    cast("int",8)==cast("int*",3)
    cast("int*",3)==3
    cast("int*",3)<3
    cast("int*",3)<cast("char*",5)
    cast("int*",3)>=cast("char*",5)
    cast("int*",3)==cast("char*",3)
    cast("int*",0)==None
    cast("int*",0)==NULL
    new("struct P*")[0]==5
    new("struct P*")[0]<5
    cast("long double",1)<2
    cast("long double",1)<cast("long double",2)
    cast("char",b'a')==b'a'
    cast("char",b'a')<b'b'
    cast("int",-1)==cast("unsigned",-1)
    cast("int", 5)+1
    1+cast("int", 5)
    cast("int", 5)-1
    cast("int",5)-cast("int",4)
    -cast("int",5)
    cast("int*", 100)+3
    3+cast("int*", 100)
    cast("int*", 100)-3
    3-cast("int*", 100)
    cast("int*", 100)-cast("int*", 92)
    cast("int*", 100)-cast("int*", 93)
    cast("int*", 100)-cast("char*", 93)
    new("int[5]")-new("long[5]")
    new("int[5]")+1
    new("int[][2]",3)+1
    cast("void*",100)+3
    cast("void*",100)-cast("void*",95)
    cast("struct O*",100)+3
    cast("struct O*",100)-cast("struct O*",95)
    cast("fn_t",100)+3
    cast("fn_t",100)-cast("fn_t",95)
    cast("int*",100)+2.5
    cast("int*",100)+"a"
    cast("int*",100)+None
    cast("int*",100)+Index()
    cast("int*",100)+cast("int",3)
    cast("int*",100)+cast("int*",3)
    cast("int*",100)+2**70
    cast("int*",100)+2**62
    cast("int*",100)-(-2**63)
    new("struct P*")[0]+1
    new("struct P*")[0]-new("struct P*")[0]
    cast("int*",100)*2
    cast("int(*)[]",100)+1
    cast("int(*)[]",100)-cast("int(*)[]",96)
    cast("int",5)*2
    abs(cast("int",-5))

    # more
    cast("int(*)[0]",8)+1
    cast("int(*)[0]",8)-cast("int(*)[0]",8)
    cast("int", "\U00012345")
    cast("int64_t", 1e19)
    cast("uint64_t", 1e19)
    cast("uint64_t", -1.5)
    cast("char", cast("int",65))
    cast("char", cast("double",65))
    cast("wchar_t", cast("char",b'\xff'))
    cast("int", cast("char",b'\xff'))
    cast("int", cast("signed char",b'\xff'))
    cast("int", cast("wchar_t",'\U00012345'))
    cast("int", cast("fn_t",7))
    cast("int", new("int[3]"))!=0
    cast("float", cast("wchar_t",'A'))
    cast("float", new("int[3]"))
    cast("float", bytearray(b'a'))
    cast("int", bytearray(b'a'))
    cast("long double", None)
    cast("long double", cast("enum E", 5))
    cast("long double", cast("wchar_t", 'a'))
    cast("long double", NULL)
    cast("long double", "ab")
    cast("_Bool", cast("double",float('nan')))
    cast("_Bool", cast("long double",0.1))
    cast("_Bool", Index())
    cast("_Bool", Int())
    cast("_Bool", None)
    cast("_Bool", new("struct P*")[0])
    cast("_Bool", b'ab')
    cast("char", None)
    cast("char", "\u1234")
    cast("char", "\xe9")
    cast("char", 1j)
    cast("enum E", cast("enum EU",1))
    cast("struct F*",new("char[20]")).a
    cast("struct F*",new("char[20]"))[0].a
    cast("struct F*",new("char[20]"))[0]
    bool(new("struct N*")[0].arr)
    cast("int*",8).zz
    cast("int",5).__index__
    "%d" % cast("int",5)
    "%s" % cast("int",5)
    f"{cast('int',5):x}"
    f"{cast('int',5)}"
    f"{p:x}"
    round(cast("double",2.5))
    int(cast("char16_t",'a'))
    cast("char16_t", 70000)
    cast("long double", 1.5).__float__()
    isinstance(cast("int",3), type(cast("int*",3)))
    divmod(p,2)
    pow(cast("int",3),2)
    cast("int[0]", p)
    cast("int[5]", None)
    cast("struct P[2]", s)
    cast("int[2][2]", p)
    cast("void(*)(void)",0)()
    cast("int(*)[]",new("int[4]"))[0]
    int(cast("enum EU", -1))
    cast("enum E", 5) == 5
    bool(cast("struct O*", 5))
    cast("int", 5) is cast("int",5)
    hash(new("struct P*"))!=0

    # complex
    complex(cast('float _Complex', 1+2j))
    cast('double _Complex', 5j) == 5j
    hash(cast('double _Complex', 5j)) == hash(5j)
    bool(cast('double _Complex', 0))
    bool(cast('float _Complex', 1j))
    new('double _Complex[2]', [1, 2j])[1]
    new('float _Complex *', 'x')
    new('double _Complex *', cast('double', 3))

    # numbers of cdata
    bool(NULL)
    range(5)[cast("int",3)]

    # long double
    int(cast('long double', -1e300)) == int(-1e300)
    int(cast('long double', -2**63))
    float(cast('long double', 1e308))
    new('long double *', 0.1)[0]
    cast('double', cast('long double', 0.1))
    cast('float', cast('long double', 0.1))
    ''',
    different={
        "int(new('long double*', 2**63-1)[0])":
            '9223372036854775807',
        # int() of a long double loses nothing, and its conversion from an int neither.
        'int(new("long double*", 2**64-1)[0])':
            '18446744073709551615',
        # repr() works for every value.
        'cast("wchar_t", 0x110000)':
            "<cdata 'wchar_t' ADDRESS>",
        'cast("wchar_t", -1)':
            "<cdata 'wchar_t' ADDRESS>",
        'cast("char32_t", 0xfffffff)':
            "<cdata 'char32_t' ADDRESS>",
        'hash(cast("wchar_t",-1))':
            'ValueError: a wide character in memory has the value ADDRESS, which is no Unicode character',
    },
)
test_same, test_different = CASES.tests()
