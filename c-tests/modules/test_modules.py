"""Plugins of more than one file: `--module`, `--top-level-module`."""

import os
import shutil
import subprocess

import pytest
from harness import Ran, python

CDEF = "int act(int what, int value);"
HOST = """
    #include <stdio.h>
    #include <stdlib.h>
    #include "shop.h"
    int main(int argc, char **argv)
    {
        int i;
        for (i = 1; i + 1 < argc; i += 2)
            printf("%d\\n", act(atoi(argv[i]), atoi(argv[i + 1])));
        return 0;
    }
"""
TAX = """\
import importlib.resources
from . import deep

RATE = int(importlib.resources.files(__package__).joinpath("data/rate.txt").read_text())


def add(net):
    if net < 0:
        raise ValueError(f"no price: {net}")
    return net + net * RATE // 100
"""
FILES = {
    "rules/__init__.py": "from .tax import add\n",
    "rules/tax.py": TAX,
    "rules/deep/__init__.py": "",
    "rules/deep/deeper.py": "import helper\nimport rules.tax\nfrom rules import tax as again\nTHREE = helper.ONE + 2\n",
    "rules/data/rate.txt": "8\n",
    "rules/data/latin.py": "# -*- coding: latin-1 -*-\nTEXT = 'gr\xfc\xdf'\n",
    "rules/__pycache__/tax.cpython-311.pyc": "never read",
    "helper.py": "import sys\nONE = 1\ndef where():\n    return sys._getframe(1).f_code.co_filename\n",
}


@pytest.fixture
def shop(plugin, host, run, tmp_path):
    """shop(init, *arguments): what a plugin with the modules says to these calls, when their files are gone."""
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(text.encode("latin-1"))

    def shop(init, *arguments, args=("--module", "rules", "--module", "helper.py"), build=None, name="shop", **run_with):
        args = [tmp_path / arg if (tmp_path / arg).exists() else arg for arg in args]
        built = plugin(CDEF, init, name=name, args=args, **build or {})
        return built, lambda: run(host(HOST, built), *arguments, **run_with)

    return shop


def test_everything_that_imports_ask(shop, tmp_path):
    """Names, files, data, inspection, pickling; and the code's own directory is gone."""
    init = """
        import importlib.resources
        import inspect
        import io
        import pickle
        import pkgutil
        import sys
        import traceback
        import helper
        import rules
        import rules.deep.deeper
        import rules.tax as tax
        from rules.tax import add
        from rules.data import latin
        from . import helper as same
        from .rules import tax as again
        from shop import ffi, lib
        import shop.rules
        from importlib.resources import files

        def names():
            assert helper is same is sys.modules["shop.helper"] and "helper" not in sys.modules
            assert rules is shop.rules and rules.tax is tax is again and "rules" not in sys.modules
            assert rules.deep.deeper.THREE == 3 and latin.TEXT == "gr\\xfc\\xdf"
            assert add.__module__ == "shop.rules.tax" and pickle.loads(pickle.dumps(add)) is add
            assert (__name__, __package__, __path__, __spec__.parent) == ("shop", "shop", [], "shop")
            assert rules.__package__ == rules.__spec__.name == "shop.rules" and tax.__package__ == "shop.rules"
            assert isinstance(rules.__path__, list) and rules.data.__spec__.origin is None

        def places():
            root = helper.__file__[: -len("/helper.py")]
            assert root == ffi.library_path and root.endswith("/libshop.so") and tax.__file__ == root + "/rules/tax.py", tax.__file__
            assert rules.__path__ == [root + "/rules"] and rules.data.__path__ == [root + "/rules/data"]
            assert add.__code__.co_filename == tax.__file__
            assert inspect.getsource(add).startswith("def add(net):") and inspect.getsourcefile(add) == tax.__file__
            assert latin.__loader__.get_source("shop.rules.data.latin").endswith("TEXT = 'gr\\xfc\\xdf'\\n")
            assert helper.__loader__.is_package("shop.rules") and not helper.__loader__.is_package("shop.helper")
            assert helper.__loader__.get_filename("shop.helper") == helper.__file__
            assert helper.__loader__.get_code("shop.helper").co_filename == helper.__file__

        def data():
            rate = files(rules).joinpath("data", "rate.txt")
            assert (rate.name, rate.is_file(), rate.is_dir()) == ("rate.txt", True, False)
            assert rate.read_bytes() == b"8\\n" and rate.read_text() == "8\\n" and rate.open("rb").read() == b"8\\n"
            assert sorted(one.name for one in files("shop.rules").iterdir()) == ["__init__.py", "data", "deep", "tax.py"]
            assert (files(rules) / "data" / ".." / "tax.py").is_file() and (files(rules) / "data").is_dir()
            with importlib.resources.as_file(rate) as path:
                assert path.read_text() == "8\\n" and path.name.endswith("rate.txt")
            assert pkgutil.get_data("shop.rules", "data/rate.txt") == b"8\\n"
            for wrong, what in [
                (lambda: files(rules).joinpath("none").read_bytes(), FileNotFoundError),
                (lambda: files(rules).joinpath("data").read_bytes(), IsADirectoryError),
                (lambda: list(rate.iterdir()), NotADirectoryError),
                (lambda: rate.open("w"), ValueError),
                (lambda: pkgutil.get_data("shop.rules", "none"), FileNotFoundError),
            ]:
                try:
                    wrong()
                except what:
                    pass
                else:
                    raise AssertionError(what)

        def missing():
            for name in ["rules.none", "shop.none", "helper", "rules"]:
                try:
                    importlib.import_module(name)
                except ModuleNotFoundError as error:
                    assert error.name == name.partition(".")[0] or error.name == name, error.name
                else:
                    raise AssertionError(name)

        @ffi.def_extern(error=-1)
        def act(what, value):
            if what == 0:
                names(), places(), data(), missing()
                return 0
            try:
                return rules.add(value)
            except ValueError:
                text = traceback.format_exc()
                assert "/libshop.so/rules/tax.py\\", line 9, in add\\n    raise ValueError(f\\"no price: {net}\\")" in text, text
                raise
    """
    _, run = shop(init, 0, 0, 1, 100, 1, -1)
    shutil.rmtree(tmp_path / "rules")
    (tmp_path / "helper.py").unlink()
    ran = run()
    assert (ran.code, ran.stdout) == (0, "0\n108\n-1\n"), ran.stderr
    assert ran.stderr.endswith("ValueError: no price: -1\n") and '    raise ValueError(f"no price: {net}")' in ran.stderr


