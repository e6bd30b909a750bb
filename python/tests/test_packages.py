"""Published packages that were written for CFFI run on Keelback after `keelback.install_as_cffi()`.

Each script runs twice, on CFFI and on Keelback, and must print the same; what it draws is checked by value besides.
"""
import ast
import importlib.util
import os
import subprocess
import sys
from ctypes.util import find_library

import pytest

from differential import need_cffi

ON_KEELBACK = """
import keelback, sys
keelback.install_as_cffi()
"""
# Only what one of the two implementations can have loaded.
AT_THE_END = """
loaded = {name: module for name, module in sys.modules.items() if name.split(".")[0] in ("cffi", "_cffi_backend")}
assert loaded and all(module.__spec__.origin == "keelback" for module in loaded.values()), loaded
"""


def run(script, on_keelback):
    """What the script printed: one Python value a line."""
    code = ON_KEELBACK + script + AT_THE_END if on_keelback else "import sys\n" + script
    # Fonts and their caches must not make a difference between the two runs.
    environment = dict(os.environ, LC_ALL="C.UTF-8", SOURCE_DATE_EPOCH="0", PYTHONHASHSEED="0")
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, env=environment
    )
    assert child.returncode == 0, child.stderr
    return [ast.literal_eval(line) for line in child.stdout.splitlines()]


def run_on_both(packages, libraries, script):
    need_cffi()
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    missing += [name for name in libraries if find_library(name) is None]
    if missing:
        message = f"not installed: {', '.join(missing)} (tools/test installs it)"
        if os.environ.get("KEELBACK_TESTS_NEED_CFFI"):
            pytest.fail(message)
        pytest.skip(message)
    printed = run(script, on_keelback=True)
    assert printed == run(script, on_keelback=False)
    return printed


CAIRO = r"""
import io, struct, zlib
import cairocffi

surface = cairocffi.ImageSurface(cairocffi.FORMAT_ARGB32, 8, 4)
context = cairocffi.Context(surface)
context.set_source_rgb(1, 0, 0)
context.paint()
context.set_operator(cairocffi.OPERATOR_SOURCE)
context.set_source_rgba(0, 0, 1, 0.5)
context.rectangle(2, 1, 3, 2)
print(context.fill_extents())
context.fill()

# Written by a callback, which gets the bytes from C.
file = io.BytesIO()
surface.write_to_png(file)
png = file.getvalue()
assert png[:8] == b"\x89PNG\r\n\x1a\n"
at, chunks = 8, {}
while at < len(png):
    length, kind = struct.unpack(">I4s", png[at:at + 8])
    chunks[kind] = chunks.get(kind, b"") + png[at + 8:at + 8 + length]
    at += 12 + length
print(struct.unpack(">IIBBBBB", chunks[b"IHDR"]))
rows, data = [], zlib.decompress(chunks[b"IDAT"])
for y in range(4):
    # Undoes the filter of the row: PNG section 9.
    kind, row = data[y * 33], bytearray(data[y * 33 + 1:y * 33 + 33])
    above = rows[-1] if rows else bytes(32)
    for x in range(32):
        left, up, corner = (row[x - 4], above[x], above[x - 4]) if x >= 4 else (0, above[x], 0)
        paeth = min((left, up, corner), key=lambda n: abs(left + up - corner - n))
        row[x] = (row[x] + (0, left, up, (left + up) // 2, paeth)[kind]) % 256
    rows.append(row)
print([[tuple(row[x:x + 4]) for x in range(0, 32, 4)] for row in rows])

# Read by a callback, which gives the bytes to C.
again = cairocffi.ImageSurface.create_from_png(io.BytesIO(png))
print(bytes(again.get_data()) == bytes(surface.get_data()))

# Structs by pointer, arrays of structs and of doubles, unions in the path.
context = cairocffi.Context(surface)
context.set_dash([1.5, 2.5], 0.5)
print(context.get_dash())
context.move_to(1, 2)
context.curve_to(3, 4, 5, 6, 7, 8)
context.close_path()
print(context.copy_path())
matrix = cairocffi.Matrix(xx=2, yy=3, x0=10)
matrix.rotate(0.25)
print(matrix.as_tuple())
print((matrix * matrix.inverted()).transform_point(3, 4))
region = cairocffi.RecordingSurface(cairocffi.CONTENT_COLOR, (1, 2, 3, 4))
print(region.get_extents())
pattern = cairocffi.LinearGradient(0, 0, 8, 0)
pattern.add_color_stop_rgba(0, 1, 1, 1, 1)
print([pattern.get_color_stops(), pattern.get_linear_points()])

# Errors of C become exceptions.
for act in (lambda: context.restore(),
            lambda: cairocffi.Matrix(0, 0, 0, 0).invert(),
            lambda: cairocffi.ImageSurface.create_from_png(io.BytesIO(b"no PNG")),
            lambda: cairocffi.ImageSurface(cairocffi.FORMAT_A8, -1, 4)):
    try:
        act()
    except Exception as error:
        print([type(error).__name__, str(error)])
"""


