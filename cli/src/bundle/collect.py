# Run by `keelback bundle` with the Python that is bundled: copies what it needs to run elsewhere.
#
# The command line has one JSON object: target (an empty directory), libpython, excluded and included (names of modules),
# packages (names of distributions), all_packages, sources (whether .py files stay), trimmed_to (names of modules:
# `modules` that were imported, `later` by functions; null: all of the standard library). Fields `key=value` go to standard output, each ended by a NUL byte:
#   error     why there is no bundle; what to do follows after a newline
#   warning   what the bundle lacks; likewise
#   native    an ELF file of the bundle (path from its top), where it was copied from, and the package it is of (empty:
#             Python itself), each on a line
#   place     a directory whose files were copied, and what it is in the bundle, each on a line
#   machine   a path of this machine that may stand in files; the longest come first
#   package   a distribution that was copied, as JSON: name, version, licence, url, files with its licence
#   python    of this Python, as JSON: files with its licence
import sys

# Do not import modules from the working directory.
sys.path[:] = [path for path in sys.path if path]

import ast
import importlib.metadata
import importlib.util
import json
import os
import py_compile
import re
import shutil
import site
import struct
import sysconfig

out = sys.stdout.buffer

# Left out, as no plugin needs them: Python's own tests, graphical programs (tkinter needs Tcl's files as well), and
# what builds and installs Python packages.
LEFT_OUT_DIRECTORIES = {"__pycache__", "test", "tests", "idlelib", "turtledemo", "tkinter", "ensurepip", "site-packages", "dist-packages"}
LEFT_OUT_FILES = {"turtle.py", "sitecustomize.py", "usercustomize.py", "EXTERNALLY-MANAGED"}
LEFT_OUT_ENDINGS = (".a", ".o", ".exe", ".pyc", ".pyo")
# A package may have bytecode alone; what is in __pycache__ is made anew.
LEFT_OUT_OF_PACKAGES = (".a", ".o", ".exe")
# Files in which pip records facts of this machine.
LEFT_OUT_NOTES = {"direct_url.json", "REQUESTED"}
# Left out of packages when a bundle is trimmed.
TRIMMED_DIRECTORIES = {"test", "tests"}
TRIMMED_ENDINGS = (".pyi", ".h", ".hpp", ".hxx", ".pxd", ".pyx", ".c", ".cpp", ".cu", ".cuh", ".lib")
# nis is removed in Python 3.13, and would need all of Kerberos.
LEFT_OUT_EXTENSIONS = re.compile(r"_test|_xx|xx|_ctypes_test|_tkinter|nis\.")
# Extension modules of Python whose C libraries are or may be under the GPL, which would apply to a bundle with them.
GPL_MODULES = {"readline", "_gdbm", "_dbm"}
GPL_LIBRARIES = re.compile(rb"lib(readline|history|gdbm|gdbm_compat)\.so")

# Modules that a trimmed bundle always has: for the start, tracebacks, texts, and the end of a process.
ALWAYS = """
    __future__ _bootlocale _collections_abc _sitebuiltins _sysconfigdata _weakrefset abc ast atexit bisect codecs
    collections contextlib copy copyreg dis encodings enum functools genericpath heapq importlib inspect io keyword
    linecache locale ntpath opcode operator os platform posixpath re reprlib runpy selectors signal site socket
    sre_compile sre_constants sre_parse stat string struct subprocess sysconfig tempfile textwrap threading token tokenize
    traceback types typing warnings weakref
    _datetime _socket _struct array fcntl math select
""".split()
# Packages of ALWAYS that are copied with all their modules.
ALWAYS_WHOLE = ("collections", "importlib", "re")
# Tables of single-byte and Asian encodings are most of this package.
RARE_ENCODINGS = re.compile(
    r"cp(?!437|1252|850)|mac_|big5|gb|hz|iso2022|johab|euc_|shift_jis|koi8|ptcp|tis|kz|hp_|palmos|quopri|uu|bz2|rot|iso8859_(?!1$|15$)"
)

def send(key, value):
    out.write(key.encode() + b"=" + os.fsencode(value) + b"\0")


class Refused(Exception):
    pass