def test_top_level(shop):
    """Found by all code of the process under their own names, and not under the plugin's."""
    init = """
        import importlib
        import sys
        import rules.tax
        from shop import ffi
        import helper

        @ffi.def_extern(error=-1)
        def act(what, value):
            assert rules.__name__ == "rules" and rules.tax.add.__module__ == "rules.tax" and sys.modules["rules"] is rules
            assert importlib.import_module("rules.deep.deeper").THREE == 3
            assert sys.modules["shop.helper"] is helper and "helper" not in sys.modules
            return rules.add(value)
    """
    args = ["--top-level-module", "rules", "--module", "helper.py"]
    assert shop(init, 0, 100, args=args)[1]() == Ran(stdout="108\n")


def test_two_plugins_each_with_its_own(plugin, host, run, tmp_path):
    made = []
    for name, value in [("one", 1), ("two", 2)]:
        place = tmp_path / name
        place.mkdir()
        (place / "helper.py").write_text(f"VALUE = {value}\n")
        init = f"""
            import helper
            from {name} import ffi

            @ffi.def_extern()
            def act_{name}():
                return helper.VALUE
        """
        made.append(plugin(f"int act_{name}(void);", init, name=name, args=["--module", place / "helper.py"]))
    source = """
        #include <stdio.h>
        #include "one.h"
        #include "two.h"
        int main(void) { printf("%d %d\\n", act_one(), act_two()); return 0; }
    """
    assert run(host(source, *made)) == Ran(stdout="1 2\n")


def test_code_of_another_python_is_not_used(shop, tmp_path):
    """The text is there too: marshal's format is another one in each version."""
    init = """
        import rules
        from shop import ffi

        @ffi.def_extern(error=-1)
        def act(what, value):
            assert rules.tax.__file__.endswith("/rules/tax.py") and rules.add.__code__.co_filename == rules.tax.__file__
            return rules.add(value)
    """
    built, run = shop(init, 0, 100)
    library = built.library.read_bytes()
    code = subprocess.run(
        [python(), "-c", "import importlib.util, sys; sys.stdout.buffer.write(importlib.util.MAGIC_NUMBER)"],
        capture_output=True,
        check=True,
    ).stdout
    # The number is in the record, behind the count of the files.
    files = sum(not path.startswith("rules/__pycache__") for path in FILES)
    place = files.to_bytes(8, "little") + code
    assert library.count(place) == 1
    built.library.write_bytes(library.replace(place, files.to_bytes(8, "little") + b"\0\0\r\n"))
    try:
        assert run() == Ran(stdout="108\n")
    finally:
        built.library.write_bytes(library)


