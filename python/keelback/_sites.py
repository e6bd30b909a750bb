"""Plugins of several environments in one Python: the packages of each are there when its init code runs."""

from __future__ import annotations

import os
import site
import sys


def add_site_directories(executable: str) -> None:
    """Adds the site directories of a python executable, and of the Python below its venv if the venv sees that, to the
    end of `sys.path`. Modules that are found already, or imported, stay what they are."""
    directory = os.path.dirname(os.path.abspath(executable))
    venv = next((place for place in (os.path.dirname(directory), directory) if _config(place)), None)
    prefixes = [venv] if venv else []
    if venv is None or _sees_system(_config(venv)):
        prefixes.append(sys.base_prefix)
    for place in site.getsitepackages(prefixes):
        if os.path.isdir(place) and place not in sys.path:
            site.addsitedir(place)


def _config(place: str) -> str:
    path = os.path.join(place, "pyvenv.cfg")
    return path if os.path.isfile(path) else ""


def _sees_system(config: str) -> bool:
    with open(config, encoding="utf-8") as file:
        for line in file:
            key, _, value = line.partition("=")
            if key.strip().lower() == "include-system-site-packages":
                return value.strip().lower() == "true"
    return False