class Bundle:
    def __init__(self, wishes):
        self.target = target = wishes["target"]
        self.excluded = set(wishes["excluded"])
        self.left_out = set()
        self.included = set(wishes["included"])
        self.sources = wishes["sources"]
        used = wishes["trimmed_to"]
        self.used = None if used is None else set(used["modules"]) | set(ALWAYS)
        self.later = [] if used is None else used["later"]
        self.machine = machine_paths(wishes["libpython"])
        version = "python%d.%d" % sys.version_info[:2]
        if sysconfig.get_config_var("Py_GIL_DISABLED"):
            version += "t"
        self.version = version
        self.lib = os.path.join(target, "lib")
        self.stdlib = os.path.join(self.lib, version)
        # The directory that the bundled Python's `site` adds to sys.path.
        own = [path for path in site.getsitepackages([target]) if os.path.dirname(path) == self.stdlib]
        self.site_packages = own[-1] if own else os.path.join(self.stdlib, "site-packages")

    def is_excluded(self, name):
        if name in self.excluded:
            self.left_out.add(name)
        return name in self.excluded

    def is_excluded_file(self, within):
        """Whether a file belongs to an excluded module of a package: `package.module`, or anything below it."""
        parts = within.split(os.sep)
        parts[-1] = parts[-1].partition(".")[0]
        return any(self.is_excluded(".".join(parts[:length])) for length in range(1, len(parts) + 1))

    def warn_of_needless(self):
        """A misspelt name would leave nothing out."""
        for name in sorted(self.excluded - self.left_out):
            # Some modules of the standard library are not in every Python, or never come along.
            if name not in sys.stdlib_module_names:
                text = "--exclude '%s' leaves nothing out: the bundle has no such module\nname a module of the standard library as it is imported (xml), or one of a bundled package (package.module)"
                send("warning", text % name)

    def copy(self, source, target, package=""):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(source, target)
        os.chmod(target, 0o755 if os.stat(source).st_mode & 0o100 else 0o644)
        with open(target, "rb") as file:
            is_native = file.read(4) == b"\x7fELF"
        if is_native:
            send("native", "%s\n%s\n%s" % (os.path.relpath(target, self.target), source, package))

    def is_used(self, module):
        """Whether a trimmed bundle has this module of the standard library."""
        if self.used is None or module in self.used or module.removesuffix(".__init__") in self.used:
            return True
        top = module.partition(".")[0]
        if top == "encodings":
            return top in self.included or not RARE_ENCODINGS.match(module.partition(".")[2])
        return top in self.included or top in ALWAYS_WHOLE or top.startswith("_sysconfigdata")

    def is_free(self, source, module):
        """Whether a module is copied without being asked for: not if its C library is under the GPL."""
        if module not in GPL_MODULES or module in self.included:
            return True
        with open(source, "rb") as file:
            return not GPL_LIBRARIES.search(file.read())

    def tell_place(self, place, target):
        """Reports a copied directory: search paths of libraries may name it."""
        send("place", "%s\n%s" % (os.path.realpath(place), os.path.relpath(target, self.target)))

    # -- the standard library --

    def copy_stdlib(self):
        stdlib = os.path.dirname(os.path.abspath(os.__file__))
        dynamic = sysconfig.get_config_var("DESTSHARED") or os.path.join(stdlib, "lib-dynload")
        self.tell_place(stdlib, self.stdlib)
        self.tell_place(dynamic, os.path.join(self.stdlib, "lib-dynload"))
        for directory, names, files in os.walk(stdlib):
            within = os.path.relpath(directory, stdlib)
            top = within == "."
            names[:] = sorted(
                name
                for name in names
                if name not in LEFT_OUT_DIRECTORIES
                and not name.startswith("config-")
                and not (top and (self.is_excluded(name) or name == "lib-dynload"))
            )
            for name in files:
                module = name.partition(".")[0]
                if name in LEFT_OUT_FILES or name.endswith(LEFT_OUT_ENDINGS) or (top and self.is_excluded(module)):
                    continue
                dotted = module if top else within.replace(os.sep, ".") + "." + module
                if not self.is_used(dotted if name.endswith(".py") else dotted.rpartition(".")[0]):
                    continue
                self.copy(os.path.join(directory, name), os.path.normpath(os.path.join(self.stdlib, within, name)))
        if os.path.isdir(dynamic):
            for name in sorted(os.listdir(dynamic)):
                module = name.partition(".")[0]
                source = os.path.join(dynamic, name)
                if (
                    name.endswith(".so")
                    and not LEFT_OUT_EXTENSIONS.match(name)
                    and not self.is_excluded(module)
                    and self.is_used(module)
                    and self.is_free(source, module)
                ):
                    self.copy(source, os.path.join(self.stdlib, "lib-dynload", name))
        # Even if it is empty: Python warns if it does not exist.
        os.makedirs(os.path.join(self.stdlib, "lib-dynload"), exist_ok=True)
        os.makedirs(self.site_packages, exist_ok=True)

    def use_what_packages_import(self):
        """Adds what the functions of the init code and the code of the copied packages may import, wherever it does, and what those modules then import."""
        queue = list(self.later)
        for directory, _, files in os.walk(self.site_packages):
            for name in files:
                if name.endswith(".py"):
                    queue += imports_in(os.path.join(directory, name), "", everywhere=True)
        stdlib = os.path.dirname(os.path.abspath(os.__file__))
        seen = set()
        while queue:
            name = queue.pop()
            if name in seen:
                continue
            seen.add(name)
            queue.append(name.rpartition(".")[0])
            queue += self.imports_of(stdlib, name, everywhere=False)
        self.used |= seen
        # Some modules import in functions what they are made of: hashlib the modules behind it, concurrent.futures its own.
        queue = sorted(self.used)
        while queue:
            name = queue.pop()
            for each in self.imports_of(stdlib, name, everywhere=True):
                is_part = each.startswith(name + ".") or re.match(r"_[a-z0-9]+(_[a-z0-9]+)*$", each)
                new = [each] if is_part else []
                while new:
                    module = new.pop()
                    if module not in self.used:
                        self.used.add(module)
                        queue.append(module)
                        new += self.imports_of(stdlib, module, everywhere=False)

    @staticmethod
    def imports_of(stdlib, name, everywhere):
        path = os.path.join(stdlib, *name.split("."))
        package = os.path.join(path, "__init__.py")
        if name and os.path.isfile(package):
            return imports_in(package, name, everywhere)
        if name and os.path.isfile(path + ".py"):
            return imports_in(path + ".py", name.rpartition(".")[0], everywhere)
        return []

    # -- packages --

    def copy_packages(self, names, take_all):
        places = site_directories()
        found = {}
        for distribution in importlib.metadata.distributions(path=places):
            name = distribution.metadata["Name"]
            if name:
                # Of several versions, the first on the path is imported.
                found.setdefault(normal(name), distribution)
        wanted = {}
        # For each package, the extras with which it is wanted.
        extras = {}
        for written in names:
            name, wanted_extras = package_and_extras(written)
            if normal(name) not in found:
                raise Refused(
                    "the package '%s' is not installed in %s\ninstall it there, or choose with --python the Python or "
                    "the virtual environment that has it" % (name, sys.executable)
                )
            refuse_unknown_extras(found[normal(name)], wanted_extras)
            add_with_requirements(normal(name), wanted_extras, found, wanted, extras)
        if take_all:
            wanted.update((name, found[name]) for name in found if name not in ("pip", "setuptools", "wheel", "keelback"))
        for place in places:
            self.tell_place(place, self.site_packages)
        for name in sorted(wanted):
            self.copy_distribution(wanted[name], places)

    def copy_distribution(self, distribution, places):
        name = distribution.metadata["Name"]
        told = distribution.read_text("direct_url.json")
        if told and json.loads(told).get("dir_info", {}).get("editable"):
            raise Refused(
                "the package '%s' is installed in editable mode: its files are elsewhere\ninstall it without -e" % name
            )
        files = distribution.files
        if not files:
            raise Refused("the package '%s' does not tell its files (it has no RECORD)\ninstall it with pip" % name)
        licences = []
        for file in files:
            source = os.path.normpath(str(distribution.locate_file(file)))
            place = next((place for place in places if source.startswith(place + os.sep)), None)
            # Scripts, manual pages and the like are left out.
            if place is None or source.endswith(LEFT_OUT_OF_PACKAGES) or not os.path.isfile(source):
                continue
            within = os.path.relpath(source, place)
            if "__pycache__" in within.split(os.sep):
                continue
            if self.is_excluded_file(within) or self.is_trimmed_file(within) or os.path.basename(source) in LEFT_OUT_NOTES:
                continue
            if os.path.dirname(within).endswith(".dist-info") and LICENCE.match(os.path.basename(within)):
                licences.append(source)
            self.copy(source, os.path.join(self.site_packages, within), name)
        send("package", json.dumps(told_of(distribution, licences)))

    def is_trimmed_file(self, within):
        if self.used is None:
            return False
        parts = within.split(os.sep)
        return within.endswith(TRIMMED_ENDINGS) or not TRIMMED_DIRECTORIES.isdisjoint(parts[:-1])

    # -- the machine --

    def hide_machine(self):
        """Replaces paths of this machine in text files. Files with machine code are changed by the command line."""
        prefix = sys.base_prefix
        # In Python code a path of one part may mean anything: leave it.
        paths = [path for path in self.machine if path.count(os.sep) > 1]
        words = [(re.compile(re.escape(os.fsencode(path)) + rb"(?![\w.-])"), nowhere(path)) for path in paths]
        for directory, _, files in os.walk(self.target):
            for name in files:
                path = os.path.join(directory, name)
                with open(path, "rb") as file:
                    text = file.read()
                if text.startswith(b"\x7fELF"):
                    continue
                changed = text
                if name.startswith("_sysconfigdata") and name.endswith(".py"):
                    changed = movable(changed, prefix)
                for word, other in words:
                    changed = word.sub(other, changed)
                if changed != text:
                    with open(path, "wb") as file:
                        file.write(changed)

    # -- bytecode --

    def compile(self):
        """Compiles to bytecode that does not depend on the place and time of the files (unchecked hashes)."""
        for directory, names, files in os.walk(self.lib):
            names.sort()
            for name in files:
                if not name.endswith(".py"):
                    continue
                path = os.path.join(directory, name)
                beside = path + "c"
                try:
                    py_compile.compile(
                        path,
                        cfile=None if self.sources else beside,
                        dfile=os.path.relpath(path, self.target),
                        doraise=True,
                        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                    )
                except (py_compile.PyCompileError, ValueError, RecursionError):
                    # Templates, and code for other versions, cannot be compiled, and are not imported.
                    continue
                if not self.sources:
                    os.unlink(path)

    def archive_stdlib(self):
        """Puts the bytecode of the standard library into one file, which a start maps. The form: runtime/embed/src/bundle/archive.rs."""
        if sys.version_info < (3, 11):
            # Its start imports from files before anything else can be arranged.
            return
        found = {}
        for directory, names, files in os.walk(self.stdlib):
            if directory == self.stdlib:
                names[:] = [name for name in names if os.path.join(directory, name) != self.site_packages and name != "lib-dynload"]
            for name in files:
                path = os.path.join(directory, name)
                if not name.endswith(".py" if self.sources else ".pyc"):
                    continue
                stem = os.path.relpath(path, self.stdlib).rpartition(".")[0]
                bytecode = importlib.util.cache_from_source(path) if self.sources else path
                parts = stem.split(os.sep)
                if all(part.isidentifier() for part in parts) and os.path.isfile(bytecode):
                    is_package = parts[-1] == "__init__"
                    with open(bytecode, "rb") as file:
                        found[".".join(parts[:-1] if is_package else parts).encode()] = (is_package, file.read()[16:])
        found.pop(b"", None)
        at = 32 + 16 * len(found)
        table, contents = b"", []
        for name, (is_package, code) in sorted(found.items()):
            table += struct.pack("<IHHII", at, len(name), is_package, at + len(name), len(code))
            contents += [name, code]
            at += len(name) + len(code)
        header = struct.pack("<8sIIIIQ", b"KEELBACK", 1, sys.hexversion, len(found), self.sources, at)
        with open(os.path.join(self.lib, "stdlib.code"), "wb") as file:
            file.write(header + table + b"".join(contents))
        if self.sources and not self.needs_site():
            # Who cannot read the archive (a sub-interpreter) compiles the source.
            for name, (is_package, _) in found.items():
                stem = os.path.join(self.stdlib, *os.fsdecode(name).split("."))
                bytecode = importlib.util.cache_from_source(os.path.join(stem, "__init__.py") if is_package else stem + ".py")
                os.unlink(bytecode)
                if not os.listdir(os.path.dirname(bytecode)):
                    os.rmdir(os.path.dirname(bytecode))

    def needs_site(self):
        """Whether the bundle's Python is started with `site`, which may import modules before the archive is there."""
        return any(name.endswith(".pth") or name.startswith("sitecustomize") for name in os.listdir(self.site_packages))


