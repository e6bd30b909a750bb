"""Packages of several plugins in one process: which are hidden by another version. Reads the python executables of the
plugins behind the first one, one a line; this Python is the first one's. Prints JSON."""
import importlib.metadata
import json
import sys


def distributions(paths):
    for found in importlib.metadata.distributions(path=paths):
        name = found.metadata["Name"]
        if name:
            yield name.lower().replace("_", "-").replace(".", "-"), found.version, str(found.locate_file(""))


def main():
    known = {}
    for name, version, place in distributions([path for path in sys.path if path]):
        known.setdefault(name, (version, place))
    shadowed = []
    for executable in sys.stdin.read().splitlines():
        before = set(sys.path)
        if executable:
            add_site_directories(executable)
        for name, version, place in distributions([path for path in sys.path if path not in before]):
            first = known.setdefault(name, (version, place))
            if first[0] != version:
                shadowed.append({"executable": executable, "package": name, "version": version, "place": place, "by": first[0], "by_place": first[1]})
    print("\n" + json.dumps(shadowed))


main()
