"""Finds the package under test: the installed one, else what `cargo build` made, which python/stage.py puts together."""
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# A shell's background job, and all that it starts, ignores SIGINT; the scripts are to start as a user's do.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[2]
if importlib.util.find_spec("keelback") is None:
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    # What was built last, also after a change: files that are the same stay as they are.
    staging = subprocess.run([sys.executable, ROOT / "python/stage.py"], capture_output=True, text=True)
    if staging.returncode != 0:
        pytest.exit(f"keelback cannot be imported, and not be staged (CONTRIBUTING.md). {staging.stderr}", returncode=3)
    staged = target / "python"
    sys.path.insert(0, str(staged))
    # For the processes that tests start.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(staged), os.environ.get("PYTHONPATH")]))