LICENCE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS|COPYRIGHT)", re.I)


def imports_in(path, package, everywhere):
    """Names of modules, and of what may be modules, that a file imports: at its top, or everywhere."""
    try:
        with open(path, "rb") as file:
            stack = [ast.parse(file.read())]
    except (SyntaxError, ValueError, RecursionError):
        return []
    names = []
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".") if node.level and package else []
            if node.level and not parts:
                # Of the package's own.
                continue
            base = ".".join(parts[: len(parts) - node.level + 1] + ([node.module] if node.module else []))
            names.append(base)
            names += [base + "." + alias.name for alias in node.names]
        elif everywhere or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            stack += ast.iter_child_nodes(node)
    return [name for name in names if name]


def told_of(distribution, licences):
    """The name, version, licence, url and licence files of a distribution."""
    metadata = distribution.metadata
    expression = metadata.get("License-Expression")
    licence = expression or metadata.get("License") or ""
    classifiers = [each.rpartition(" :: ")[2] for each in metadata.get_all("Classifier") or [] if each.startswith("License ::")]
    if not licence or "\n" in licence or len(licence) > 100:
        licence = " OR ".join(classifiers) or licence.partition("\n")[0]
    urls = [each.partition(",")[2].strip() for each in metadata.get_all("Project-URL") or []]
    told = distribution.read_text("direct_url.json")
    origin = json.loads(told).get("url", "") if told else ""
    for file in distribution.files or ():
        # Newer wheels have a folder for licence files; older ones have them beside the metadata.
        if ".dist-info/licenses/" in str(file):
            licences.append(str(distribution.locate_file(file)))
    # What was repaired says what was put inside (PEP 770).
    sboms = [str(distribution.locate_file(file)) for file in distribution.files or () if ".dist-info/sboms/" in str(file)]
    return {
        "sboms": [path for path in sboms if path.endswith(".json") and os.path.isfile(path)],
        "name": metadata["Name"],
        "version": distribution.version,
        "licence": licence,
        "is_spdx": bool(expression),
        "url": metadata.get("Home-page") or (urls[0] if urls else ""),
        "origin": "" if origin.startswith("file:") else origin,
        "licences": sorted({os.path.abspath(path) for path in licences if os.path.isfile(path)}),
    }


