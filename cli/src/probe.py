# Run by `keelback build` with the Python of a plugin: reports the properties of this Python, and checks the init code.
#
# The command line has the module name, the init code's file name and its length, the directory that it is in, and the
# names of the plugin's own modules (top-level ones behind a `+`); standard input has the init code, and then those
# modules: of each a line with its path, a line with its length, and the text. Two records go to standard output, each a
# series of `key=value` fields that end in a NUL byte, and then an empty field. The first record is sent before the init
# code is checked, so that the C compiler can start meanwhile. The file must be understood by every Python since 2.7: an
# old one must be told apart from a broken one.
import os
import sys

out = getattr(sys.stdout, "buffer", sys.stdout)


def send(key, value):
    if not isinstance(value, bytes):
        try:
            value = os.fsencode(value)
        except (AttributeError, UnicodeError):
            value = value.encode("utf-8", "replace")
    out.write(key.encode() + b"=" + value + b"\0")


def end_record():
    out.write(b"\0")
    out.flush()


def first_existing(paths):
    for path in paths:
        if os.path.isfile(path):
            return path
    return ""


def mapped_libpython():
    # The libpython that is mapped into this process is certain. A static Python has none.
    try:
        with open("/proc/self/maps") as maps:
            for line in maps:
                path = line.rstrip("\n").partition("/")[2]
                if os.path.basename(path).startswith("libpython3."):
                    return "/" + path
    except OSError:
        pass
    return ""


def describe():
    import sysconfig

    get = sysconfig.get_config_var
    version = "%d.%d" % sys.version_info[:2]
    base = sys.base_prefix
    names = []
    for name in (
        get("INSTSONAME"),
        get("LDLIBRARY"),
        "libpython%s%s.so.1.0" % (version, sys.abiflags),
        "libpython%s%s.so" % (version, sys.abiflags),
        "libpython%s%s.dylib" % (version, sys.abiflags),
    ):
        if name and not name.endswith(".a") and name not in names:
            names.append(name)
    multiarch = get("MULTIARCH") or ""
    directories = []
    for directory in (get("LIBDIR"), os.path.join(base, "lib"), os.path.join(base, "lib64")):
        if directory:
            directories += [directory, os.path.join(directory, multiarch)]
    shared = mapped_libpython() or first_existing(
        os.path.join(directory, name) for directory in directories for name in names
    )

    # Without `site`, Python has not read pyvenv.cfg (which is beside the executable or one level up).
    venv = ""
    bindir = os.path.dirname(os.path.abspath(sys.executable))
    for directory in (os.path.dirname(bindir), bindir):
        if os.path.isfile(os.path.join(directory, "pyvenv.cfg")):
            venv = directory
            break

    send("version", version)
    send("full_version", sys.version.split()[0])
    send("implementation", sys.implementation.name)
    send("executable", os.path.abspath(sys.executable))
    send("base_prefix", base)
    send("venv", venv)
    send("libpython", shared)
    send("libpython_name", names[0] if names else "")
    send("enable_shared", str(get("Py_ENABLE_SHARED") or 0))
    send("free_threaded", str(get("Py_GIL_DISABLED") or 0))
    import _frozen_importlib_external

    send("magic", str(int.from_bytes(_frozen_importlib_external.MAGIC_NUMBER, "little")))

    prefixes = [venv] if venv else []
    if not venv or venv_sees_system(venv):
        prefixes.append(base)
    seen = set()
    for prefix in prefixes:
        values = {"base": prefix, "platbase": prefix, "installed_base": prefix, "installed_platbase": prefix}
        for scheme in sysconfig.get_scheme_names():
            if scheme == "venv" or scheme.startswith(("posix_prefix", "posix_local", "deb_system")):
                package = os.path.join(sysconfig.get_path("platlib", scheme, values), "keelback")
                if package not in seen and os.path.isdir(package):
                    seen.add(package)
                    send("package", package)


def venv_sees_system(venv):
    with open(os.path.join(venv, "pyvenv.cfg")) as config:
        for line in config:
            key, _, value = line.partition("=")
            if key.strip() == "include-system-site-packages":
                return value.strip().lower() == "true"
    return False


