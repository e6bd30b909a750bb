"""Builds the plugin of api.h and plugin.py with CFFI. usage: PYTHON build_cffi.py SOURCE_DIRECTORY (into the current directory)"""
import pathlib
import sys

import cffi

source = pathlib.Path(sys.argv[1])
api = (source / "api.h").read_text()
builder = cffi.FFI()
builder.embedding_api(api)
builder.set_source("bench_plugin", "typedef struct { double x, y; } point_t;", extra_compile_args=["-O3"])
builder.embedding_init_code((source / "plugin.py").read_text())
builder.compile(target="libbench_cffi.so")
