"""Libraries used straight from their installed headers, in ABI mode and in API mode: real work, checked by somebody else."""

import ctypes.util
import hashlib
import os
import re
import sqlite3
import struct
import sys
import zlib
from pathlib import Path

import pytest
import keelback


def use_zlib(ffi, lib, tmp_path):
    data = b"keelback " * 1000
    size = ffi.new("uLongf *", lib.compressBound(len(data)))
    packed = ffi.new("Bytef[]", size[0])
    assert lib.compress(packed, size, data, len(data)) == lib.Z_OK
    assert zlib.decompress(ffi.buffer(packed, size[0])) == data
    assert lib.crc32(0, data, len(data)) == zlib.crc32(data)
    assert ffi.sizeof("z_stream") == 112 and lib.Z_DATA_ERROR == -3


def use_sqlite3(ffi, lib, tmp_path):
    path, db = tmp_path / "made.db", ffi.new("sqlite3 **")
    assert lib.sqlite3_open(os.fsencode(path), db) == lib.SQLITE_OK

    @ffi.callback("void(sqlite3_context *, int, sqlite3_value **)")
    def double(context, count, values):
        lib.sqlite3_result_int64(context, 2 * lib.sqlite3_value_int64(values[0]))

    assert lib.sqlite3_create_function(db[0], b"double", 1, lib.SQLITE_UTF8, ffi.NULL, double, ffi.NULL, ffi.NULL) == 0
    assert lib.sqlite3_exec(db[0], b"create table t(x); insert into t values (double(21)), ('a')", ffi.NULL, ffi.NULL, ffi.NULL) == 0
    assert lib.sqlite3_close(db[0]) == lib.SQLITE_OK
    assert sqlite3.connect(path).execute("select x from t").fetchall() == [(42,), ("a",)]


def use_expat(ffi, lib, tmp_path):
    seen = []

    @ffi.callback("XML_StartElementHandler")
    def start(data, name, attributes):
        seen.append((ffi.string(name), attributes[0] and ffi.string(attributes[1])))

    @ffi.callback("XML_CharacterDataHandler")
    def text(data, characters, length):
        seen.append(ffi.unpack(characters, length))

    parser = lib.XML_ParserCreate(ffi.NULL)
    lib.XML_SetStartElementHandler(parser, start)
    lib.XML_SetCharacterDataHandler(parser, text)
    xml = b"<a><b c='1'>x&amp;</b><d></a>"
    assert lib.XML_Parse(parser, xml, len(xml), 1) == lib.XML_STATUS_ERROR
    assert lib.XML_GetErrorCode(parser) == lib.XML_ERROR_TAG_MISMATCH and lib.XML_GetCurrentColumnNumber(parser) == 27
    lib.XML_ParserFree(parser)
    assert seen == [(b"a", ffi.NULL), (b"b", b"1"), b"x", b"&", (b"d", ffi.NULL)]


def use_png(ffi, lib, tmp_path):
    image = ffi.new("png_image *", {"version": lib.PNG_IMAGE_VERSION, "width": 3, "height": 2, "format": lib.PNG_FORMAT_GRAY})
    pixels, size = bytes([0, 50, 100, 150, 200, 250]), ffi.new("png_alloc_size_t *", 10000)
    out = ffi.new("char[]", size[0])
    assert lib.png_image_write_to_memory(image, out, size, 0, pixels, 0, ffi.NULL) == 1, ffi.string(image.message)
    made = bytes(ffi.buffer(out, size[0]))
    width, height, depth = struct.unpack_from(">IIB", made, 16)
    start = made.index(b"IDAT")
    (length,) = struct.unpack_from(">I", made, start - 4)
    rows = zlib.decompress(made[start + 4 : start + 4 + length])
    assert (made[:4], width, height, depth, len(rows)) == (b"\x89PNG", 3, 2, 8, 8)
    again = ffi.new("png_image *", {"version": lib.PNG_IMAGE_VERSION})
    assert lib.png_image_begin_read_from_memory(again, made, len(made)) == 1
    back = ffi.new("png_byte[]", 6)
    assert lib.png_image_finish_read(again, ffi.NULL, back, 0, ffi.NULL) == 1 and bytes(back) == pixels