def test_imported_by_python(shop, run):
    """`import` of the library gives the same module, with the same modules below it."""
    init = """
        import rules
        from imported import ffi

        @ffi.def_extern(error=-1)
        def act(what, value):
            return rules.add(value)
    """
    built, _ = shop(init, name="imported", args=("--module", "rules", "--module", "helper.py"))
    module = built.directory / "imported.so"
    if not module.exists():
        os.link(built.library, module)
    script = """if True:
        import imported, imported.rules.deep.deeper
        from imported.rules.tax import add
        assert imported.rules is imported.rules.deep.deeper.rules and imported.rules.add is add
        assert imported.__spec__.parent == imported.__package__ == "imported" and imported.__path__ == []
        print(imported.lib.act(0, 100), imported.rules.tax.__file__.rpartition("/rules")[0].endswith(".so"))
    """
    assert run(python(), "-c", script, cwd=built.directory) == Ran(stdout="108 True\n")


def test_development(shop, tmp_path, run, host):
    """--dev runs the modules from their place, and again when one of them has changed."""
    init = """
        import importlib.resources
        import rules
        from shop import ffi

        @ffi.def_extern(error=-1)
        def act(what, value):
            assert importlib.resources.files(rules).joinpath("data/rate.txt").is_file()
            assert rules.tax.__file__.startswith("/") and rules.tax.__name__ == "shop.rules.tax"
            return rules.add(value)
    """
    built, _ = shop(init, args=("--dev", "--module", "rules", "--module", "helper.py"))
    source = f"""
        #include <stdio.h>
        #include <stdlib.h>
        #include "shop.h"
        int main(void)
        {{
            printf("%d\\n", act(0, 100));
            if (system("sleep 0.02; sed -i s/RATE.=.int/RATE=1+int/ {tmp_path}/rules/tax.py"))
                return 1;
            printf("%d\\n", act(0, 100));
            if (system("sleep 0.02; sed -i s/def/DEF/ {tmp_path}/rules/tax.py"))
                return 1;
            printf("%d\\n", act(0, 100));
            if (system("sleep 0.02; sed -i s/DEF/def/ {tmp_path}/rules/tax.py"))
                return 1;
            printf("%d\\n", act(0, 200));
            return 0;
        }}
    """
    ran = run(host(source, built))
    assert (ran.code, ran.stdout) == (0, "108\n109\n109\n218\n"), ran.stderr
    assert "shop: the changed init code failed, functions that it did not reach stay as they were: SyntaxError" in ran.stderr
    assert not (tmp_path / "rules/__pycache__/tax.cpython-312.pyc").exists()


def test_static_library_and_standalone(shop):
    init = "import rules\nfrom shop import ffi\n@ffi.def_extern(error=-1)\ndef act(what, value):\n    return rules.add(value)\n"
    for how in (["--standalone"], ["--no-site"]):
        assert shop(init, 0, 100, args=("--module", "rules", "--module", "helper.py", *how))[1]() == Ran(stdout="108\n")
    assert shop(init, 0, 50, build={"emit": True})[1]() == Ran(stdout="54\n")


def test_an_import_fails(shop):
    """As any import that fails: the start does, and says which module."""
    ran = shop("import rules.wrong\nimport shop\n", 0, 1)[1]()
    assert ran.stdout == "0\n" and "ModuleNotFoundError: No module named 'shop.rules.wrong'" in ran.stderr, ran.stderr


def test_names_of_modules_may_be_names_of_the_code(shop):
    """The init code's names are the plugin's, as the modules' are: what is imported is the module all the same."""
    init = """
        from rules import add as rules
        from helper import where as helper
        from shop import ffi

        def tax(value):
            import rules.tax, helper as h, sys
            return rules.tax.add(value) + h.ONE

        class Local:
            import helper, rules.deep.deeper as deeper

        @ffi.def_extern(error=-1)
        def act(what, value):
            import helper
            assert Local.helper is helper and Local.deeper.THREE == 3 and helper.where().endswith("init.py")
            return tax(value) + rules(value)
    """
    assert shop(init, 0, 100)[1]() == Ran(stdout="217\n")


def test_the_init_code_is_utf_8(shop):
    """Whatever a coding comment says of it; a module says its encoding itself."""
    init = "# -*- coding: latin-1 -*-\nimport rules\nfrom shop import ffi\n@ffi.def_extern(error=-1)\ndef act(what, value):\n"
    init += "    assert 'ü' == chr(0xfc) and rules.tax\n    return value\n"
    for how in ([], ["--dev"]):
        assert shop(init, 0, 7, args=("--module", "rules", "--module", "helper.py", *how))[1]() == Ran(stdout="7\n")
