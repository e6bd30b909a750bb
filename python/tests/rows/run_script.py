"""Runs one script of this folder, statement by statement, and tells what each did: see test_rows.py.

    python run_script.py cffi|keelback SCRIPT

Standard output: a JSON line `[line number, outcome]` for each statement of the script that is an expression, and for
any other that raised. With `keelback`, the script's `import cffi` gets Keelback.
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
from pathlib import Path

# What comes after a statement whose outcome differs, one comment line each.
MARKS = ("#! keelback: ", "#! why: ")
# CFFI is not asked: it would crash, or overwrite memory.
UNSAFE = re.compile(r"(crashes|undefined)\b")


def statements(source):
    """(statement, outcome under Keelback or None, why it differs or None) of each statement of a script."""
    lines = source.splitlines()
    for statement in ast.parse(source).body:
        found = [None, None]
        after = lines[statement.end_lineno : statement.end_lineno + 2]
        for place, (line, mark) in enumerate(zip(after, MARKS)):
            if not line.startswith(mark):
                break
            found[place] = line.removeprefix(mark)
        yield statement, *found


def short(text):
    # Each process compiles the libraries of its own.
    text = re.sub(r"/\S*/keelback-tests-\w+/[^'\s:]*", "LIBRARY", text)
    text = re.sub(r"0x[0-9a-fA-F]{6,}", "ADDRESS", text)
    # A class's module: the two implementations have their own.
    return re.sub(r"\b(keelback\._runtime|keelback|cffi\.api|_cffi_backend|cffi)\.(?=[A-Z])", "", text)


def outcome_of(statement, namespace):
    """What the statement did: its value's repr or its exception, then all that it warned of, reported or printed."""
    printed, unraisable, outcome = io.StringIO(), [], None
    hook = sys.unraisablehook
    with warnings.catch_warnings(record=True) as warned, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        sys.unraisablehook = lambda args: unraisable.append(f"{args.err_msg} {args.exc_value!r}")
        try:
            if isinstance(statement, ast.Expr):
                outcome = repr(eval(compile(ast.Expression(statement.value), "script", "eval"), namespace))
            else:
                exec(compile(ast.Module([statement], []), "script", "exec"), namespace)
        except Exception as error:
            what = error.args[0] if len(error.args) == 1 else error.args
            outcome = f"{type(error).__name__}: {what}"
        sys.unraisablehook = hook
    outcome = [] if outcome is None else [outcome]
    outcome += [f"{warning.category.__name__}: {warning.message}" for warning in warned]
    outcome += [f"unraisable {text}" for text in unraisable]
    if printed.getvalue():
        outcome.append(f"printed {printed.getvalue()!r}")
    return short(" | ".join(outcome))


def main(implementation, path):
    if implementation == "keelback":
        import keelback

        keelback.install_as_cffi()
    # c_library and the like, for scripts.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    # Without this the garbage of one statement could speak during another.
    gc.disable()
    # The script's own printing to the file descriptor must not mix with ours.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    namespace = {"__name__": "script", "__file__": path}
    for statement, differs, why in statements(Path(path).read_text(encoding="utf-8")):
        if why and implementation == "cffi" and UNSAFE.match(why):
            continue
        outcome = outcome_of(statement, namespace)
        if outcome or isinstance(statement, ast.Expr):
            print(json.dumps([statement.lineno, outcome]), file=out, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
