"""An extension of Tcl: `load ./libpytcl.so` in tclsh."""

import shutil

import pytest

CDEF = """
    typedef struct Tcl_Interp Tcl_Interp;
    int Pytcl_Init(Tcl_Interp *interp);
"""
PRELUDE = """
    #include <tcl.h>

    static void set_text(Tcl_Interp *interp, const char *text, int length)
    {
        Tcl_SetObjResult(interp, Tcl_NewStringObj(text, length));
    }
"""
EXTRA = """
    typedef void *ClientData;
    typedef struct Tcl_Obj Tcl_Obj;
    typedef int (*Tcl_ObjCmdProc)(ClientData data, Tcl_Interp *interp, int count, Tcl_Obj *const *words);
    typedef void (*Tcl_CmdDeleteProc)(ClientData data);
    #define TCL_OK ...
    #define TCL_ERROR ...
    void *Tcl_CreateObjCommand(Tcl_Interp *interp, const char *name, Tcl_ObjCmdProc function, ClientData data, Tcl_CmdDeleteProc gone);
    char *Tcl_GetStringFromObj(Tcl_Obj *word, int *length);
    int Tcl_ListObjGetElements(Tcl_Interp *interp, Tcl_Obj *list, int *count, Tcl_Obj ***words);
    int Tcl_Eval(Tcl_Interp *interp, const char *script);
    const char *Tcl_GetStringResult(Tcl_Interp *interp);
    void set_text(Tcl_Interp *interp, const char *text, int length);
    extern "Python" int call(ClientData data, Tcl_Interp *interp, int count, Tcl_Obj *const *words);
    extern "Python" void forget(ClientData data);
"""
INIT = """
    import statistics
    import urllib.parse
    from pytcl import ffi, lib

    kept = {}

    def text(word):
        size = ffi.new("int *")
        data = lib.Tcl_GetStringFromObj(word, size)
        return ffi.unpack(data, size[0]).decode()

    def median(interp, words):
        count, items = ffi.new("int *"), ffi.new("Tcl_Obj ***")
        if lib.Tcl_ListObjGetElements(interp, words[0], count, items) != lib.TCL_OK:
            raise ValueError(ffi.string(lib.Tcl_GetStringResult(interp)).decode())
        return statistics.median(float(text(items[0][i])) for i in range(count[0]))

    def urlquote(interp, words):
        return urllib.parse.quote(text(words[0]))

    def pyeval(interp, words):
        # Python asks Tcl for what it does not know.
        class Names(dict):
            def __missing__(self, name):
                if lib.Tcl_Eval(interp, f"set {name}".encode()) != lib.TCL_OK:
                    raise NameError(ffi.string(lib.Tcl_GetStringResult(interp)).decode())
                return int(ffi.string(lib.Tcl_GetStringResult(interp)))
        return eval(text(words[0]), {"__builtins__": {}}, Names())

    @ffi.def_extern(error=lib.TCL_ERROR)
    def call(data, interp, count, words):
        try:
            answer = str(ffi.from_handle(data)(interp, words[1:count])).encode()
            status = lib.TCL_OK
        except Exception as error:
            answer, status = f"{type(error).__name__}: {error}".encode(), lib.TCL_ERROR
        lib.set_text(interp, answer, len(answer))
        return status

    @ffi.def_extern()
    def forget(data):
        print("gone", kept.pop(data).__name__)

    @ffi.def_extern(error=lib.TCL_ERROR)
    def Pytcl_Init(interp):
        for function in (median, urlquote, pyeval):
            handle = ffi.new_handle(function)
            kept[handle] = function
            lib.Tcl_CreateObjCommand(interp, function.__name__.encode(), lib.call, handle, lib.forget)
        return lib.TCL_OK
"""
SCRIPT = """
load LIBRARY Pytcl
puts [median {3 1 2.5}]
puts [urlquote "a b/ü"]
set width 6
puts [pyeval "width * 7"]
puts [catch {pyeval "nothing + 1"} message]
puts $message
puts [catch {median "\\{"} message]
puts $message
rename urlquote {}
# An interpreter of its own, in the same process.
set other [interp create]
puts [$other eval {load LIBRARY Pytcl; median {1 2 3 4}}]
interp delete $other
puts done
exit 4
"""


def test_tcl(plugin, run, tmp_path):
    if shutil.which("tclsh") is None:
        pytest.skip("no tclsh here (Debian: tcl)")
    if run("cc", "-fsyntax-only", "-I/usr/include/tcl", "-include", "tcl.h", "-xc", "/dev/null").code != 0:
        pytest.skip("no header tcl.h here (Debian: tcl-dev)")
    (tmp_path / "tcl.cdef").write_text(EXTRA)
    built = plugin(CDEF, INIT, name="pytcl", source=PRELUDE, args=["--cdef", tmp_path / "tcl.cdef", "-I/usr/include/tcl"])
    ran = run("tclsh", stdin=SCRIPT.replace("LIBRARY", str(built.library)), cwd=tmp_path, env={"LC_ALL": "C.UTF-8"})
    assert ran.stderr == "" and ran.code == 4
    lines = ran.stdout.splitlines()
    # Which command of an interpreter goes first is Tcl's secret.
    lines[9:12] = sorted(lines[9:12])
    assert lines == [
        "2.5",
        "a%20b/%C3%BC",
        "42",
        "1",
        'NameError: can\'t read "nothing": no such variable',
        "1",
        "ValueError: unmatched open brace in list",
        "gone urlquote",
        "2.5",
        "gone median",
        "gone pyeval",
        "gone urlquote",
        "done",
    ]
