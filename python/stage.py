#!/usr/bin/env python3
"""Puts the package together as an installed one looks, for tests: target/python/keelback/ with the runtime in it.

    python python/stage.py [--profile dev|release|release-debug] [--build] [--into DIR] [--debug-file]

Run it with the Python that is to import the package: the runtime is built for one version of Python. `--build`
runs cargo first, for that Python. Afterwards `PYTHONPATH=target/python` makes `import keelback` work. `--debug-file` puts what
debuggers want to know into a file beside the runtime, where gdb finds it.
"""
import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = {"darwin": "libkeelback_runtime.dylib", "win32": "keelback_runtime.dll"}.get(
    sys.platform, "libkeelback_runtime.so"
)


def copy_if_changed(source: Path, target: Path) -> None:
    """Replaces the target in one step: a running test may have the old file mapped."""
    if target.exists() and target.stat().st_size == source.stat().st_size:
        if target.read_bytes() == source.read_bytes():
            return
    beside = target.with_name(target.name + ".new")
    shutil.copy2(source, beside)
    os.replace(beside, target)


def split(library: Path, into: Path) -> None:
    """Writes the library without its debug information, and that beside it, in a file with `.debug` at the end."""
    sections = subprocess.run(["readelf", "--sections", "--wide", library], check=True, capture_output=True, text=True).stdout
    if ".debug_line" not in sections:
        sys.exit(f"error: {library} has no debug information: build it with --profile release-debug, or dev")
    debug = into.with_name(into.name + ".debug")
    beside = into.with_name(into.name + ".new")
    subprocess.run(["objcopy", "--only-keep-debug", library, debug], check=True)
    debug.chmod(0o644)
    # The link has the file's name and checksum, so that one of another build is not taken.
    subprocess.run(["objcopy", "--strip-debug", f"--add-gnu-debuglink={debug}", library, beside], check=True)
    os.replace(beside, into)


def describe(folder: Path) -> None:
    """What pip writes of an installed package, as far as setuptools asks for it: its keywords of setup()."""
    text = (ROOT / "pyproject.toml").read_text()
    keywords = text.split('[project.entry-points."distutils.setup_keywords"]\n')[1].split("\n\n")[0]
    info = folder / "keelback-0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: keelback\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[distutils.setup_keywords]\n" + keywords.replace('"', "") + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Stages the Python package for tests.")
    parser.add_argument("--profile", default="dev", help="cargo profile that was built (default: dev)")
    parser.add_argument("--build", action="store_true", help="run cargo build first")
    parser.add_argument("--into", type=Path, help="folder to stage into (default: target/python)")
    parser.add_argument("--debug-file", action="store_true", help="put debug information into a file of its own")
    options = parser.parse_args()

    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    environment = dict(os.environ)
    environment.setdefault("PYO3_PYTHON", sys.executable)
    if options.build:
        # The command line with it: of the runtime alone the dependencies have other features, and what a build of both has
        # compiled already would be compiled once more.
        packages = ["-p", "keelback-runtime", "-p", "keelback"]
        command = ["cargo", "build", "--quiet", *packages, "--profile", options.profile]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
    folder = "debug" if options.profile == "dev" else options.profile
    library = target / folder / LIBRARY
    if not library.exists():
        sys.exit(f"error: {library} is not there: run `cargo build -p keelback-runtime`, or use --build")

    package = (options.into or target / "python") / "keelback"
    package.mkdir(parents=True, exist_ok=True)
    for old in package.iterdir():
        # What an earlier run for another Python, or a removed source file, left behind.
        if old.is_file() and not old.name.startswith("_runtime.") and not (ROOT / "python/keelback" / old.name).exists():
            old.unlink()
    for source in (ROOT / "python/keelback").iterdir():
        if source.is_file():
            copy_if_changed(source, package / source.name)
    runtime = package / ("_runtime" + sysconfig.get_config_var("EXT_SUFFIX"))
    if options.debug_file:
        split(library, runtime)
    else:
        copy_if_changed(library, runtime)
    command = target / folder / ("keelback.exe" if sys.platform == "win32" else "keelback")
    if command.exists():
        # Where a wheel has it: `python -m keelback` runs it.
        (package / "bin").mkdir(exist_ok=True)
        copy_if_changed(command, package / "bin" / command.name)
    describe(package.parent)
    print(package.parent)


if __name__ == "__main__":
    main()
