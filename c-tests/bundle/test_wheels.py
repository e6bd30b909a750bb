"""Packages as they are published, from PyPI, in a bundle: each does its work after the bundle was moved, while the
environment that it was made from is away.

The small ones share one bundle and run always; each alone, and the large ones, with KEELBACK_TEST_WHEELS=all (`tools/test
all`). KEELBACK_TEST_WHEELS_FOLDER: a folder for the environments, which are made once and kept there.
"""

import os
import pathlib
import re
import shutil
import subprocess
import textwrap

import pytest
from harness import clean_environment, keelback, python, version_of
from test_bundle import LONG, bundle

ALL = os.environ.get("KEELBACK_TEST_WHEELS") == "all"

# What pip installs, the packages that are bundled, what the init code computes, and the answer.
NUMPY = """
    import numpy as np
    answer = round(float(np.linalg.eigvalsh(np.array([[2.5, 1.0], [1.0, 8.0]])).sum()), 6), int(np.random.default_rng(1).integers(5, 6)), np.fft.fft([1, 0]).real.tolist()
"""
WHEELS = {
    "numpy": ("numpy", NUMPY, (10.5, 5, [1.0, 1.0])),
    "numpy-1.26": ("numpy==1.26.4", NUMPY, (10.5, 5, [1.0, 1.0])),
    "numpy-2.2": ("numpy==2.2.6", NUMPY, (10.5, 5, [1.0, 1.0])),
    "scipy": (
        "scipy",
        """
        from scipy import integrate, linalg, optimize, sparse, special
        answer = (
            round(integrate.quad(lambda x: x * x, 0, 3)[0], 6),
            round(optimize.brentq(lambda x: x * x - 2, 0, 2), 6),
            round(float(linalg.det([[1, 2], [3, 5]])), 6),
            sparse.eye(3).nnz,
            round(float(special.gamma(5)), 6),
        )
        """,
        (9.0, 1.414214, -1.0, 3, 24.0),
    ),
    "pandas": (
        "pandas",
        """
        import io
        import pandas as pd
        frame = pd.read_csv(io.StringIO("name,size\\na,1\\nb,2\\na,3\\n"))
        answer = frame.groupby("name")["size"].sum().to_dict(), str(pd.Timestamp("2024-02-29", tz="Europe/Berlin") + pd.DateOffset(years=1))
        """,
        ({"a": 4, "b": 2}, "2025-02-28 00:00:00+01:00"),
    ),
    "pyarrow": (
        "pyarrow",
        """
        import io
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq
        table = pa.table({"x": [1, 2, 3]})
        file = io.BytesIO()
        pq.write_table(table, file, compression="zstd")
        answer = pc.sum(pq.read_table(io.BytesIO(file.getvalue()))["x"]).as_py(), len(pa.csv.read_csv(io.BytesIO(b"a\\n1\\n2\\n"))) if hasattr(pa, "csv") else 2
        """,
        (6, 2),
    ),
    "shapely": ("shapely", "import shapely\nanswer = round(shapely.Point(0, 0).buffer(1).area, 2), shapely.from_wkt('POINT (1 2)').x", (3.14, 1.0)),
    "opencv": (
        "opencv-python-headless",
        """
        import cv2
        import numpy as np
        picture = np.zeros((8, 8, 3), np.uint8)
        cv2.rectangle(picture, (2, 2), (5, 5), (255, 255, 255), -1)
        back = cv2.imdecode(cv2.imencode(".png", picture)[1], cv2.IMREAD_GRAYSCALE)
        answer = int((back > 0).sum()), cv2.resize(back, (4, 4)).shape
        """,
        (16, (4, 4)),
    ),
    "scikit-learn": (
        "scikit-learn",
        """
        from sklearn.datasets import load_iris
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.linear_model import LinearRegression
        data = load_iris()
        answer = RandomForestClassifier(random_state=0).fit(data.data, data.target).score(data.data, data.target) > 0.99, round(float(LinearRegression().fit([[0], [1]], [1, 3]).coef_[0]), 6)
        """,
        (True, 2.0),
    ),
    "cryptography": (
        "cryptography",
        """
        from cryptography.fernet import Fernet
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ed25519
        box = Fernet(Fernet.generate_key())
        key = ed25519.Ed25519PrivateKey.generate()
        key.public_key().verify(key.sign(b"text"), b"text")
        digest = hashes.Hash(hashes.SHA256())
        digest.update(b"text")
        answer = box.decrypt(box.encrypt(b"secret")).decode(), digest.finalize().hex()[:8]
        """,
        ("secret", "982d9e3e"),
    ),
    "pillow": (
        "pillow",
        """
        import io
        from PIL import Image, ImageDraw
        sizes = []
        for form in ("PNG", "JPEG", "WEBP"):
            picture = Image.new("RGB", (8, 4), "red")
            ImageDraw.Draw(picture).text((0, 0), "x")
            file = io.BytesIO()
            picture.save(file, form)
            sizes.append(Image.open(io.BytesIO(file.getvalue())).convert("L").size)
        answer = sizes
        """,
        [(8, 4)] * 3,
    ),
    "lxml": (
        "lxml",
        """
        from lxml import etree, html
        tree = etree.fromstring("<a><b c='1'/><b c='2'/></a>")
        style = etree.XSLT(etree.fromstring('<x:stylesheet version="1.0" xmlns:x="http://www.w3.org/1999/XSL/Transform"><x:output method="text"/><x:template match="/"><x:value-of select="sum(//@c)"/></x:template></x:stylesheet>'))
        answer = tree.xpath("//b/@c"), str(style(tree)), html.fromstring("<p>one<br>two").text_content()
        """,
        (["1", "2"], "3", "onetwo"),
    ),
    "psycopg": (
        "psycopg[binary]",
        """
        import psycopg
        from psycopg import pq, sql
        try:
            psycopg.connect("host=127.0.0.1 port=1 connect_timeout=2")
            told = "?"
        except psycopg.OperationalError as error:
            told = "refused" in str(error)
        answer = pq.__impl__, pq.version() > 100000, told, sql.SQL("select {}").format(sql.Identifier("a b")).as_string(None)
        """,
        ("binary", True, True, 'select "a b"'),
    ),
    "grpcio": (
        "grpcio",
        """
        from concurrent import futures
        import grpc
        class Echo(grpc.GenericRpcHandler):
            def service(self, details):
                return grpc.unary_unary_rpc_method_handler(lambda request, context: request + b"!")
        server = grpc.server(futures.ThreadPoolExecutor(1))
        server.add_generic_rpc_handlers((Echo(),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            answer = channel.unary_unary("/a/b")(b"hello", timeout=60).decode()
        server.stop(None).wait()
        """,
        "hello!",
    ),
    "requests": (
        "requests",
        """
        import http.server
        import threading
        import requests
        import certifi
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write('{"a": "é"}'.encode())
            def log_message(self, *arguments):
                pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        session = requests.Session()
        session.trust_env = False
        answer = session.get(f"http://127.0.0.1:{server.server_port}/").json(), len(open(certifi.where()).read()) > 100000
        server.shutdown()
        """,
        ({"a": "é"}, True),
    ),
    "pydantic": (
        "pydantic",
        """
        import pydantic
        class Point(pydantic.BaseModel):
            x: int
            tags: list[str] = []
        try:
            Point(x="no")
        except pydantic.ValidationError as error:
            told = error.errors()[0]["type"]
        answer = Point.model_validate_json('{"x": "5", "tags": ["a"]}').model_dump(), told
        """,
        ({"x": 5, "tags": ["a"]}, "int_parsing"),
    ),
    # It brings CUDA's libraries, which a machine without such a processor does not open. Newer ones bring five times as much.
    "torch": (
        {"3.10": "torch==1.12.1 numpy<2", "3.11": "torch==1.13.1 numpy<2"}.get(version_of(python())),
        """
        import torch
        a = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        product = a @ a
        product.sum().backward()
        det = round(torch.linalg.det(product.detach()).item(), 3)
        answer = product.tolist(), a.grad.tolist(), tuple(torch.nn.Linear(2, 1)(product).shape), torch.from_numpy(product.detach().numpy()).sum().item(), det
        """,
        ([[7.0, 10.0], [15.0, 22.0]], [[7.0, 11.0], [9.0, 13.0]], (2, 1), 54.0, 4.0),
    ),
    # Some in one process: their copies of the same libraries do not meet.
    "small": ("cryptography lxml pydantic requests", None, None),
}
# What needs the driver of a processor that the machine does not have.
EXCLUDED = {"torch": ["--exclude", "torch.lib.libcaffe2_nvrtc"]}
SMALL = WHEELS["small"][0].split()

