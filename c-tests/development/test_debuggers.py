"""Real tools at work in a plugin, as published: coverage.py measures init code, debugpy lets an editor in.

The host of the second one is debugged over debugpy's socket, by a small client of the Debug Adapter Protocol.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time

import pytest
from harness import TIMEOUT, Ran, ask, clean_environment, python

# Without it pydevd advises, where Python has frozen modules (3.11 and later), on standard error against them.
QUIET = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """environment(package): a venv whose site-packages are ours and those of the tests, where the package must be."""
    place = tmp_path_factory.mktemp("debuggers") / "venv"

    def with_package(package):
        if not place.exists():
            subprocess.run([python(), "-m", "venv", "--without-pip", place], env=clean_environment(), check=True)
            ours = [path for path in sys.path if pathlib.Path(path).name in ("site-packages", "dist-packages")]
            # Sorted before every other .pth file.
            (site_packages(place) / "0-tests.pth").write_text("".join(f"{path}\n" for path in ours))
        if ask(place / "bin" / "python", f"import {package}") is None:
            pytest.skip(f"{package} is not installed for {python()}: pip install -r python/tests/requirements.txt")
        return place

    return with_package


def site_packages(venv):
    return next(venv.glob("lib/python3.*/site-packages"))


def line_of(source, text):
    """The number of the only line of the source that has the text."""
    (number,) = [number for number, line in enumerate(source.splitlines(), 1) if text in line]
    return number


# -- coverage.py --

MEASURED = """\
from measured import ffi

kinds = {1: "odd", 0: "even"}

def name(n):
    if n % 2:
        return kinds[1]
    elif n < 0:
        return "negative"
    return kinds[0]

@ffi.def_extern(error=-1)
def length(n):
    '''Of its name.'''
    if n == 1000:
        raise ValueError(
            "too large"
        )
    return len(
        name(n)
    )

@ffi.def_extern()
def never(n):
    return n
"""
STATEMENTS = [1, 3, 5, 6, 7, 8, 9, 10, 12, 13, 15, 16, 19, 23, 24, 25]
MEASURED_HOST = """
    #include <stdio.h>
    #include <stdlib.h>
    #include "measured.h"

    int main(int argc, char **argv)
    {
        int i;
        for (i = 1; i < argc; i++)
            printf("%d\\n", length(atoi(argv[i])));
        return 0;
    }
"""
# Starts with Python, ends with its atexit functions.
STARTS = """\
import atexit
import coverage

def end():
    measuring.stop()
    measuring.save()

measuring = coverage.Coverage(data_file={data!r}, config_file=False, include=["*/init.py"])
measuring.start()
atexit.register(end)
"""


def measured_lines(data, source):
    """What coverage.py reports of the one file that it has measured: all statements, and those that never ran."""
    import coverage

    report = coverage.Coverage(data_file=str(data), config_file=False)
    report.load()
    assert report.get_data().measured_files() == {str(source)}
    _, statements, excluded, missing, _ = report.analysis2(str(source))
    return statements, excluded, missing


# What the host calls length() with: what comes out, and the lines that never ran.
CALLS = {
    (1,): ("3\n", [8, 9, 10, 16, 25]),
    (2,): ("4\n", [7, 9, 16, 25]),
    (-2, 1): ("8\n3\n", [10, 16, 25]),
    (2, -2, 1): ("4\n8\n3\n", [16, 25]),
}


@pytest.mark.parametrize("arguments", CALLS, ids=lambda arguments: " ".join(map(str, arguments)))
def test_coverage_of_frozen_init_code(plugin, host, run, environment, tmp_path, arguments):
    """Every line that ran and none besides, from the first of the init code on. The source that is reported on is the
    file, where it was at build time; what ran is the library's own copy."""
    venv = environment("coverage")
    stdout, missing = CALLS[arguments]
    data = tmp_path / "data"
    built = plugin("int length(int n); int never(int n);", MEASURED, name="measured", python=venv)
    (tmp_path / "starts_coverage.py").write_text(STARTS.format(data=str(data)))
    hook = site_packages(venv) / "starts_coverage.pth"
    hook.write_text(f"{tmp_path}\nimport starts_coverage\n")
    try:
        ran = run(host(MEASURED_HOST, built), *arguments, cwd=built.directory)
    finally:
        hook.unlink()
    assert ran == Ran(stdout)
    assert measured_lines(data, built.directory / "init.py") == (STATEMENTS, [], missing)