def test_cairocffi_draws_a_png():
    printed = run_on_both(["cairocffi"], ["cairo"], CAIRO)
    red, blue = (255, 0, 0, 255), (0, 0, 255, 128)
    assert printed[:4] == [
        (2.0, 1.0, 5.0, 3.0),
        (8, 4, 8, 6, 0, 0, 0),
        [[red] * 8, *[[red] * 2 + [blue] * 3 + [red] * 3] * 2, [red] * 8],
        True,
    ]
    assert len(printed) == 14 and printed[-4][0] == "CairoError"


WEASYPRINT = r"""
import re
import weasyprint

html = '''<style>
@page { size: 100px 50px; margin: 0 } body { margin: 0 } div { width: 30px; height: 20px; background: #f00 }
p { font: 10px "DejaVu Sans"; hyphens: auto; width: 60px }
</style><html lang=en><div></div><p>H\u00e9 <b>b</b> fi <i>hyphenation</i></p>'''
document = weasyprint.HTML(string=html).render()
print([(page.width, page.height) for page in document.pages])
pdf = document.write_pdf(uncompressed_pdf=True)
print(re.findall(rb"stream\n(1 0 0 -1.*?)endstream", pdf, re.S))
"""


def test_weasyprint_sets_a_page():
    """Pango, HarfBuzz, fontconfig and GObject through CFFI: text is shaped, measured and broken into lines."""
    pages, contents = run_on_both(["weasyprint"], ["pango-1.0", "harfbuzz", "fontconfig"], WEASYPRINT)
    assert set(pages) == {(100.0, 50.0)} and len(contents) == len(pages)
    assert b"1 0 0 rg\n0 0 30 20 re\n" in contents[0]
    assert b"] TJ\n" in b"".join(contents)


PANGO = r"""
import hashlib
import cairocffi, pangocairocffi
import pangocffi as pango

def box(rectangle):
    return rectangle.x, rectangle.y, rectangle.width, rectangle.height

font = pango.FontDescription()
font.family, font.size, font.weight = "DejaVu Sans", pango.units_from_double(12), pango.Weight.BOLD
print([font.family, font.size, int(font.weight)])

surface = cairocffi.ImageSurface(cairocffi.FORMAT_A8, 160, 60)
# A pointer of one package's ffi goes to a function of another's.
layout = pangocairocffi.create_layout(cairocffi.Context(surface))
layout.font_description = font
layout.apply_markup("H\u00e9 <b>bold</b>\nsecond")
layout.alignment = pango.Alignment.RIGHT
print([layout.text, layout.get_line_count(), [box(part) for part in layout.get_extents()]])
lines = layout.get_iter()
while True:
    extents = [box(part) for part in lines.get_line_extents()]
    print([lines.get_baseline(), lines.get_index(), lines.get_line_yrange(), extents])
    if not lines.next_line():
        break
pangocairocffi.show_layout(cairocffi.Context(surface), layout)
pixels = bytes(surface.get_data())
print([any(pixels), hashlib.sha256(pixels).hexdigest()])

attributes = pango.AttrList()
attributes.insert(pango.Attribute.from_size(20 * 1024, 0, 4))
layout.attributes = attributes
print([box(part) for part in layout.get_extents()])
"""


def test_pangocffi_draws_text():
    """Three packages whose ffis include each other; `set_source(name, None)` on an ffi that is then used in-line."""
    font, text, *lines, pixels, _ = run_on_both(
        ["cairocffi", "pangocffi", "pangocairocffi"], ["cairo", "pango-1.0", "pangocairo-1.0"], PANGO
    )
    assert font == ["DejaVu Sans", 12 * 1024, 700]
    assert text[:2] == ["Hé bold\nsecond", 2] and len(lines) == 2 and pixels[0]