def check(module, filename, length, directory, *names):
    import warnings

    own = set(name for name in names if name[0] != "+")
    carried = set(name.lstrip("+") for name in names)

    with open(sys.stdin.fileno(), "rb", closefd=False) as stream:
        source = stream.read(int(length))
        modules = []
        for path in stream:
            size = int(stream.readline())
            modules.append((path.decode("utf-8").rstrip("\n"), stream.read(size)))

    def warn(message, category, filename, line, file=None, line_text=None):
        send("warning", "%d:%s: %s" % (line, category.__name__, message))

    warnings.showwarning = warn
    warnings.simplefilter("default")
    try:
        only_ast = 0x0400  # ast.PyCF_ONLY_AST; the module ast itself takes time to import
        # The text is UTF-8, whatever a coding line says.
        tree = compile(source.decode("utf-8"), filename, "exec", only_ast, True)
        tree_of_own = compile(source.decode("utf-8"), filename, "exec", only_ast, True) if own else tree
        code = compile_own(tree_of_own, filename, module, own)
    except SyntaxError as error:
        send("error_type", type(error).__name__)
        send("error", error.msg or "invalid syntax")
        send("error_line", str(error.lineno or 0))
        send("error_column", str(error.offset or 0))
        if error.end_lineno == error.lineno and error.end_offset:
            send("error_end_column", str(error.end_offset))
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        send("error_type", type(error).__name__)
        send("error", str(error) or "the code is nested too deeply")
        send("error_line", "0")
        send("error_column", "0")
    else:
        scan(tree, module)
        for name, value, line in read_errors(tree, module):
            send("error_value", "%d:%s=%s" % (line, name, value or ""))
        for use in uses_of_lib(tree, module):
            send("uses_lib", "%d\n%d\n%s" % use)
        beside(tree, module, filename, directory, carried)
        if own:
            send("init_code", code)
    warnings.showwarning = lambda *_, **__: None
    for path, source in modules:
        try:
            tree = compile(source, path, "exec", only_ast, True)
            beside(tree, module, path, directory, carried)
            send("code_of", path)
            send("code", compile_own(tree, path, module, own))
        except SyntaxError as error:
            bad_module(path, error, error.msg or "invalid syntax", error.lineno or 0, error.offset or 0)
        except (ValueError, RecursionError, MemoryError, OverflowError) as error:
            bad_module(path, error, str(error) or "the code is nested too deeply", 0, 0)


def bad_module(path, error, message, line, column):
    send("module_error", "%d\n%d\n%s\n%s: %s" % (line, column, path, type(error).__name__, message))


def compile_own(tree, filename, module, own):
    """The compiled code: the bytes that marshal writes, in hexadecimal digits."""
    import binascii
    import marshal

    if own:
        rewrite(list(walk(tree)), module, own)
    return binascii.hexlify(marshal.dumps(compile(tree, filename, "exec", 0, True)))


def beside(tree, module, filename, directory, own):
    """Imports of modules that lie beside the init code, and are not the plugin's own."""
    found = {}
    for node in walk(tree):
        kind = type(node).__name__
        if kind == "Import":
            names = [alias.name for alias in node.names]
        elif kind == "ImportFrom" and not node.level:
            names = [node.module]
        else:
            continue
        for name in names:
            top = name.partition(".")[0]
            if top in own or top == module or top in sys.stdlib_module_names or not directory:
                continue
            path = os.path.normpath(os.path.join(directory, top))
            if os.path.isfile(path + ".py"):
                path += ".py"
            elif not (os.path.isdir(path) and any(file.endswith(".py") for file in os.listdir(path))):
                continue
            found[top] = min(found.get(top, (node.lineno, path)), (node.lineno, path))
    for top, (line, path) in sorted(found.items(), key=lambda one: one[1]):
        send("beside", "%d\n%s\n%s\n%s" % (line, filename, top, path))


