"""The child process of differential.py: runs statements under one implementation and tells what each did.

    python differential_child.py cffi|keelback

Standard input: a job as JSON. Standard output: a JSON line `[key, outcome]` for each statement that is an expression,
and for any other that did something one can see (an exception, a warning, a report, printed text). A job has

- `statements`: `[key, source]` each.
- `file`: the script that the statements come from, for `__file__`; they share one namespace, and `import cffi` gets
  Keelback with `keelback`. Without `file` the statements do not see each other: each starts from
- `cdef` and `setup`: declarations of an FFI that all share, and code that runs before each statement.
"""
import ast
import contextlib
import gc
import io
import json
import os
import re
import sys
import warnings

# What every statement of a job without `file` may use beside `ffi` and what `setup` defines.
PRELUDE = """
new, cast, NULL, typeof = ffi.new, ffi.cast, ffi.NULL, ffi.typeof
def setitem(p, i, value):
    p[i] = value
    return p[0] if isinstance(i, slice) else p[i]
def setfield(p, name, value):
    setattr(p, name, value)
    return getattr(p, name)
def delitem(p, i):
    del p[i]
class Index:
    def __index__(self): return 7
class Int:
    def __int__(self): return 8
class Float:
    def __float__(self): return 2.5
class BadInt:
    def __int__(self): return "x"
"""


def comparable(text):
    """The text without what two processes, or the names of two implementations' modules, must differ in."""
    # Each process compiles its own libraries.
    text = re.sub(r"/\S*/keelback-tests-\w+/[^'\s:]*", "LIBRARY", text)
    text = re.sub(r"0x[0-9a-fA-F]{6,}", "ADDRESS", text)
    return re.sub(r"\b(keelback\._runtime|keelback|cffi\.api|_cffi_backend|cffi)\.(?=[A-Z])", "", text)


def outcome_of(statement, prepare):
    """What a statement (a node of ast) did: its value's repr or its exception, then all that it warned of, reported or
    printed. `prepare()` makes the namespace that it runs in; what that raises is the statement's outcome too."""
    printed, unraisable, outcome = io.StringIO(), [], None
    hook = sys.unraisablehook
    with warnings.catch_warnings(record=True) as warned, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        sys.unraisablehook = lambda args: unraisable.append(f"{args.err_msg} {args.exc_value!r}")
        try:
            namespace = prepare()
            if isinstance(statement, ast.Expr):
                outcome = repr(eval(compile(ast.Expression(statement.value), "script", "eval"), namespace))
            else:
                exec(compile(ast.Module([statement], []), "script", "exec"), namespace)
        except Exception as error:
            what = error.args[0] if len(error.args) == 1 else error.args
            outcome = f"{type(error).__name__}: {what}"
        # Objects that only the namespace holds end here, while what they report belongs to this statement.
        namespace = None
        sys.unraisablehook = hook
    outcome = [] if outcome is None else [outcome]
    outcome += [f"{warning.category.__name__}: {warning.message}" for warning in warned]
    outcome += [f"unraisable {text}" for text in unraisable]
    if printed.getvalue():
        outcome.append(f"printed {printed.getvalue()!r}")
    return comparable(" | ".join(outcome))


def one_namespace(implementation, file):
    """Statements of a script follow one another."""
    if implementation == "keelback":
        import keelback

        keelback.install_as_cffi()
    namespace = {"__name__": "script", "__file__": file}
    return lambda: namespace


def own_namespaces(implementation, cdef, setup):
    """Each statement starts anew from `setup`; only the FFI is shared."""
    if implementation == "cffi":
        import cffi as module
    else:
        import keelback as module
    ffi = module.FFI()
    if cdef:
        ffi.cdef(cdef)

    def prepare():
        namespace = {"ffi": ffi}
        exec(PRELUDE, namespace)
        exec(setup, namespace)
        return namespace

    return prepare


def main(implementation):
    job = json.load(sys.stdin)
    # Without this the garbage of one statement could speak during another.
    gc.disable()
    # What C code prints must not mix with our lines.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if "file" in job:
        prepare = one_namespace(implementation, job["file"])
    else:
        prepare = own_namespaces(implementation, job["cdef"], job["setup"])
    for key, source in job["statements"]:
        statement, = ast.parse(source).body
        outcome = outcome_of(statement, prepare)
        if outcome or isinstance(statement, ast.Expr):
            print(json.dumps([key, outcome]), file=out, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