def use_zstd(ffi, lib, tmp_path):
    # A frame by hand, as RFC 8878 has it: one raw block.
    frame = struct.pack("<IBB", lib.ZSTD_MAGICNUMBER, 0x20, 5) + (5 << 3 | 1).to_bytes(3, "little") + b"hello"
    out = ffi.new("char[100]")
    assert lib.ZSTD_decompress(out, 100, frame, len(frame)) == 5 and ffi.string(out) == b"hello"
    data = os.urandom(100) * 50
    packed = ffi.new("char[]", lib.ZSTD_compressBound(len(data)))
    size = lib.ZSTD_compress(packed, len(packed), data, len(data), 3)
    assert not lib.ZSTD_isError(size) and size < 1000 and ffi.unpack(packed, 4) == frame[:4]
    assert lib.ZSTD_getFrameContentSize(packed, size) == len(data)
    back = ffi.new("char[]", len(data))
    assert lib.ZSTD_decompress(back, len(data), packed, size) == len(data) and ffi.unpack(back, len(data)) == data


def use_lz4(ffi, lib, tmp_path):
    # Five literals and a match of eight bytes, five back; five literals at the end.
    block, out = b"\x54hello\x05\0" + b"\x50world", ffi.new("char[100]")
    assert lib.LZ4_decompress_safe(block, out, len(block), 100) == 18 and ffi.unpack(out, 18) == b"hellohellohelworld"
    data = bytes(range(50)) * 100
    packed = ffi.new("char[]", lib.LZ4_compressBound(len(data)))
    size = lib.LZ4_compress_default(data, packed, len(data), len(packed))
    back = ffi.new("char[]", len(data))
    assert 0 < size < 200 and lib.LZ4_decompress_safe(packed, back, size, len(data)) == len(data)
    assert ffi.unpack(back, len(data)) == data


def use_uv(ffi, lib, tmp_path):
    loop, timer, request, ticks = ffi.new("uv_loop_t *"), ffi.new("uv_timer_t *"), ffi.new("uv_fs_t *"), []

    @ffi.callback("uv_timer_cb")
    def tick(handle):
        ticks.append(handle == timer)
        if len(ticks) == 3:
            lib.uv_timer_stop(handle)

    assert lib.uv_loop_init(loop) == 0 and lib.uv_timer_init(loop, timer) == 0
    assert lib.uv_timer_start(timer, tick, 1, 1) == 0
    assert lib.uv_run(loop, lib.UV_RUN_DEFAULT) == 0 and ticks == [True] * 3
    assert lib.uv_fs_mkdtemp(loop, request, os.fsencode(tmp_path / "XXXXXX"), ffi.NULL) == 0
    assert os.listdir(tmp_path) == [os.path.basename(ffi.string(request.path).decode())]
    lib.uv_fs_req_cleanup(request)
    lib.uv_close(ffi.cast("uv_handle_t *", timer), ffi.NULL)
    assert lib.uv_run(loop, lib.UV_RUN_DEFAULT) == 0 and lib.uv_loop_close(loop) == 0
    assert ffi.string(lib.uv_err_name(lib.UV_ENOENT)) == b"ENOENT"


def use_curl(ffi, lib, tmp_path):
    (tmp_path / "page").write_bytes(b"from a file")
    got = []

    @ffi.callback("curl_write_callback")
    def write(data, size, count, _):
        got.append(ffi.unpack(data, size * count))
        return size * count

    handle = lib.curl_easy_init()
    url = ffi.new("char[]", (tmp_path / "page").as_uri().encode())
    assert lib.curl_easy_setopt(handle, lib.CURLOPT_URL, url) == lib.CURLE_OK
    assert lib.curl_easy_setopt(handle, lib.CURLOPT_WRITEFUNCTION, write) == lib.CURLE_OK
    assert lib.curl_easy_perform(handle) == lib.CURLE_OK and b"".join(got) == b"from a file"
    length = ffi.new("double *")
    assert lib.curl_easy_getinfo(handle, lib.CURLINFO_SIZE_DOWNLOAD, length) == 0 and length[0] == 11
    lib.curl_easy_cleanup(handle)


