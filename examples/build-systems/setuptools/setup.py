from setuptools import setup

setup(
    name="shapes",
    version="1.0",
    packages=["shapes"],
    package_dir={"": "src"},
    # The script's FFI object: its set_source() names the module and the C source.
    keelback_modules=["build_shapes.py:ffibuilder"],
    install_requires=["keelback"],
)
