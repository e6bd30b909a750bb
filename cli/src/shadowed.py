"""Packages of several plugins in one process: which are hidden by another version. Reads the python executables of the
plugins behind the first one, one a line; this Python is the first one's. Prints JSON."""
import json
import sys


def main():
    shadowed = []
    for executable in sys.stdin.read().splitlines():
        before = list(sys.path)
        if executable:
            add_site_directories(executable)
        shadowed += [{"executable": executable, **package} for package in hidden_packages(before)]
    print("\n" + json.dumps(shadowed))


main()