STARTED = MEASURED + """\

@ffi.def_extern()
def measure(file):  # pragma: no cover
    global measuring
    if file:
        import coverage

        measuring = coverage.Coverage(data_file=ffi.string(file).decode(), config_file=False, include=["*/init.py"])
        measuring.start()
    else:
        measuring.stop()
        measuring.save()
"""
STARTED_HOST = """
    #include <stdio.h>
    #include "measured.h"

    int main(int argc, char **argv)
    {
        printf("%d ", length(1));
        measure(argv[argc - 1]);
        printf("%d ", length(2));
        printf("%d ", length(1000));
        measure(NULL);
        printf("%d\\n", length(-2));
        return 0;
    }
"""


def test_coverage_from_one_call_to_another(plugin, host, run, environment, tmp_path):
    """The host says when: what ran before and after does not count. A function that fails counts up to there."""
    venv = environment("coverage")
    cdef = "int length(int n); int never(int n); void measure(const char *file);"
    built = plugin(cdef, STARTED, name="measured", python=venv)
    data = tmp_path / "data"
    ran = run(host(STARTED_HOST, built), data, cwd=built.directory)
    assert ran.stdout == "3 4 -1 8\n" and ran.code == 0
    assert ran.stderr.endswith("\nValueError: too large\n") and ran.stderr.count("Traceback") == 1
    statements, excluded, missing = measured_lines(data, built.directory / "init.py")
    assert statements == STATEMENTS
    assert excluded[0] == line_of(STARTED, "def measure(file)") - 1 and excluded[-1] == line_of(STARTED, "measuring.save()")
    # All that the init code did when it was run, the odd number of before, the negative one of after.
    assert missing == [1, 3, 5, 7, 9, 12, 13, 23, 24, 25]


# -- debugpy --

DEBUGGED = """\
from debugged import ffi

steps = [1, 2]
steps.append(3)  # stops while the init code runs

@ffi.def_extern(error=-1)
def answer(x):
    total = x + sum(steps)
    text = f"{x} and {total}"
    return total  # stops in a call
"""
DEBUGGED_HOST = """
    #include <stdio.h>
    #include "debugged.h"

    int main(void)
    {
        setbuf(stdout, NULL);
        printf("start %d\\n", debugged_start());
        printf("%d\\n", answer(20));
        printf("%d\\n", answer(30));
        printf("%d\\n", answer(40));
        return 0;
    }
"""