HOST = """\
#include <stdio.h>
#include "wheels.h"
int main(void) { const char *text = answer(); puts(text == NULL ? "NULL" : text); return 0; }
"""
INIT = """\
from wheels import ffi

keep = []


def work():
{body}
    return {result}


@ffi.def_extern()
def answer():
    keep[:] = [ffi.new("char[]", ascii(work()).encode())]
    return keep[0]
"""


def init_of(name):
    if name != "small":
        return INIT.format(body=textwrap.indent(textwrap.dedent(WHEELS[name][1]).strip(), "    "), result="answer")
    parts = [f"{textwrap.dedent(WHEELS[each][1]).strip()}\nanswers.append(answer)" for each in SMALL]
    return INIT.format(body=textwrap.indent("answers = []\n" + "\n".join(parts), "    "), result="answers")


def expected(name):
    return [WHEELS[each][2] for each in SMALL] if name == "small" else WHEELS[name][2]


def environment_with(name, place):
    """A virtual environment with the packages; skips where PyPI cannot be reached."""
    kept = os.environ.get("KEELBACK_TEST_WHEELS_FOLDER")
    venv = pathlib.Path(kept or place) / f"venv-{name}"
    if not venv.exists():
        subprocess.run([python(), "-m", "venv", venv], check=True, env=clean_environment(), timeout=LONG)
        command = [venv / "bin/python", "-m", "pip", "-q", "install", "--disable-pip-version-check", "--only-binary", ":all:", *WHEELS[name][0].split()]
        installed = subprocess.run(command, env=clean_environment(), timeout=LONG, capture_output=True, text=True)
        if installed.returncode != 0:
            shutil.rmtree(venv)
            pytest.skip(f"pip cannot install {WHEELS[name][0]} here: {installed.stderr.strip().splitlines()[-1]}")
    return venv


