"""A LADSPA plugin, in applyplugin: Python processes audio, block by block."""

import array
import pathlib
import shutil
import wave

import pytest

# The interface is ladspa.h as it is; LADSPA calls these through the descriptor.
CALLBACKS = """
    extern "Python" LADSPA_Handle instantiate(const LADSPA_Descriptor *descriptor, unsigned long rate);
    extern "Python" void connect_port(LADSPA_Handle instance, unsigned long port, LADSPA_Data *data);
    extern "Python" void run(LADSPA_Handle instance, unsigned long count);
    extern "Python" void cleanup(LADSPA_Handle instance);
"""
INIT = """
    from pyfx import ffi, lib

    class Echo:
        # Adds what was a few samples ago, at half the level; keeps its state from block to block.
        def __init__(self, rate):
            self.delay = rate // 8000
            self.past = [0.0] * self.delay
            self.ports = {}

        def run(self, count):
            gain = self.ports[0][0]
            samples = ffi.unpack(self.ports[1], count)
            line = self.past + samples
            self.ports[2][0:count] = [gain * (x + line[i] / 2) for i, x in enumerate(samples)]
            self.past = line[-self.delay:]

    kept = {}
    text = lambda value: keep(ffi.new("char[]", value.encode()))
    memory = []

    def keep(value):
        memory.append(value)
        return value

    ports = [lib.LADSPA_PORT_INPUT | lib.LADSPA_PORT_CONTROL, lib.LADSPA_PORT_INPUT | lib.LADSPA_PORT_AUDIO,
             lib.LADSPA_PORT_OUTPUT | lib.LADSPA_PORT_AUDIO]
    descriptor = ffi.new("LADSPA_Descriptor *", dict(
        UniqueID=4711, Label=text("pyecho"), Name=text("Echo in Python"), Maker=text("tests"), Copyright=text("None"),
        PortCount=3, PortDescriptors=keep(ffi.new("LADSPA_PortDescriptor[]", ports)),
        PortNames=keep(ffi.new("char *[]", [text("Gain"), text("In"), text("Out")])),
        PortRangeHints=keep(ffi.new("LADSPA_PortRangeHint[3]")),
        instantiate=lib.instantiate, connect_port=lib.connect_port, run=lib.run, cleanup=lib.cleanup))

    @ffi.def_extern()
    def ladspa_descriptor(index):
        return descriptor if index == 0 else ffi.NULL

    @ffi.def_extern()
    def instantiate(descriptor, rate):
        handle = ffi.new_handle(Echo(rate))
        kept[handle] = handle
        return handle

    @ffi.def_extern()
    def connect_port(instance, port, data):
        ffi.from_handle(instance).ports[port] = data

    @ffi.def_extern()
    def run(instance, count):
        ffi.from_handle(instance).run(count)

    @ffi.def_extern()
    def cleanup(instance):
        del kept[instance]
"""


def test_ladspa(plugin, run, tmp_path):
    if shutil.which("applyplugin") is None or run("cc", "-fsyntax-only", "-include", "ladspa.h", "-xc", "/dev/null").code != 0:
        pytest.skip("no applyplugin, or no header ladspa.h, here (Debian: ladspa-sdk)")
    (tmp_path / "callbacks.cdef").write_text(CALLBACKS)
    header = pathlib.Path("/usr/include/ladspa.h")
    built = plugin(header, INIT, name="pyfx", args=["--cdef", tmp_path / "callbacks.cdef"])
    samples = [(i * 37) % 2001 * 8 - 8000 for i in range(20000)]
    with wave.open(str(tmp_path / "in.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(array.array("h", samples).tobytes())
    ran = run("analyseplugin", built.library, cwd=tmp_path)
    assert "Plugin Name: \"Echo in Python\"" in ran.stdout and ran.code == 0
    ran = run("applyplugin", tmp_path / "in.wav", tmp_path / "out.wav", built.library, "pyecho", "0.5", cwd=tmp_path)
    assert (ran.code, ran.stderr) == (0, "")
    with wave.open(str(tmp_path / "out.wav"), "rb") as file:
        out = array.array("h", file.readframes(file.getnframes()))
    expected = [0.5 * (x + (samples[i - 2] if i >= 2 else 0) / 2) for i, x in enumerate(samples)]
    assert len(out) == len(expected) and max(abs(a - b) for a, b in zip(out, expected)) <= 1
