"""A module of Redis: commands in Python, in redis-server."""

import shutil
import signal
import subprocess
import time

import pytest
from harness import clean_environment

CDEF = """
    typedef struct RedisModuleCtx RedisModuleCtx;
    typedef struct RedisModuleString RedisModuleString;
    int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
"""
# Debian has no redismodule.h. A module asks for functions by name; what it asks with stands first in the context.
PRELUDE = """
    #include <stddef.h>

    typedef struct RedisModuleCtx RedisModuleCtx;
    typedef struct RedisModuleString RedisModuleString;
    typedef int (*RedisModuleCmdFunc)(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);

    static int (*get_api)(const char *name, void *place);
    static int (*set_attributes)(RedisModuleCtx *ctx, const char *name, int version, int api);
    static int (*create_command)(RedisModuleCtx *ctx, const char *name, RedisModuleCmdFunc function, const char *flags,
                                 int first, int last, int step);
    static const char *(*text_of)(const RedisModuleString *text, size_t *length);
    static int (*reply_text)(RedisModuleCtx *ctx, const char *text, size_t length);
    static int (*reply_integer)(RedisModuleCtx *ctx, long long value);
    static int (*reply_error)(RedisModuleCtx *ctx, const char *text);
    static int (*reply_array)(RedisModuleCtx *ctx, long length);

    static int use_redis(RedisModuleCtx *ctx, const char *name)
    {
        get_api = (int (*)(const char *, void *))((void **)ctx)[0];
        get_api("RedisModule_SetModuleAttribs", &set_attributes);
        get_api("RedisModule_CreateCommand", &create_command);
        get_api("RedisModule_StringPtrLen", &text_of);
        get_api("RedisModule_ReplyWithStringBuffer", &reply_text);
        get_api("RedisModule_ReplyWithLongLong", &reply_integer);
        get_api("RedisModule_ReplyWithError", &reply_error);
        get_api("RedisModule_ReplyWithArray", &reply_array);
        set_attributes(ctx, name, 1, 1);
        return create_command != NULL && reply_array != NULL;
    }
"""
EXTRA = """
    typedef int (*RedisModuleCmdFunc)(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
    int use_redis(RedisModuleCtx *ctx, const char *name);
    int (*const create_command)(RedisModuleCtx *ctx, const char *name, RedisModuleCmdFunc function, const char *flags, int first,
                          int last, int step);
    const char *(*const text_of)(const RedisModuleString *text, size_t *length);
    int (*const reply_text)(RedisModuleCtx *ctx, const char *text, size_t length);
    int (*const reply_integer)(RedisModuleCtx *ctx, long long value);
    int (*const reply_error)(RedisModuleCtx *ctx, const char *text);
    int (*const reply_array)(RedisModuleCtx *ctx, long length);
    extern "Python" int call(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
"""
INIT = """
    import json
    import re
    import zlib
    from pyredis import ffi, lib

    def reply(ctx, value):
        if isinstance(value, int):
            lib.reply_integer(ctx, value)
        elif isinstance(value, list):
            lib.reply_array(ctx, len(value))
            for item in value:
                reply(ctx, item)
        else:
            data = value if isinstance(value, bytes) else str(value).encode()
            lib.reply_text(ctx, data, len(data))

    commands = {
        "py.crc": lambda data: zlib.crc32(data),
        "py.find": lambda pattern, text: re.findall(pattern, text),
        "py.keys": lambda text: sorted(json.loads(text)),
    }

    @ffi.def_extern(error=1)
    def call(ctx, argv, argc):
        words = []
        for i in range(argc):
            size = ffi.new("size_t *")
            words.append(ffi.unpack(lib.text_of(argv[i], size), size[0]))
        try:
            reply(ctx, commands[words[0].decode().lower()](*words[1:]))
        except Exception as error:
            lib.reply_error(ctx, f"ERR {type(error).__name__}: {error}".encode())
        return 0

    @ffi.def_extern(error=1)
    def RedisModule_OnLoad(ctx, argv, argc):
        if not lib.use_redis(ctx, b"pyredis"):
            return 1
        for name in commands:
            if lib.create_command(ctx, name.encode(), lib.call, b"readonly", 0, 0, 0) != 0:
                return 1
        print("commands:", len(commands))
        return 0
"""


@pytest.fixture
def server(plugin, tmp_path):
    """server(*command): what redis-cli says."""
    for program, package in (("redis-server", "redis-server"), ("redis-cli", "redis-tools")):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here (Debian: {package})")
    (tmp_path / "redis.cdef").write_text(EXTRA)
    built = plugin(CDEF, INIT, name="pyredis", source=PRELUDE, args=["--cdef", tmp_path / "redis.cdef"])
    # A socket's path must be short.
    socket = tmp_path.parent / "redis.socket"
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", tmp_path, "--loadmodule", built.library],
            stdout=output, stderr=output, env=clean_environment(), cwd=tmp_path,
        )

    def ask(*command):
        return subprocess.run(["redis-cli", "-s", socket, *command], capture_output=True, text=True, timeout=60).stdout

    try:
        end = time.monotonic() + 60
        while ask("PING") != "PONG\n":
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        ask.process, ask.log = process, log
        yield ask
    finally:
        process.kill()
        process.wait()


def test_redis(server):
    assert server("PY.CRC", "hello") == "907060870\n"
    assert server("PY.FIND", r"\w+@\w+", "a@b, c@d") == "a@b\nc@d\n"
    assert server("PY.KEYS", '{"b": 1, "a": 2}') == "a\nb\n"
    assert server("PY.KEYS", "{").startswith("ERR JSONDecodeError: Expecting property name")
    assert server("PY.CRC").startswith("ERR TypeError: ")
    # Redis forks to write its data, with Python inside.
    assert server("SET", "key", "value") == "OK\n"
    assert server("BGSAVE") == "Background saving started\n"
    for _ in range(600):
        if "rdb_bgsave_in_progress:0" in server("INFO", "persistence"):
            break
        time.sleep(0.1)
    assert "rdb_last_bgsave_status:ok" in server("INFO", "persistence")
    assert server("EVAL", "return redis.call('py.crc', ARGV[1]) + 1", "0", "hello") == "907060871\n"
    assert server("SHUTDOWN", "NOSAVE") == ""
    assert server.process.wait(60) == 0
    assert "commands: 3\n" in server.log.read_text()


def test_redis_and_ctrl_c(server):
    """Redis's own handler of SIGINT is still its own."""
    assert server("PY.CRC", "x") != ""
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(60) == 0
    assert "Received SIGINT scheduling shutdown..." in server.log.read_text()
