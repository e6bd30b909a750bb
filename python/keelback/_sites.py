"""Plugins of several environments in one Python: the packages of each are there when its init code runs."""

from __future__ import annotations

import os
import site
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def add_site_directories(executable: str) -> None:
    """Adds the site directories of a python executable, and of the Python below its venv if the venv sees that, to the
    end of `sys.path`. Modules that are found already, or imported, stay what they are."""
    directory = os.path.dirname(os.path.abspath(executable))
    venv = next((place for place in (os.path.dirname(directory), directory) if _config(place)), None)
    prefixes = [venv] if venv else []
    if venv is None or _sees_system(_config(venv)):
        prefixes.append(sys.base_prefix)
    before = list(sys.path)
    for place in site.getsitepackages(prefixes):
        if os.path.isdir(place) and place not in sys.path:
            site.addsitedir(place)
    # As everywhere, no variable counts where the process runs with raised privileges.
    if os.environ.get("KEELBACK_VERBOSE") and (os.getuid(), os.getgid()) == (os.geteuid(), os.getegid()):
        for package in hidden_packages(before):
            sys.stderr.write("keelback: of the packages for {executable}, {package} {version} ({place}) is hidden by {by} ({by_place})\n".format(executable=executable, **package))


def hidden_packages(before: list[str]) -> list[dict[str, str]]:
    """The packages of `sys.path` that another version in `before`, an earlier `sys.path`, stands in front of."""
    known: dict[str, tuple[str, str]] = {}
    for name, version, place in _distributions(before):
        known.setdefault(name, (version, place))
    hidden = []
    for name, version, place in _distributions([path for path in sys.path if path not in before]):
        by, by_place = known.setdefault(name, (version, place))
        if by != version:
            hidden.append({"package": name, "version": version, "place": place, "by": by, "by_place": by_place})
    return hidden


def _distributions(paths: list[str]) -> Iterator[tuple[str, str, str]]:
    import importlib.metadata

    for found in importlib.metadata.distributions(path=[path for path in paths if path]):
        name = found.metadata["Name"]
        if name:
            yield name.lower().replace("_", "-").replace(".", "-"), found.version, str(found.locate_file(""))


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