def scan(tree, module):
    """Sends the functions that the code attaches, and whether there may be others."""
    known = sys.stdlib_module_names
    named = set()  # the nodes `x.def_extern` whose call was understood
    attributes = []
    unsure = []
    attached = []
    if module in known:
        send("shadows", module)

    names_of_ffi = dict()  # other modules' ffi
    for node in walk(tree):
        if type(node).__name__ == "ImportFrom" and node.module != module:
            for alias in node.names:
                if alias.name == "ffi":
                    names_of_ffi[alias.asname or "ffi"] = "." * node.level + (node.module or "")

    def attach(call, name, line):
        named.add(id(call.func))
        for keyword in call.keywords:
            if keyword.arg is None:
                name = None
            elif keyword.arg == "name":
                name = constant(keyword.value) if not is_none(keyword.value) else name
        if call.args and not is_none(call.args[0]):
            name = constant(call.args[0])
        if name is None:
            unsure.append(line)
        else:
            attached.append((name, line))

    for node in walk(tree):
        kind = type(node).__name__
        if kind in ("FunctionDef", "AsyncFunctionDef", "ClassDef"):
            for decorator in node.decorator_list:
                if is_def_extern_call(decorator):
                    attach(decorator, node.name, decorator.lineno)
                    if kind != "ClassDef" and len(node.decorator_list) == 1 and attached:
                        name_in_c = attached[-1][0] if attached[-1][1] == decorator.lineno else node.name
                        more = int(node in tree.body), int(is_batch(decorator))
                        send("defined", "\n".join(map(str, shape(node, name_in_c) + more)))
                    given = getattr(decorator.func.value, "id", None)
                    if given in names_of_ffi:
                        send("foreign", "%d\n%s\n%s" % (decorator.lineno, given, names_of_ffi[given]))
                elif type(decorator).__name__ == "Attribute" and decorator.attr == "def_extern":
                    send("uncalled", str(decorator.lineno))
        elif kind == "Call":
            if is_def_extern_call(node.func):
                # ffi.def_extern(name="f")(function)
                attach(node.func, None, node.lineno)
            elif type(node.func).__name__ == "Name" and node.func.id in (
                "exec", "eval", "compile", "__import__", "getattr", "execfile"
            ):
                unsure.append(node.lineno)
        elif kind == "Attribute" and node.attr == "def_extern":
            attributes.append(node)
        elif kind == "Import":
            for alias in node.names:
                top = alias.name.partition(".")[0]
                if top not in known and top != module or top in ("importlib", "runpy"):
                    unsure.append(node.lineno)
        elif kind == "ImportFrom":
            top = (node.module or "").partition(".")[0]
            if top not in known and node.module != module or top in ("importlib", "runpy"):
                unsure.append(node.lineno)
    if any(id(node) not in named for node in attributes):
        unsure.append(0)
    send("unsure", "1" if unsure else "0")
    for name, line in attached:
        send("attached", "%d:%s" % (line, name))


def is_batch(call):
    """Whether a call of def_extern() says batch=True."""
    given = dict((keyword.arg, keyword.value) for keyword in call.keywords)
    value = call.args[3] if len(call.args) > 3 else given.get("batch")
    return getattr(value, "value", None) is True


def shape(function, name):
    """Of a function: its name in C, the line of its def, the least and most arguments by position (-1: any number), the
    parameters that must be given by keyword, and what a call of it returns instead of a result ("a coroutine")."""
    arguments = function.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    required = positional - len(arguments.defaults)
    keywords = [one.arg for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults) if default is None]
    gives = ""
    if type(function).__name__ == "AsyncFunctionDef":
        gives = "a coroutine"
    if yields(function):
        gives = "an asynchronous generator" if gives else "a generator"
    return name, function.lineno, required, -1 if arguments.vararg else positional, " ".join(keywords), gives


def yields(function):
    """Whether it is a generator: it has a yield itself, not in a function inside."""
    stack = list(function.body)
    while stack:
        node = stack.pop()
        kind = type(node).__name__
        if kind in ("Yield", "YieldFrom"):
            return True
        if kind in ("FunctionDef", "AsyncFunctionDef", "Lambda", "ClassDef"):
            continue
        for field in node._fields:
            value = getattr(node, field, None)
            stack.extend(one for one in (value if isinstance(value, list) else [value]) if hasattr(one, "_fields"))
    return False


def uses_of_lib(tree, module):
    """Each `lib.NAME` where `lib` is certainly the plugin's: line, column, and name."""
    bound = _bindings(tree)
    libs = set()
    for node in walk(tree):
        if type(node).__name__ == "ImportFrom" and node.module == module and not node.level:
            names = [alias.asname or alias.name for alias in node.names if alias.name == "lib"]
            libs.update(name for name in names if bound.get(name) == 1)
    found = []
    for node in walk(tree):
        if type(node).__name__ == "Attribute" and getattr(node.value, "id", None) in libs:
            if not node.attr.startswith("__"):
                # Columns of the syntax tree are bytes.
                found.append((node.end_lineno, node.end_col_offset - len(node.attr.encode("utf-8")), node.attr))
    return sorted(found)


def is_def_extern_call(node):
    return (
        type(node).__name__ == "Call"
        and type(node.func).__name__ == "Attribute"
        and node.func.attr == "def_extern"
    )


def is_none(node):
    return type(node).__name__ == "Constant" and node.value is None


def constant(node):
    if type(node).__name__ == "Constant" and isinstance(node.value, str):
        return node.value
    return None


if sys.version_info < (3, 10):
    send("version", "%d.%d" % sys.version_info[:2])
    send("full_version", sys.version.split()[0])
    end_record()
else:
    describe()
    end_record()
    if len(sys.argv) > 4:
        check(*sys.argv[1:])
        end_record()