def use_git2(ffi, lib, tmp_path):
    lib.git_libgit2_init()
    repository, oid = ffi.new("git_repository **"), ffi.new("git_oid *")
    assert lib.git_repository_init(repository, os.fsencode(tmp_path), 1) == 0
    assert lib.git_blob_create_from_buffer(oid, repository[0], b"hello", 5) == 0
    assert bytes(oid.id) == hashlib.sha1(b"blob 5\0hello").digest()
    name = bytes(oid.id).hex()
    stored = (tmp_path / "objects" / name[:2] / name[2:]).read_bytes()
    assert zlib.decompress(stored) == b"blob 5\0hello"
    assert lib.git_repository_open(repository, b"/nowhere") == lib.GIT_ENOTFOUND
    assert b"/nowhere" in ffi.string(lib.git_error_last().message)


def use_sdl(ffi, lib, tmp_path):
    lib.SDL_setenv(b"SDL_VIDEODRIVER", b"dummy", 1)
    assert lib.SDL_Init(lib.SDL_INIT_VIDEO) == 0, ffi.string(lib.SDL_GetError())
    window = lib.SDL_CreateWindow(b"title", 0, 0, 40, 30, lib.SDL_WINDOW_HIDDEN)
    assert ffi.string(lib.SDL_GetWindowTitle(window)) == b"title"
    surface = lib.SDL_CreateRGBSurfaceWithFormat(0, 4, 4, 32, lib.SDL_PIXELFORMAT_RGBA32)
    area = ffi.new("SDL_Rect *", {"x": 1, "y": 2, "w": 2, "h": 1})
    assert lib.SDL_FillRect(surface, area, lib.SDL_MapRGBA(surface.format, 1, 2, 3, 4)) == 0
    pixels = bytes(ffi.buffer(surface.pixels, surface.pitch * surface.h))
    assert pixels == bytes(36) + bytes([1, 2, 3, 4] * 2) + bytes(64 - 44)
    event = ffi.new("SDL_Event *", {"type": lib.SDL_USEREVENT})
    event.user.code = 77
    assert lib.SDL_PushEvent(event) == 1
    lib.SDL_FlushEvents(0, lib.SDL_USEREVENT - 1)
    other = ffi.new("SDL_Event *")
    assert lib.SDL_PollEvent(other) == 1 and other.user.code == 77
    lib.SDL_Quit()


# Header, library, the package that has the header, and what does the work.
LIBRARIES = {
    "zlib": ("zlib.h", "z", "zlib1g-dev", use_zlib),
    "sqlite3": ("sqlite3.h", "sqlite3", "libsqlite3-dev", use_sqlite3),
    "expat": ("expat.h", "expat", "libexpat1-dev", use_expat),
    "png": ("png.h", "png16", "libpng-dev", use_png),
    "zstd": ("zstd.h", "zstd", "libzstd-dev", use_zstd),
    "lz4": ("lz4.h", "lz4", "liblz4-dev", use_lz4),
    "uv": ("uv.h", "uv", "libuv1-dev", use_uv),
    "curl": ("curl/curl.h", "curl", "libcurl4-openssl-dev", use_curl),
    "git2": ("git2.h", "git2", "libgit2-dev", use_git2),
    "sdl": ("SDL2/SDL.h", "SDL2-2.0", "libsdl2-dev", use_sdl),
}
# For headers that are not where the compiler looks: folders, with ':' between them.
INCLUDE_DIRS = [path for path in os.environ.get("KEELBACK_TEST_INCLUDE_DIRS", "").split(":") if path]


# Not all words of a test are names of its header.
pytestmark = pytest.mark.filterwarnings("ignore:header")


def declare(header, package, **options):
    ffi = keelback.FFI()
    try:
        ffi.header(header, include_dirs=INCLUDE_DIRS, **options)
    except FileNotFoundError:
        pytest.skip(f"there is no {header} (Debian: the package {package})")
    return ffi


