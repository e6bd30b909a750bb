"""Instructions of each row (see ../instructions.py), of Keelback and of CFFI; of C by hand where C calls."""
import concurrent.futures
import tempfile

import instructions

from suite.rows import ROWS

IMPLEMENTATIONS = ("keelback", "cffi")


def of_plugin(plugin, environment, cases):
    with tempfile.TemporaryDirectory() as folder:
        return instructions.calls_from_c(plugin, environment, cases, folder)


def of_python(implementation, names):
    with tempfile.TemporaryDirectory() as folder:
        return instructions.calls_from_python(names, folder, implementation)


def count(plugins, keys):
    """{the name that ../instructions.py has for a row: {peer: instructions}}, as many at a time as there are."""
    counted = [ROWS[key] for key in keys if ROWS[key].instructions]
    cases = sorted({row.name.split("/")[1] for row in counted if row.section == "A"})
    names = sorted({row.instructions.split(": ", 1)[1] for row in counted if row.section != "A"})
    jobs = []
    # Two at a time: counts do not depend on what else runs, but memory is not endless.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        if names:
            jobs += [(name, pool.submit(of_python, name, names)) for name in IMPLEMENTATIONS]
        if cases:
            wanted = [name for name in (*IMPLEMENTATIONS, "c") if name in plugins]
            jobs += [(name, pool.submit(of_plugin, *plugins[name], cases)) for name in wanted]
        found = {}
        for name, job in jobs:
            for row, (total, _own) in job.result().items():
                found.setdefault(row, {})[name] = round(total, 1)
    return found
