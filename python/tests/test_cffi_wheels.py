"""Published wheels whose extension modules CFFI compiled run on Keelback after `keelback.install_as_cffi()`, and print what
they print on CFFI.

A few are among the tests' requirements. The rest is large: with KEELBACK_TEST_WHEELS=DIR they are looked for in DIR, made by
`pip install --target DIR -r python/tests/requirements-wheels.txt`.
"""
import os

import pytest

from test_packages import run, run_on_both

BROTLI = """
import brotlicffi
packed = brotlicffi.compress(b"data" * 1000)
print(repr((len(packed), brotlicffi.decompress(packed) == b"data" * 1000)))
compressor = brotlicffi.Compressor()
parts = compressor.process(b"x" * 100000) + compressor.finish()
print(repr(brotlicffi.Decompressor().decompress(parts) == b"x" * 100000))
try:
    brotlicffi.decompress(b"no such stream")
except brotlicffi.error as error:
    print(repr(str(error)))
"""

CMARK = r"""
import cmarkgfm
print(repr(cmarkgfm.github_flavored_markdown_to_html("# Title\n\n|a|b|\n|-|-|\n|1|2|\n\n~~gone~~ www.example.org")))
print(repr(cmarkgfm.markdown_to_html("*text*")))
"""

NACL = """
from nacl.exceptions import CryptoError
from nacl.hash import blake2b
from nacl.public import Box, PrivateKey
from nacl.secret import SecretBox
from nacl.signing import SigningKey
box = SecretBox(b"k" * 32)
print(repr(bytes(box.encrypt(b"hello", b"n" * 24))))
print(repr(box.decrypt(box.encrypt(b"hello"))))
print(repr(bytes(SigningKey(b"s" * 32).sign(b"message"))))
print(repr(blake2b(b"text")))
one, other = PrivateKey(b"a" * 32), PrivateKey(b"b" * 32)
print(repr(Box(one, other.public_key).decrypt(Box(other, one.public_key).encrypt(b"secret"))))
try:
    box.decrypt(b"x" * 60)
except CryptoError as error:
    print(repr(str(error)))
"""

# With functions of Python that C calls.
PYMUNK = """
import pymunk
space = pymunk.Space()
space.gravity = 0, -100
body = pymunk.Body(1, 10)
body.position = 0, 100
space.add(body, pymunk.Circle(body, 5), pymunk.Segment(space.static_body, (-50, 0), (50, 0), 1))
begun = []
space.on_collision(begin=lambda arbiter, space, data: begun.append(len(arbiter.contact_point_set.points)))
for step in range(200):
    space.step(0.02)
print(repr((body.position.x, body.position.y, begun)))
print(repr([round(hit.distance, 6) for hit in space.point_query((0, 0), 50, pymunk.ShapeFilter())]))
copied = space.copy()
print(repr((len(copied.bodies), len(copied.shapes), list(copied.bodies)[0].position.y == body.position.y)))
"""

ARGON2 = """
from argon2.low_level import Type, hash_secret, verify_secret
hashed = hash_secret(b"password", b"somesalt12345678", 2, 1024, 2, 16, Type.ID)
print(repr(hashed))
print(repr(verify_secret(hashed, b"password", Type.ID)))
"""

ZSTANDARD = """
import io, os
os.environ["PYTHON_ZSTANDARD_IMPORT_POLICY"] = "cffi"
import zstandard
print(repr(zstandard.backend))
packed = zstandard.ZstdCompressor(level=3).compress(b"x" * 10000)
print(repr(packed))
print(repr(zstandard.ZstdDecompressor().decompress(packed) == b"x" * 10000))
print(repr(b"".join(zstandard.ZstdCompressor().read_to_iter(io.BytesIO(b"abc" * 100000)))))
"""

CRYPTOGRAPHY = """
from cryptography.hazmat.bindings.openssl.binding import Binding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
print(repr(AESGCM(b"k" * 16).encrypt(b"n" * 12, b"data", None)))
print(repr((Binding.lib.OpenSSL_version_num(), len(dir(Binding.lib)))))
print(repr(Binding.ffi.string(Binding.lib.OpenSSL_version(Binding.lib.OPENSSL_VERSION))))
"""

PYGIT2 = """
import pathlib, tempfile
import pygit2
with tempfile.TemporaryDirectory() as folder:
    repository = pygit2.init_repository(folder)
    pathlib.Path(folder, "file").write_text("text")
    repository.index.add("file")
    repository.index.write()
    author = pygit2.Signature("name", "address", 1700000000, 0)
    commit = repository.create_commit("HEAD", author, author, "message", repository.index.write_tree(), [])
    print(repr((str(commit), repository.head.target == commit)))
    print(repr(([entry.name for entry in repository[commit].tree], len(list(repository.walk(commit))))))
    print(repr(repository.status()))
"""

PYCARES = """
import socket, threading
import pycares
done, results = threading.Event(), []
def answer(result, error):
    results.append((sorted(node.addr for node in result.nodes), error))
    done.set()
channel = pycares.Channel()
channel.getaddrinfo("localhost", 80, family=socket.AF_INET, callback=answer)
done.wait(30)
print(repr(results))
"""

PYVIPS = """
import pyvips
image = pyvips.Image.black(10, 10) + 7
print(repr((pyvips.version(0), image.avg(), image.width, image.write_to_buffer(".png"))))
"""


# No compiled module: it keeps what its cdef() has made, takes ctypes from the FFI, and has a C library of its own.
PYVEX = r"""
import archinfo, pyvex
for code in (b"\x48\x89\xe5\x5d\xc3\x90", b"\x0f\x0b", b"\x55\x48\x83\xec\x10\xe8\x00\x00\x00\x00"):
    block = pyvex.lift(code, 0x400000, archinfo.ArchAMD64())
    print(repr((block.size, block.jumpkind, block.instructions, str(block))))
"""


@pytest.mark.parametrize(
    "package, script",
    [("brotlicffi", BROTLI), ("cmarkgfm", CMARK), ("nacl", NACL), ("pymunk", PYMUNK)],
)
def test_wheel(package, script):
    run_on_both([package], [], script)


@pytest.mark.parametrize(
    "script", [ARGON2, ZSTANDARD, CRYPTOGRAPHY, PYGIT2, PYCARES, PYVIPS],
    ids=["argon2", "zstandard", "cryptography", "pygit2", "pycares", "pyvips"],
)
def test_large_wheel(script, monkeypatch):
    folder = os.environ.get("KEELBACK_TEST_WHEELS")
    if not folder:
        pytest.skip("KEELBACK_TEST_WHEELS names no folder that has them")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ.get("PYTHONPATH", ""), folder]))
    run_on_both([], [], script)


def test_pyvex(monkeypatch, tmp_path):
    folder = os.environ.get("KEELBACK_TEST_WHEELS")
    if not folder:
        pytest.skip("KEELBACK_TEST_WHEELS names no folder that has it")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ.get("PYTHONPATH", ""), folder]))
    caches = [tmp_path / "first", tmp_path / "second"]
    outcomes = []
    for on_keelback, cache in zip((True, False), caches):
        cache.mkdir()
        monkeypatch.setenv("TMPDIR", str(cache))
        # The second time with what the first one has kept.
        outcomes += [run(PYVEX, on_keelback), run(PYVEX, on_keelback)]
        assert len(list(cache.glob("pyvex_ffi_parser_cache.*"))) == 1
    assert outcomes == [outcomes[0]] * 4
    assert outcomes[0][0][:3] == (5, "Ijk_Ret", 3)