@pytest.mark.parametrize("name", LIBRARIES)
def test_abi_mode(name, tmp_path):
    header, library, package, use = LIBRARIES[name]
    ffi = declare(header, package)
    use(ffi, ffi.dlopen(ctypes.util.find_library(library)), tmp_path)


@pytest.mark.parametrize("name", LIBRARIES)
def test_api_mode(name, tmp_path, monkeypatch):
    header, library, package, use = LIBRARIES[name]
    # What it uses, and what that needs; the types that it names only in strings among it.
    source = "".join(map(str, use.__code__.co_consts)) + " ".join(use.__code__.co_names)
    words = set(re.findall(r"\w+", source + Path(__file__).read_text().split(f"def {use.__name__}(")[1].split("\n\n\n")[0]))
    ffi = declare(header, package, only=sorted(words - set(dir(__builtins__))))
    module = f"_header_of_{name}"
    ffi.set_source(module, f"#include <{header}>", include_dirs=INCLUDE_DIRS, extra_link_args=[f"-l:{ctypes.util.find_library(library)}"])
    ffi.compile(tmpdir=str(tmp_path / "built"))
    monkeypatch.syspath_prepend(str(tmp_path / "built"))
    work = tmp_path / "work"
    work.mkdir()
    compiled = __import__(module)
    use(compiled.ffi, compiled.lib, work)


def test_out_of_line_abi_mode(tmp_path, monkeypatch):
    """The module has the reduced declarations: no header, no compiler and no preprocessor is needed to import it."""
    header, library, package, use = LIBRARIES["sqlite3"]
    ffi = declare(header, package, only=["sqlite3_*", "SQLITE_*"])
    ffi.set_source("_sqlite_abi", None)
    path = Path(ffi.compile(tmpdir=str(tmp_path)))
    text = path.read_text()
    assert "#include" not in text and "sqlite3_open" in text and "__attribute__" not in text
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PATH", "")
    from _sqlite_abi import ffi

    work = tmp_path / "work"
    work.mkdir()
    use(ffi, ffi.dlopen(ctypes.util.find_library(library)), work)


# Calls of header() that are wrong, or that come twice.


@pytest.fixture
def own(tmp_path):
    header = tmp_path / "own.h"
    header.write_text("#include <stdio.h>\n#define TEN 10\nstruct s { int a; };\nint g(FILE *f, struct s *s);\nint h(struct s *s);\n")
    return str(header)


def test_a_header_twice(own):
    ffi = keelback.FFI()
    ffi.header(own)
    taken = ffi._cdefs()
    ffi.header(own)
    assert ffi._cdefs() == taken
    assert ffi.sizeof("struct s") == 4
    chosen = keelback.FFI()
    chosen.header(own, only="g")
    with pytest.raises(keelback.FFIError) as caught:
        chosen.header(own, only="h")
    text = str(caught.value)
    assert text.startswith(f"header(): '{own}' was taken before, with other arguments: take all that is wanted in one call, as in only=[...] (")
    together = keelback.FFI()
    together.header(own, only=["g", "h"])


@pytest.mark.parametrize(
    "arguments, text",
    [
        ({"name": 5}, "'name' takes a str or several, not int"),
        ({"name": ["stdio.h", 5]}, "'name' takes a str or several, not int"),
        ({"only": 5}, "'only' takes a str or several, not int"),
        ({"define": 5}, "'define' takes a str or several, not int"),
        ({"undef": b"X"}, "'undef' takes a str or several, not int"),
        ({"define": {"A": object()}}, "the value of the macro 'A' is a str, an int or a float, not object"),
        ({"define": {5: "A"}}, "the names of macros are str"),
    ],
)
def test_arguments_of_the_wrong_type(own, arguments, text):
    with pytest.raises(TypeError) as caught:
        keelback.FFI().header(**{"name": own, **arguments})
    assert str(caught.value) == text


def test_patterns_that_match_nothing(own):
    with pytest.warns(UserWarning) as told:
        keelback.FFI().header(own, only=["g", "zz*"])
    assert [str(warning.message) for warning in told] == ["header(): no name that is declared matches 'zz*'"]
