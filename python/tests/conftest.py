"""Finds the package under test: the installed one, else what `python python/stage.py` put together."""
import importlib.util
import os
import signal
import sys
from pathlib import Path

import pytest

# A shell's background job, and all that it starts, ignores SIGINT; the scripts are to start as a user's do.
signal.signal(signal.SIGINT, signal.default_int_handler)

if importlib.util.find_spec("keelback") is None:
    target = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).resolve().parents[2] / "target"))
    staged = target / "python"
    if not (staged / "keelback").exists():
        pytest.exit("keelback cannot be imported: `pip install .`, or `python python/stage.py --build`", returncode=3)
    sys.path.insert(0, str(staged))
    # For the processes that tests start.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(staged), os.environ.get("PYTHONPATH")]))