# Without those that are not published for this Python.
PUBLISHED = [name for name, (required, _, _) in WHEELS.items() if required is not None]


@pytest.mark.parametrize("name", PUBLISHED if ALL else ["small", "numpy"])
def test_a_published_package(name, plugin, host, workshop, tmp_path):
    venv = environment_with(name, tmp_path)
    made = plugin("const char *answer(void);", init_of(name), name="wheels", python=venv)
    there = tmp_path / "there"
    there.mkdir()
    shutil.copy(made.library, there)
    packages = [argument for each in WHEELS[name][0].split() for argument in ("--package", re.match(r"[^=<>]+", each).group())]
    # Every other one without what it was not seen to need.
    trim = ["--trim"] if len(name) % 2 == 0 else []
    ran = bundle(workshop, "libwheels.so", "--python", venv, *packages, *trim, *EXCLUDED.get(name, []), cwd=there)
    assert ran.code == 0 and "left out" not in ran.stderr, ran.stderr
    shutil.copy(host(HOST, made, link=False, flags=["-Wl,-rpath,$ORIGIN", f"-L{made.directory}", "-lwheels"]), there / "host")
    moved = tmp_path / "moved"
    there.rename(moved)
    away = venv.with_name(f"{venv.name}-away")
    venv.rename(away)
    try:
        ran = workshop.run(moved / "host", env={"PATH": "/nonexistent", "HOME": "/nonexistent"}, cwd="/", normalise=False)
    finally:
        away.rename(venv)
    assert (ran.stdout, ran.stderr, ran.code) == (ascii(expected(name)) + "\n", "", 0)
    machine = subprocess.run(["grep", "-rlF", str(venv), moved / "wheels.keelback"], capture_output=True, text=True)
    assert machine.stdout == "", "these files name the environment"
    shutil.rmtree(moved)
