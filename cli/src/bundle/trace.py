# Run by `keelback bundle --trim`: imports plugins and other modules, and reports the names of all modules that are then
# loaded.
#
# Arguments: a file for the answer (JSON), and each on its own: `plugin=NAME=FILE`, `include=MODULE`,
# `package=DISTRIBUTION`. The modules that only this script needs are imported last, so that they are not reported.
import importlib
import importlib.machinery
import importlib.util
import os
import sys

wishes = {"plugin": [], "include": [], "package": []}
for word in sys.argv[2:]:
    kind, _, value = word.partition("=")
    wishes[kind].append(value)
told = {"error": None, "modules": [], "later": []}


def aside(function):
    """Runs a function in a child process, where its imports do no harm, and returns the texts that it yields."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with open(write, "w") as out:
            for text in function():
                out.write(text + "\n")
        os._exit(0)
    os.close(write)
    with open(read) as come:
        lines = come.read().split("\n")
    os.waitpid(child, 0)
    return [line for line in lines if line]


def imported_later(codes):
    """The names that functions import when they are called, including those that may be modules of a package."""
    import dis

    codes = list(codes)
    while codes:
        code = codes.pop()
        before = None
        for instruction in dis.get_instructions(code):
            if instruction.opname == "IMPORT_NAME":
                yield instruction.argval
                for name in before or ():
                    yield instruction.argval + "." + name
            before = instruction.argval if isinstance(instruction.argval, tuple) else None
        codes += [constant for constant in code.co_consts if hasattr(constant, "co_code")]


def modules_of(packages):
    """The names under which distributions are imported, and their extension modules, whose imports cannot be read."""
    import importlib.metadata

    for package in packages:
        try:
            files = importlib.metadata.files(package) or ()
        except (importlib.metadata.PackageNotFoundError, ValueError):
            # Whoever copies the packages says so.
            continue
        for file in files:
            parts = list(file.parts)
            if len(parts) == 2 and parts[1] == "__init__.py":
                yield parts[0]
            elif len(parts) == 1 and parts[0].endswith(".py"):
                yield parts[0][:-3]
            elif parts[-1].endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES)) and "tests" not in parts:
                parts[-1] = parts[-1].partition(".")[0]
                yield ".".join(parts)


def imported_with(names):
    for name in names:
        # A module may be missing or unfit for this machine: the code that imports it must handle that.
        try:
            importlib.import_module(name)
        except BaseException:
            pass
    yield from sys.modules


def all_of(package):
    """All modules of a package."""
    import pkgutil

    for each in pkgutil.walk_packages(getattr(sys.modules[package], "__path__", ()), package + ".", onerror=lambda name: None):
        yield each.name


try:
    for name in wishes["include"]:
        told["including"] = name
        importlib.import_module(name)
        told["modules"] += aside(lambda: all_of(name))
    told.pop("including", None)
    codes = []
    for word in wishes["plugin"]:
        name, _, path = word.partition("=")
        loader = importlib.machinery.ExtensionFileLoader(name, path)
        spec = importlib.util.spec_from_file_location(name, path, loader=loader)
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
        functions = vars(sys.modules.get(name, module)).values()
        codes += [value.__code__ for value in functions if hasattr(value, "__code__")]
    told["later"] = aside(lambda: imported_later(codes))
    names = aside(lambda: modules_of(wishes["package"]))
    if names:
        told["modules"] += aside(lambda: imported_with(names))
except BaseException as error:
    told["error"] = f"{type(error).__name__}: {error}"
told["modules"] += list(sys.modules)

import json

with open(sys.argv[1], "w") as file:
    json.dump(told, file)