class Editor:
    """The client's side of the Debug Adapter Protocol: JSON messages, each behind its length."""

    def __init__(self, port):
        self.ends = time.monotonic() + TIMEOUT
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.file = self.socket.makefile("rb")
        self.sent = 0
        self.came = []

    def send(self, command, **arguments):
        """Sends a request; gives its number."""
        self.sent += 1
        body = json.dumps({"seq": self.sent, "type": "request", "command": command, "arguments": arguments}).encode()
        self.socket.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return self.sent

    def receive(self):
        self.socket.settimeout(max(self.ends - time.monotonic(), 0.1))
        length = None
        while (line := self.file.readline()) != b"\r\n":
            assert line, "debugpy has hung up"
            key, _, value = line.decode("ascii").partition(":")
            if key.lower() == "content-length":
                length = int(value)
        return json.loads(self.file.read(length))

    def wait(self, wanted):
        """The first message, of those that came and were not asked for yet, for which `wanted` is true."""
        while True:
            for message in self.came:
                if wanted(message):
                    self.came.remove(message)
                    return message
            self.came.append(self.receive())

    def event(self, name):
        return self.wait(lambda message: message["type"] == "event" and message["event"] == name).get("body", {})

    def response(self, number):
        message = self.wait(lambda message: message["type"] == "response" and message["request_seq"] == number)
        assert message["success"], message
        return message.get("body", {})

    def request(self, command, **arguments):
        return self.response(self.send(command, **arguments))

    def stopped(self):
        """Waits until the program stops. Gives the event, and the thread's frames, innermost first."""
        event = self.event("stopped")
        return event, self.request("stackTrace", threadId=event["threadId"])["stackFrames"]

    def scope(self, frame):
        """The reference of a frame's local variables."""
        scopes = self.request("scopes", frameId=frame["id"])["scopes"]
        (reference,) = [scope["variablesReference"] for scope in scopes if scope["name"] == "Locals"]
        return reference

    def variables(self, frame):
        """A frame's local variables, as the editor shows them."""
        found = self.request("variables", variablesReference=self.scope(frame))["variables"]
        return {variable["name"]: variable["value"] for variable in found}

    def close(self):
        self.file.close()
        self.socket.close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_debugpy_attaches_to_a_dev_library(plugin, host, environment, tmp_path):
    """An editor connects before the init code runs, stops in it and in a later call, looks at variables, changes one,
    and lets go; the host ends as ever."""
    built = plugin("int answer(int x);", DEBUGGED, name="debugged", python=environment("debugpy"), args=["--dev"])
    file = (built.directory / "init.py").resolve()
    in_init, in_call = line_of(DEBUGGED, "# stops while"), line_of(DEBUGGED, "# stops in a call")
    program, port, ends = host(DEBUGGED_HOST, built), free_port(), time.monotonic() + TIMEOUT
    waits = f"keelback: debugpy waits at 127.0.0.1:{port}\n"
    # The adapter is a process of its own that outlives the host by a moment: into files, so that nobody waits for it.
    with open(tmp_path / "stdout", "wb") as stdout, open(tmp_path / "stderr", "wb") as stderr:
        running = subprocess.Popen(
            [program], env=clean_environment() | QUIET | {"KEELBACK_DEBUG": f"127.0.0.1:{port}"},
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, cwd="/",
        )
    editor = None
    try:
        # Not by trying to connect: a port that nobody has yet may be the connection's own.
        while (tmp_path / "stderr").read_text() != waits:
            assert running.poll() is None and time.monotonic() < ends, (tmp_path / "stderr").read_text()
            time.sleep(0.05)
        editor = Editor(port)
        editor.request("initialize", clientID="test", adapterID="debugpy", pathFormat="path", linesStartAt1=True)
        # Answered only when everything is configured.
        attached = editor.send("attach", justMyCode=False)
        editor.event("initialized")
        assert (tmp_path / "stdout").read_bytes() == b"" and running.poll() is None
        told = editor.request("setBreakpoints", source={"path": str(file)}, breakpoints=[{"line": in_init}, {"line": in_call}])
        assert [(point["verified"], point["line"]) for point in told["breakpoints"]] == [(True, in_init), (True, in_call)]
        editor.request("configurationDone")
        editor.response(attached)

        event, frames = editor.stopped()
        assert event["reason"] == "breakpoint" and place(frames) == ("<module>", str(file), in_init)
        assert editor.variables(frames[0])["steps"] == "[1, 2]"
        # The host has seen nothing of its start yet.
        assert (tmp_path / "stdout").read_bytes() == b""
        editor.request("continue", threadId=event["threadId"])

        event, frames = editor.stopped()
        assert event["reason"] == "breakpoint" and place(frames) == ("answer", str(file), in_call)
        assert (tmp_path / "stdout").read_bytes() == b"start 0\n"
        # C called it: there is no Python below, neither the host's nor ours.
        assert len(frames) == 1
        assert editor.variables(frames[0]) == {"x": "20", "total": "26", "text": "'20 and 26'"}
        assert editor.request("evaluate", expression="total * len(steps)", frameId=frames[0]["id"])["result"] == "78"
        editor.request("continue", threadId=event["threadId"])

        event, frames = editor.stopped()
        assert place(frames) == ("answer", str(file), in_call)
        assert editor.variables(frames[0]) == {"x": "30", "total": "36", "text": "'30 and 36'"}
        changed = editor.request("setVariable", variablesReference=editor.scope(frames[0]), name="total", value="-7")
        assert changed["value"] == "-7"
        # From here on nothing stops it.
        assert editor.request("setBreakpoints", source={"path": str(file)}, breakpoints=[])["breakpoints"] == []
        editor.request("continue", threadId=event["threadId"])
        assert running.wait(TIMEOUT) == 0
        editor.event("terminated")
    finally:
        if editor is not None:
            editor.close()
        if running.poll() is None:
            running.kill()
            running.wait()
    assert Ran((tmp_path / "stdout").read_text(), (tmp_path / "stderr").read_text(), running.returncode) == Ran(
        "start 0\n26\n-7\n46\n", waits
    )


def place(frames):
    """Where the program stands."""
    return frames[0]["name"], os.path.realpath(frames[0]["source"]["path"]), frames[0]["line"]