def told_of_python():
    stdlib = os.path.dirname(os.path.abspath(os.__file__))
    places = [os.path.join(stdlib, name) for name in ("LICENSE.txt", "LICENSE")]
    places.append("/usr/share/doc/python%d.%d/copyright" % sys.version_info[:2])
    return {"licences": [path for path in places if os.path.isfile(path)][:1]}


def machine_paths(libpython):
    """Directories of this Python, of its environment and of where it was built, the longest first."""
    variables = sysconfig.get_config_vars()
    paths = [sys.base_prefix, sys.base_exec_prefix, sys.prefix, venv_directory(), os.path.dirname(libpython)]
    paths += [variables.get(name) for name in ("abs_builddir", "abs_srcdir", "srcdir", "projectbase", "prefix", "exec_prefix", "base")]
    found = set()
    for path in paths:
        for each in (path, path and os.path.realpath(path)):
            if each and os.path.isabs(each):
                found.add(os.path.normpath(each))
    # Directories that every machine has are no secret.
    common = {"/", "/usr", "/usr/local", "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/opt", "/tmp"}
    common |= {path for path in found if re.match(r"/usr/(local/)?(lib|share)(64)?/", path)}
    return sorted(found - common, key=lambda path: (-len(path), path))


def nowhere(path):
    """A path of the same length that does not exist, padded with slashes (several slashes count as one)."""
    length = len(os.fsencode(path))
    return b"/nowhere".ljust(length, b"/")[:length]


