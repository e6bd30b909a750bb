# Run by `keelback bundle --trim`: imports plugins, and other modules, and tells the names of all modules that this brings.
#
# Arguments: a file for the answer, and a JSON object: plugins (module name and file), included (names of modules).
import importlib
import importlib.machinery
import importlib.util
import json
import pkgutil
import sys
import traceback

answer, wishes = sys.argv[1], json.loads(sys.argv[2])
told = {"error": None, "modules": []}
try:
    for name in wishes["included"]:
        module = importlib.import_module(name)
        # All of a package that was asked for.
        for each in pkgutil.walk_packages(getattr(module, "__path__", ()), name + ".", onerror=lambda name: None):
            told["modules"].append(each.name)
    for name, path in wishes["plugins"]:
        loader = importlib.machinery.ExtensionFileLoader(name, path)
        spec = importlib.util.spec_from_file_location(name, path, loader=loader)
        loader.exec_module(importlib.util.module_from_spec(spec))
except BaseException as error:
    told["error"] = "".join(traceback.format_exception_only(type(error), error)).strip()
told["modules"] += list(sys.modules)
with open(answer, "w") as file:
    json.dump(told, file)
