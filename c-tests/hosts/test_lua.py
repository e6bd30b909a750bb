"""A C module of Lua: `require "pytext"` in the stock interpreter."""

import hashlib
import shutil

import pytest
from harness import Ran

CDEF = """
    #include <lua.h>

    /** require calls it: its name is that of the module. */
    int luaopen_pytext(lua_State *L);
"""
# lua_error() and the luaL_check functions jump over the frames between them and pcall: never over Python's. So Python
# calls none of them; the C function that Lua calls raises what Python has left on the stack.
PRELUDE = """
    #include <lua.h>
    #include <lauxlib.h>

    static int call_python(lua_State *L, const char *name);

    static int call(lua_State *L)
    {
        int results = call_python(L, lua_tostring(L, lua_upvalueindex(1)));
        return results < 0 ? lua_error(L) : results;
    }

    static void add_function(lua_State *L, const char *name)
    {
        lua_pushstring(L, name);
        lua_pushcclosure(L, call, 1);
        lua_setfield(L, -2, name);
    }

    static int protected_call(lua_State *L, int arguments) { return lua_pcall(L, arguments, 1, 0); }
    static void new_table(lua_State *L) { lua_newtable(L); }
    static void pop(lua_State *L, int count) { lua_pop(L, count); }
"""
# Beside lua.h as it is.
EXTRA = """
    void new_table(lua_State *L);
    void pop(lua_State *L, int count);
    int protected_call(lua_State *L, int arguments);
    void add_function(lua_State *L, const char *name);
    extern "Python" int call_python(lua_State *L, const char *name);
"""
INIT = """
    import hashlib
    import json
    from pytext import ffi, lib

    def push(L, value):
        if value is None:
            lib.lua_pushnil(L)
        elif isinstance(value, bool):
            lib.lua_pushboolean(L, value)
        elif isinstance(value, int):
            lib.lua_pushinteger(L, value)
        elif isinstance(value, float):
            lib.lua_pushnumber(L, value)
        elif isinstance(value, str):
            data = value.encode()
            lib.lua_pushlstring(L, data, len(data))
        else:
            pairs = value.items() if isinstance(value, dict) else enumerate(value, 1)
            lib.new_table(L)
            for key, item in pairs:
                push(L, key)
                push(L, item)
                lib.lua_rawset(L, -3)

    def get(L, index):
        index = lib.lua_absindex(L, index)
        kind = lib.lua_type(L, index)
        if kind == lib.LUA_TNIL:
            return None
        if kind == lib.LUA_TBOOLEAN:
            return bool(lib.lua_toboolean(L, index))
        if kind == lib.LUA_TNUMBER:
            if lib.lua_isinteger(L, index):
                return lib.lua_tointegerx(L, index, ffi.NULL)
            return lib.lua_tonumberx(L, index, ffi.NULL)
        if kind == lib.LUA_TSTRING:
            size = ffi.new("size_t *")
            return ffi.unpack(lib.lua_tolstring(L, index, size), size[0]).decode()
        if kind != lib.LUA_TTABLE:
            raise TypeError(f"value {index} is a function, a thread or a userdata")
        table = {}
        lib.lua_pushnil(L)
        while lib.lua_next(L, index):
            table[get(L, -2)] = get(L, -1)
            lib.pop(L, 1)
        return list(table.values()) if list(table) == list(range(1, len(table) + 1)) and table else table

    def decode(L):
        push(L, json.loads(get(L, 1)))
        return 1

    def encode(L):
        push(L, json.dumps(get(L, 1), sort_keys=True))
        return 1

    def sha256(L):
        push(L, hashlib.sha256(get(L, 1).encode()).hexdigest())
        return 1

    def sort(L):
        # sort(list, key): the key is a Lua function, called from here.
        def key(item):
            lib.lua_pushvalue(L, 2)
            push(L, item)
            if lib.protected_call(L, 1) != 0:
                raise RuntimeError(get(L, -1))
            result = get(L, -1)
            lib.pop(L, 1)
            return result
        push(L, sorted(get(L, 1), key=key))
        return 1

    functions = {"decode": decode, "encode": encode, "sha256": sha256, "sort": sort}

    @ffi.def_extern()
    def call_python(L, name):
        try:
            return functions[ffi.string(name).decode()](L)
        except Exception as error:
            push(L, f"{type(error).__name__}: {error}")
            return -1

    @ffi.def_extern()
    def luaopen_pytext(L):
        lib.new_table(L)
        for name in functions:
            lib.add_function(L, name.encode())
        return 1
"""
SCRIPT = """
local text = require "pytext"
local value = text.decode('{"a": [1, 2.5, true], "b": "x"}')
print(value.a[1], value.a[2], value.a[3], value.b)
print(text.encode({1, "two", {three = 3}}))
print(text.sha256("lua"))
print(table.concat(text.sort({"ccc", "a", "bb"}, function(s) return #s end), " "))
print(pcall(text.decode, "{"))
print(pcall(text.sort, {1, 2}, function(s) error("from Lua", 0) end))
-- In a coroutine, that yields between calls.
local worker = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(text.encode({i})) end end)
print(worker(), worker(), worker())
local sum = 0
for i = 1, 20000 do sum = sum + text.decode("[" .. i .. "]")[1] end
print(sum)
"""


@pytest.fixture(scope="module")
def module(plugin, run):
    if shutil.which("lua5.4") is None:
        pytest.skip("no lua5.4 here (Debian: lua5.4)")
    if run("cc", "-fsyntax-only", "-I/usr/include/lua5.4", "-include", "lua.h", "-xc", "/dev/null").code != 0:
        pytest.skip("no header lua.h of Lua 5.4 here (Debian: liblua5.4-dev)")
    place = run.__self__.directory
    (place / "lua.cdef").write_text(EXTRA)
    built = plugin(CDEF, INIT, name="pytext", source=PRELUDE, args=["--cdef", "/usr/include/lua5.4/lua.h", "--cdef", place / "lua.cdef", "-I/usr/include/lua5.4"])
    module = built.directory / "pytext.so"
    if not module.exists():
        module.symlink_to(built.library)
    return built.directory


def test_lua(module, run):
    assert run("lua5.4", "-", cwd=module, stdin=SCRIPT, env={"LUA_CPATH": f"{module}/?.so"}) == Ran(
        "1\t2.5\ttrue\tx\n"
        '[1, "two", {"three": 3}]\n'
        f"{hashlib.sha256(b'lua').hexdigest()}\n"
        "a bb ccc\n"
        "false\tJSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\n"
        "false\tRuntimeError: from Lua\n"
        "[1]\t[2]\t[3]\n"
        "200010000\n"
    )


def test_lua_without_python(module, run):
    """require gets 0 results: the module is `true`, as for every C module that returns nothing; Lua lives."""
    ran = run("lua5.4", "-e", "print(require('pytext') == true)", cwd=module,
              env={"LUA_CPATH": f"{module}/?.so", "KEELBACK_PYTHON": "/nonexistent/python3"})
    assert ran.stdout == "true\n" and ran.code == 0 and "pytext: no libpython could be loaded" in ran.stderr