def movable(text, prefix):
    """The text of the build variables (sysconfig), changed so that paths below the prefix follow the bundle."""
    if prefix in ("/", "/usr", "/usr/local"):
        return text
    changed = re.sub(re.escape(os.fsencode(prefix)) + rb"(?![\w.-])", b"@prefix@", text)
    return changed + (
        b"\nimport sys\nfor _key, _value in build_time_vars.items():\n    if isinstance(_value, str):\n"
        b"        build_time_vars[_key] = _value.replace('@prefix@', sys.base_prefix)\n"
    )


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def site_directories():
    """The site-packages directories of this Python: first a virtual environment's, then the others that it sees."""
    prefixes = []
    venv = venv_directory()
    if venv is None:
        prefixes = [sys.base_prefix]
    else:
        prefixes = [venv]
        with open(os.path.join(venv, "pyvenv.cfg")) as config:
            for line in config:
                key, _, value = line.partition("=")
                if key.strip() == "include-system-site-packages" and value.strip().lower() == "true":
                    prefixes.append(sys.base_prefix)
    places = []
    for prefix in prefixes:
        # Debian has other paths than usual, and a venv has other paths than Debian.
        values = {"base": prefix, "platbase": prefix, "installed_base": prefix, "installed_platbase": prefix}
        scheme = "venv" if prefix == venv and "venv" in sysconfig.get_scheme_names() else "posix_prefix"
        paths = [sysconfig.get_path(key, scheme, values) for key in ("purelib", "platlib")]
        for path in paths + site.getsitepackages([prefix]):
            path = os.path.normpath(path)
            if path not in places and os.path.isdir(path):
                places.append(path)
    return places