SOUNDFILE = r"""
import array, io, struct
import soundfile

samples = array.array("h", [0, 1000, -1000, 32767, -32768, 5, 6, 7])
file = io.BytesIO()
# libsndfile calls back for every seek, tell, read and write: a struct of function pointers.
with soundfile.SoundFile(file, "w", samplerate=8000, channels=2, format="WAV", subtype="PCM_16") as sound:
    sound.buffer_write(samples, dtype="int16")
    print([sound.frames, sound.channels, sound.samplerate, sound.mode, sound.closed])
wave = file.getvalue()
print(wave)
file.seek(0)
with soundfile.SoundFile(file) as sound:
    print([sound.format, sound.subtype, sound.endian, sound.frames, sound.seekable(), sound.tell()])
    print(bytes(sound.buffer_read(2, dtype="int16")))
    print([sound.tell(), sound.seek(-1, 2)])
    print(struct.unpack("2f", sound.buffer_read(dtype="float32")))
    print(sound.extra_info.splitlines()[:2])

# 24 bits, big-endian, with its strings: a union and strings that C allocates.
file = io.BytesIO()
with soundfile.SoundFile(file, "w", 44100, 1, "PCM_24", "FILE", "AIFF") as sound:
    sound.title, sound.comment = "H\u00e9", "two words"
    sound.buffer_write(array.array("d", [0.5, -0.25, 0.125]), dtype="float64")
file.seek(0)
with soundfile.SoundFile(file) as sound:
    print([sound.title, sound.copy_metadata(), sound.sections])
    print(array.array("d", bytes(sound.buffer_read(dtype="float64"))).tolist())

print(len(soundfile.available_formats()) > 10)
print(sorted(soundfile.available_subtypes("WAV"))[:3])
print([soundfile.default_subtype("FLAC"), soundfile.check_format("WAV", "VORBIS")])
for act in (lambda: soundfile.SoundFile(io.BytesIO(b"no sound")), lambda: soundfile.SoundFile("/nowhere.wav"),
            lambda: soundfile.SoundFile(io.BytesIO(wave)).buffer_write(samples, dtype="int16")):
    try:
        act()
    except Exception as error:
        print([type(error).__name__, str(error).split(" object at ")[0]])
"""


def test_soundfile_reads_and_writes():
    """Its module is one that CFFI generated: `_cffi_backend.FFI('_soundfile', _types=b'...')`. The wheel has the library."""
    printed = run_on_both(["soundfile"], [], SOUNDFILE)
    assert printed[0] == [4, 2, 8000, "w", False]
    header = b"RIFF4\0\0\0WAVEfmt \x10\0\0\0\1\0\2\0\x40\x1f\0\0\0\x7d\0\0\4\0\x10\0data\x10\0\0\0"
    samples = b"\0\0\xe8\x03\x18\xfc\xff\x7f\0\x80\5\0\6\0\7\0"
    assert printed[1] == header + samples
    assert printed[2:4] == [["WAV", "PCM_16", "FILE", 4, True, 0], samples[:8]]
    assert printed[5] == (6 / 32768, 7 / 32768)
    assert printed[8] == [0.5, -0.25, 0.125]


JACK = r"""
import re
import jack

print([str(jack.TransportState(1))])
said = []
jack.set_error_function(said.append)
try:
    jack.Client("nobody", no_start_server=True)
except jack.JackOpenError as error:
    # A function pointer that C called, a status in an enum with flags, and a variadic function.
    print([error.name, str(error.status), error.status.failure, error.status.server_failed])
print([bool(said), all(isinstance(text, str) for text in said)])

ring = jack.RingBuffer(16)
print([ring.write_space, ring.read_space, ring.write(b"0123456789"), ring.read_space, bytes(ring.peek(4))])
print([bytes(ring.read(8)), ring.write(b"abcdefghijkl"), ring.read_space])
print([[bytes(part) for part in ring.read_buffers], [len(part) for part in ring.write_buffers]])
ring.read_advance(3)
print([bytes(ring.read(20)), ring.mlock() is None, ring.reset()])

position = jack._ffi.new("jack_position_t *", {"frame": 1234, "valid": 0x10, "beats_per_minute": 90.5, "bar": 7})
print(jack.position2dict(position))
print(sorted(name for name in dir(jack._lib) if "ringbuffer_read" in name))
print([jack._ffi.sizeof("jack_position_t"), jack._ffi.offsetof("jack_position_t", "beats_per_minute")])
print([jack._lib.JackPortIsOutput, jack._ffi.typeof("jack_status_t").cname, jack._ffi.typeof("JackProcessCallback").args[1].cname])
print(jack._ffi.list_types()[1])
"""


def test_jack_without_a_server():
    """A module that CFFI generated, over a library of the system: packed structs, enums, callbacks, its ring buffer."""
    printed = run_on_both(["jack"], ["jack"], JACK)
    assert printed[3:5] == [[15, 0, 10, 10, b"0123"], [b"01234567", 12, 14]]
    assert len(printed) == 12