def venv_directory():
    place = os.path.dirname(os.path.abspath(sys.executable))
    for directory in (os.path.dirname(place), place):
        if os.path.isfile(os.path.join(directory, "pyvenv.cfg")):
            return directory
    return None


NAME_AND_EXTRAS = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([A-Za-z0-9._\s,-]*)\])?\s*")


def package_and_extras(written):
    """`name[extra,other]`, taken apart."""
    match = NAME_AND_EXTRAS.fullmatch(written.strip())
    if match is None:
        raise Refused(
            "'%s' is no name of a package\nwrite it without a version, NAME or NAME[EXTRA]: the version that is installed "
            "is copied" % written
        )
    return match.group(1), {normal(extra.strip()) for extra in (match.group(2) or "").split(",") if extra.strip()}


def refuse_unknown_extras(distribution, extras):
    known = [normal(extra) for extra in distribution.metadata.get_all("Provides-Extra") or ()]
    for extra in sorted(extras):
        if extra not in known:
            has = "it has: " + ", ".join(known) if known else "it has none"
            raise Refused("the package '%s' has no extra '%s'\n%s" % (distribution.metadata["Name"], extra, has))


def add_with_requirements(name, its_extras, found, wanted, extras):
    """Adds a package with what it requires, and with what the extras require besides."""
    if name in wanted and its_extras <= extras[name]:
        return
    distribution = wanted[name] = found[name]
    extras[name] = extras.get(name, set()) | its_extras
    for requirement in distribution.requires or ():
        words, _, marker = requirement.partition(";")
        match = re.match(r"\s*([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?", words)
        other, more = normal(match.group(1)), {normal(extra.strip()) for extra in (match.group(2) or "").split(",") if extra.strip()}
        of_extras = {normal(extra) for extra in re.findall(r"\bextra\s*==\s*['\"]([^'\"]*)['\"]", marker)}
        if of_extras and not of_extras & extras[name]:
            continue
        # Whether other conditions of the marker hold is left to pip: what they ask for is there or not.
        is_certain = not marker or (of_extras and re.fullmatch(r"\s*\(?\s*extra\s*==\s*\S+?\s*\)?\s*", marker))
        if other in found:
            add_with_requirements(other, more, found, wanted, extras)
        elif is_certain:
            shown = distribution.metadata["Name"] + ("[%s]" % ",".join(sorted(of_extras)) if of_extras else "")
            raise Refused(
                "the package '%s' needs '%s', which is not installed in %s\ninstall it there" % (shown, other, sys.executable)
            )


def main():
    wishes = json.loads(sys.argv[1])
    bundle = Bundle(wishes)
    for path in bundle.machine:
        send("machine", path)
    send("python", json.dumps(told_of_python()))
    library = "lib%s.so.1.0" % bundle.version
    bundle.copy(wishes["libpython"], os.path.join(bundle.lib, library))
    # First the step that can fail because of a wrong argument.
    bundle.copy_packages(wishes["packages"], wishes["all_packages"])
    if bundle.used is not None:
        bundle.use_what_packages_import()
    bundle.copy_stdlib()
    bundle.warn_of_needless()
    bundle.hide_machine()
    bundle.compile()
    bundle.archive_stdlib()


try:
    main()
except Refused as refused:
    send("error", str(refused))
except OSError as error:
    send("error", "cannot copy %s: %s\nsee whether there is room, and whether it may be read" % (error.filename, error.strerror))
out.flush()
