"""An addon of Node.js (Node-API): JavaScript calls Python, in the main thread, in workers, in libuv's thread pool."""

import hashlib
import pathlib
import shutil
import signal

import pytest
from harness import Ran

CDEF = """
    typedef struct napi_env__ *napi_env;
    typedef struct napi_value__ *napi_value;
    /** Puts the functions into what require() returns: once in the main thread, and once in each worker that asks. */
    napi_value pynode_exports(napi_env env, napi_value exports);
"""
# What Python raises becomes a JavaScript Error here, in the C function that node calls: the first line of
# NAME_last_error() is the message. Where a JavaScript function that Python called has thrown, that exception goes on.
PRELUDE = """
    #define NAPI_VERSION 8
    #include <node_api.h>
    #include <string.h>

    int pynode_start(void);
    const char *pynode_last_error(void);
    void pynode_set_error_handler(void (*handler)(const char *, const char *, void *), void *data);
    napi_value pynode_exports(napi_env env, napi_value exports);
    static napi_value call_python(napi_env env, const char *name, napi_value *arguments, size_t count);

    static void throw_last_error(napi_env env)
    {
        static const char where[] = "pynode.call_python: ";
        const char *text = pynode_last_error();
        napi_value code, message, error, traceback;
        bool pending;
        if (napi_is_exception_pending(env, &pending) == napi_ok && pending)
            return;
        if (strncmp(text, where, sizeof where - 1) == 0)
            text += sizeof where - 1;
        napi_create_string_utf8(env, "ERR_PYTHON", NAPI_AUTO_LENGTH, &code);
        napi_create_string_utf8(env, text, strcspn(text, "\\n"), &message);
        napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &traceback);
        napi_create_error(env, code, message, &error);
        napi_set_named_property(env, error, "traceback", traceback);
        napi_throw(env, error);
    }

    static napi_value call(napi_env env, napi_callback_info info)
    {
        napi_value arguments[4], result;
        size_t count = 4;
        void *name;
        napi_get_cb_info(env, info, &count, arguments, NULL, &name);
        result = call_python(env, name, arguments, count < 4 ? count : 4);
        if (result == NULL)
            throw_last_error(env);
        return result;
    }

    static napi_status add_function(napi_env env, napi_value exports, const char *name)
    {
        napi_value function;
        napi_create_function(env, name, NAPI_AUTO_LENGTH, call, (void *)name, &function);
        return napi_set_named_property(env, exports, name, function);
    }

    /* The caller is told: nothing need be on standard error. */
    static void quiet(const char *function, const char *message, void *data) { (void)function, (void)message, (void)data; }

    NAPI_MODULE_INIT()
    {
        pynode_set_error_handler(quiet, NULL);
        if (pynode_start() != 0 || pynode_exports(env, exports) == NULL)
            throw_last_error(env);
        return exports;
    }
"""
EXTRA = """
    typedef enum { napi_ok, napi_pending_exception = ..., napi_closing = ..., ... } napi_status;
    typedef enum {
        napi_undefined, napi_null, napi_boolean, napi_number, napi_string, napi_symbol, napi_object, napi_function,
        napi_external, napi_bigint
    } napi_valuetype;
    typedef enum { napi_tsfn_release = ..., ... } napi_threadsafe_function_release_mode;
    typedef enum { napi_tsfn_nonblocking = ..., napi_tsfn_blocking = ..., ... } napi_threadsafe_function_call_mode;
    typedef struct napi_deferred__ *napi_deferred;
    typedef struct napi_async_work__ *napi_async_work;
    typedef struct napi_threadsafe_function__ *napi_threadsafe_function;
    typedef void (*napi_finalize)(napi_env env, void *data, void *hint);
    typedef void (*napi_async_execute_callback)(napi_env env, void *data);
    typedef void (*napi_async_complete_callback)(napi_env env, napi_status status, void *data);
    typedef void (*napi_threadsafe_function_call_js)(napi_env env, napi_value function, void *context, void *data);

    napi_status napi_typeof(napi_env env, napi_value value, napi_valuetype *result);
    napi_status napi_is_array(napi_env env, napi_value value, bool *result);
    napi_status napi_is_buffer(napi_env env, napi_value value, bool *result);
    napi_status napi_get_value_bool(napi_env env, napi_value value, bool *result);
    napi_status napi_get_value_double(napi_env env, napi_value value, double *result);
    napi_status napi_get_value_string_utf8(napi_env env, napi_value value, char *text, size_t room, size_t *length);
    napi_status napi_get_value_bigint_words(napi_env env, napi_value value, int *sign, size_t *count, uint64_t *words);
    napi_status napi_get_buffer_info(napi_env env, napi_value value, void **data, size_t *length);
    napi_status napi_get_array_length(napi_env env, napi_value array, uint32_t *result);
    napi_status napi_get_element(napi_env env, napi_value array, uint32_t index, napi_value *result);
    napi_status napi_get_property_names(napi_env env, napi_value object, napi_value *result);
    napi_status napi_get_property(napi_env env, napi_value object, napi_value key, napi_value *result);
    napi_status napi_get_undefined(napi_env env, napi_value *result);
    napi_status napi_get_null(napi_env env, napi_value *result);
    napi_status napi_get_boolean(napi_env env, bool value, napi_value *result);
    napi_status napi_create_double(napi_env env, double value, napi_value *result);
    napi_status napi_create_string_utf8(napi_env env, const char *text, size_t length, napi_value *result);
    napi_status napi_create_bigint_words(napi_env env, int sign, size_t count, const uint64_t *words, napi_value *result);
    napi_status napi_create_buffer(napi_env env, size_t length, void **data, napi_value *result);
    napi_status napi_create_array_with_length(napi_env env, size_t length, napi_value *result);
    napi_status napi_create_object(napi_env env, napi_value *result);
    napi_status napi_create_error(napi_env env, napi_value code, napi_value message, napi_value *result);
    napi_status napi_set_element(napi_env env, napi_value array, uint32_t index, napi_value value);
    napi_status napi_set_property(napi_env env, napi_value object, napi_value key, napi_value value);
    napi_status napi_call_function(napi_env env, napi_value self, napi_value function, size_t count,
                                   const napi_value *arguments, napi_value *result);
    napi_status napi_create_promise(napi_env env, napi_deferred *deferred, napi_value *promise);
    napi_status napi_resolve_deferred(napi_env env, napi_deferred deferred, napi_value value);
    napi_status napi_reject_deferred(napi_env env, napi_deferred deferred, napi_value value);
    napi_status napi_create_async_work(napi_env env, napi_value resource, napi_value name, napi_async_execute_callback execute,
                                       napi_async_complete_callback complete, void *data, napi_async_work *result);
    napi_status napi_queue_async_work(napi_env env, napi_async_work work);
    napi_status napi_delete_async_work(napi_env env, napi_async_work work);
    napi_status napi_create_threadsafe_function(
        napi_env env, napi_value function, napi_value resource, napi_value name, size_t queue, size_t threads,
        void *finalize_data, napi_finalize finalize, void *context, napi_threadsafe_function_call_js call_js,
        napi_threadsafe_function *result);
    napi_status napi_call_threadsafe_function(napi_threadsafe_function function, void *data,
                                              napi_threadsafe_function_call_mode mode);
    napi_status napi_release_threadsafe_function(napi_threadsafe_function function,
                                                 napi_threadsafe_function_release_mode mode);
    napi_status napi_add_env_cleanup_hook(napi_env env, void (*hook)(void *data), void *data);
    napi_status add_function(napi_env env, napi_value exports, const char *name);

    extern "Python" napi_value call_python(napi_env env, const char *name, napi_value *arguments, size_t count);
    extern "Python" void end_of_environment(void *env);
    extern "Python" void work_execute(napi_env env, void *data);
    extern "Python" void work_complete(napi_env env, napi_status status, void *data);
    extern "Python" void call_js(napi_env env, napi_value function, void *context, void *data);
"""
INIT = """
    import atexit
    import collections
    import csv
    import hashlib
    import io
    import math
    import os
    import signal
    import threading
    import time
    import zlib
    from pynode import ffi, lib

    class Thrown(Exception):
        pass

    def check(status):
        if status == lib.napi_pending_exception:
            raise Thrown("by JavaScript")
        if status != lib.napi_ok:
            raise RuntimeError(f"Node-API says {ffi.string(ffi.cast('napi_status', status))}")

    def get(function, *args, type="napi_value *"):
        result = ffi.new(type)
        check(function(*args, result))
        return result[0]

    # -- values --

    class Function:
        def __init__(self, env, value):
            self.env, self.value = env, value

        def __call__(self, *args):
            arguments = [to_js(self.env, arg) for arg in args]
            nothing = get(lib.napi_get_undefined, self.env)
            return from_js(self.env, get(lib.napi_call_function, self.env, nothing, self.value, len(arguments), arguments))

    def from_js(env, value):
        kind = get(lib.napi_typeof, env, value, type="napi_valuetype *")
        if kind in (lib.napi_undefined, lib.napi_null):
            return None
        if kind == lib.napi_boolean:
            return get(lib.napi_get_value_bool, env, value, type="bool *")
        if kind == lib.napi_number:
            number = get(lib.napi_get_value_double, env, value, type="double *")
            return int(number) if number.is_integer() else number
        if kind == lib.napi_string:
            size = get(lib.napi_get_value_string_utf8, env, value, ffi.NULL, 0, type="size_t *")
            text = ffi.new("char[]", size + 1)
            check(lib.napi_get_value_string_utf8(env, value, text, size + 1, ffi.NULL))
            return ffi.unpack(text, size).decode()
        if kind == lib.napi_bigint:
            sign, count = ffi.new("int *"), ffi.new("size_t *")
            check(lib.napi_get_value_bigint_words(env, value, ffi.NULL, count, ffi.NULL))
            words = ffi.new("uint64_t[]", count[0])
            check(lib.napi_get_value_bigint_words(env, value, sign, count, words))
            return (-1) ** sign[0] * int.from_bytes(ffi.buffer(words), "little")
        if kind == lib.napi_function:
            return Function(env, value)
        if kind != lib.napi_object:
            raise TypeError("a symbol or an external")
        if get(lib.napi_is_buffer, env, value, type="bool *"):
            data, size = ffi.new("void **"), ffi.new("size_t *")
            check(lib.napi_get_buffer_info(env, value, data, size))
            return ffi.buffer(data[0], size[0])
        is_array = get(lib.napi_is_array, env, value, type="bool *")
        names = value if is_array else get(lib.napi_get_property_names, env, value)
        count = get(lib.napi_get_array_length, env, names, type="uint32_t *")
        items = [get(lib.napi_get_element, env, names, i) for i in range(count)]
        if is_array:
            return [from_js(env, item) for item in items]
        return {from_js(env, name): from_js(env, get(lib.napi_get_property, env, value, name)) for name in items}

    def to_js(env, value):
        if value is None:
            return get(lib.napi_get_null, env)
        if isinstance(value, bool):
            return get(lib.napi_get_boolean, env, value)
        if isinstance(value, int) and abs(value) > 2 ** 53:
            count = (value.bit_length() + 63) // 64
            words = ffi.from_buffer("uint64_t[]", abs(value).to_bytes(8 * count, "little"))
            return get(lib.napi_create_bigint_words, env, value < 0, count, words)
        if isinstance(value, (int, float)):
            return get(lib.napi_create_double, env, value)
        if isinstance(value, str):
            data = value.encode()
            return get(lib.napi_create_string_utf8, env, data, len(data))
        if isinstance(value, bytes):
            data = ffi.new("void **")
            buffer = get(lib.napi_create_buffer, env, len(value), data)
            ffi.memmove(data[0], value, len(value))
            return buffer
        if isinstance(value, dict):
            object = get(lib.napi_create_object, env)
            for key, item in value.items():
                check(lib.napi_set_property(env, object, to_js(env, key), to_js(env, item)))
            return object
        if isinstance(value, Exception):
            return get(lib.napi_create_error, env, ffi.NULL, to_js(env, f"{type(value).__name__}: {value}"))
        array = get(lib.napi_create_array_with_length, env, len(value))
        for i, item in enumerate(value):
            check(lib.napi_set_element(env, array, i, to_js(env, item)))
        return array

    # -- functions --

    def rows(text):
        return [{key: float(item) if item.replace(".", "").isdigit() else item for key, item in row.items()}
                for row in csv.DictReader(io.StringIO(text))]

    def sha256(data):
        return hashlib.sha256(data).hexdigest()

    def upper(buffer):
        # In the Buffer's own memory.
        buffer[:] = bytes(buffer[:]).upper()

    def say(text):
        print("Python:", text)

    def interrupt():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        print("Python goes on")

    def at_exit(text):
        atexit.register(print, "Python:", text)

    def run_for_ever():
        # A thread of Python that is busy when the process ends.
        threading.Thread(target=lambda: [sum(range(1000)) for _ in iter(int, 1)], daemon=True).start()

    functions = {
        "rows": rows, "sha256": sha256, "upper": upper, "say": say, "interrupt": interrupt, "atExit": at_exit,
        "runForEver": run_for_ever,
        "deflate": lambda text: zlib.compress(text.encode(), 9),
        "factorial": math.factorial,
        "isqrt": math.isqrt,
        "count": lambda words: dict(collections.Counter(words)),
        "sort": lambda items, key: sorted(items, key=key),
        "environments": lambda: len(environments),
        "echo": lambda value: value,
    }
    names = {name: ffi.new("char[]", name.encode()) for name in [*functions, "digest", "tick"]}
    environments = set()
    kept = set()

    @ffi.def_extern()
    def pynode_exports(env, exports):
        environments.add(env)
        check(lib.napi_add_env_cleanup_hook(env, lib.end_of_environment, env))
        for name in names.values():
            check(lib.add_function(env, exports, name))
        return exports

    @ffi.def_extern()
    def end_of_environment(env):
        environments.remove(ffi.cast("napi_env", env))

    @ffi.def_extern()
    def call_python(env, name, arguments, count):
        name = ffi.string(name).decode()
        arguments = [from_js(env, arguments[i]) for i in range(count)]
        if name in ("digest", "tick"):
            return {"digest": digest, "tick": tick}[name](env, *arguments)
        return to_js(env, functions[name](*arguments))

    # digest(algorithm, buffer): a promise. Python computes in a thread of libuv's pool.
    class Work:
        pass

    def digest(env, algorithm, data):
        # A copy: the Buffer may be collected while the thread computes.
        work, deferred, data = Work(), ffi.new("napi_deferred *"), bytes(data)
        work.compute = lambda: hashlib.new(algorithm, data).digest()
        promise = get(lib.napi_create_promise, env, deferred)
        work.deferred, work.handle = deferred[0], ffi.new_handle(work)
        work.work = get(lib.napi_create_async_work, env, ffi.NULL, to_js(env, "digest"), lib.work_execute, lib.work_complete,
                        work.handle, type="napi_async_work *")
        check(lib.napi_queue_async_work(env, work.work))
        kept.add(work)
        return promise

    @ffi.def_extern()
    def work_execute(env, data):
        work = ffi.from_handle(data)
        try:
            work.result = work.compute()
        except Exception as error:
            work.result = error

    @ffi.def_extern()
    def work_complete(env, status, data):
        work = ffi.from_handle(data)
        settle = lib.napi_reject_deferred if isinstance(work.result, Exception) else lib.napi_resolve_deferred
        check(settle(env, work.deferred, to_js(env, work.result)))
        check(lib.napi_delete_async_work(env, work.work))
        kept.remove(work)

    # tick(count, function): a thread of Python has JavaScript's function called in JavaScript's thread.
    def tick(env, count, function):
        threadsafe = get(lib.napi_create_threadsafe_function, env, function.value, ffi.NULL, to_js(env, "tick"), 0, 1, ffi.NULL,
                         ffi.NULL, ffi.NULL, lib.call_js, type="napi_threadsafe_function *")

        def run():
            for i in range(1, count + 1):
                check(lib.napi_call_threadsafe_function(threadsafe, ffi.cast("void *", i), lib.napi_tsfn_blocking))
            check(lib.napi_release_threadsafe_function(threadsafe, lib.napi_tsfn_release))
        threading.Thread(target=run).start()
        return get(lib.napi_get_undefined, env)

    @ffi.def_extern()
    def call_js(env, function, context, data):
        if env:
            Function(env, function)(int(ffi.cast("intptr_t", data)))
"""


@pytest.fixture(scope="module")
def node(plugin, run):
    """node(script, *arguments, env={...}): runs it, with the addon as `py`."""
    if shutil.which("node") is None:
        pytest.skip("no node here (Debian: nodejs)")
    found = run("node", "-p", "process.execPath", normalise=False).stdout.strip()
    headers = pathlib.Path(found).parent.parent / "include/node"
    if run("cc", "-fsyntax-only", f"-I{headers}", "-include", "node_api.h", "-xc", "/dev/null").code != 0:
        pytest.skip("no header node_api.h of Node.js here (Debian: libnode-dev)")
    place = run.__self__.directory
    (place / "node.cdef").write_text(EXTRA)
    built = plugin(CDEF, INIT, name="pynode", source=PRELUDE, args=["--cdef", place / "node.cdef", f"-I{headers}"])
    addon = built.directory / "pynode.node"
    if not addon.exists():
        # Not a symbolic link: require() follows it, and goes by the name that it finds.
        addon.hardlink_to(built.library)

    def node(script, *, env=None):
        # Not as a module: what is pending when an error is shown must not depend on the loader of node's version.
        (built.directory / "script.js").write_text('const py = require("./pynode.node");\n' + script)
        return run("node", "script.js", cwd=built.directory, env={"NODE_OPTIONS": None, **(env or {})})

    return node


def test_values(node):
    """What Python gives and takes: objects, strings, BigInts, functions, and memory of Buffers that is not copied."""
    assert node(r"""
        console.log(py.rows("name,size\na,1.5\nb,20\n"));
        console.log(py.sha256(Buffer.from("node")));
        const buffer = py.deflate("x".repeat(100000));
        console.log(buffer instanceof Buffer, buffer.length < 1000, require("zlib").inflateSync(buffer).length);
        const own = Buffer.from("lower");
        py.upper(own);
        console.log(own.toString());
        console.log(py.factorial(25), py.isqrt(10n ** 60n), py.isqrt(2n));
        console.log(py.count(["b", "a", "b"]), py.sort(["ccc", "a", "bb"], text => text.length));
        console.log(JSON.stringify(py.echo([null, undefined, true, 0.5, "é\u{1F600}\0x", { a: [{}] }])));
        let sum = 0;
        for (let i = 0; i < 20000; i++) sum += py.echo(i);
        console.log(sum);
    """) == Ran(
        "[ { name: 'a', size: 1.5 }, { name: 'b', size: 20 } ]\n"
        f"{hashlib.sha256(b'node').hexdigest()}\n"
        "true true 100000\n"
        "LOWER\n"
        "15511210043330985984000000n 1000000000000000000000000000000n 1\n"
        "{ b: 2, a: 1 } [ 'a', 'bb', 'ccc' ]\n"
        '[null,null,true,0.5,"é😀\\u0000x",{"a":[{}]}]\n'
        "199990000\n"
    )


def test_errors(node):
    """Exceptions are thrown; nothing is printed besides, unless nobody catches them."""
    assert node(r"""
        function tried(action) {
            try { return action(); } catch (error) { return error; }
        }
        const negative = tried(() => py.factorial(-1));
        console.log(negative instanceof Error, negative.code, negative.message);
        console.log(/^Traceback.*:$/m.test(negative.traceback), /call_python$/m.test(negative.traceback));
        console.log(String(tried(() => py.sha256())));
        console.log(String(tried(() => py.echo(Symbol()))));
        // What JavaScript throws goes through Python: the very object comes out.
        const own = new RangeError("from JavaScript");
        console.log(tried(() => py.sort([1, 2], () => { throw own; })) === own);
        for (let i = 0; i < 5000; i++) tried(() => py.factorial(-1));
        console.log(py.factorial(5));
    """) == Ran(
        "true ERR_PYTHON ValueError: factorial() not defined for negative values\n"
        "true true\n"
        "Error: TypeError: sha256() missing 1 required positional argument: 'data'\n"
        "Error: TypeError: a symbol or an external\n"
        "true\n"
        "120\n"
    )
    ran = node("py.factorial(-1);")
    assert (ran.stdout, ran.code) == ("", 1)
    assert "\nError: ValueError: factorial() not defined for negative values\n    at Object.<anonymous> " in ran.stderr


def test_recursion(node):
    """Through JavaScript, C and Python, in the main thread and on a worker's smaller stack: one of the two languages says
    that it is too deep, the other one passes that on, and both go on working."""
    assert node(r"""
        const { Worker, isMainThread } = require("worker_threads");
        let depth = 0;
        function again() { depth++; py.sort([1], again); }
        try { again(); } catch (error) {
            console.log(/Maximum call stack size|maximum recursion depth/.test(error.message), depth > 50, py.factorial(5));
        }
        if (isMainThread) new Worker(__filename);
    """) == Ran("true true 120\n" * 2)


def test_workers(node):
    """Workers call at once with the main thread. Some end by process.exit(), some by an exception."""
    assert node(r"""
        const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
        if (isMainThread) {
            py.say("main");
            const ends = [];
            for (let n = 0; n < 8; n++)
                ends.push(new Promise(resolve => {
                    const told = [];
                    const worker = new Worker(__filename, { workerData: n });
                    worker.on("message", message => told.push(...message));
                    worker.on("error", error => told.push(error.message));
                    worker.on("exit", code => resolve([code, ...told].join(" ")));
                }));
            let sum = 0;
            for (let i = 0; i < 2000; i++) sum += py.echo(i);
            Promise.all(ends).then(ended => console.log(sum, ended, py.environments()));
        } else if (workerData < 6) {
            let sum = 0;
            for (let i = 0; i < 1000; i++) sum += py.sort([i, workerData], x => -x)[1];
            let error;
            try { py.factorial(-workerData - 1); } catch (caught) { error = caught; }
            parentPort.postMessage([sum, error.code, py.environments() > 1]);
        } else if (workerData === 6)
            process.exit(py.echo(6));
        else
            py.factorial(-1);
    """) == Ran(
        "Python: main\n"
        "1999000 [\n"
        + "".join(f"  '0 {sum(min(i, n) for i in range(1000))} ERR_PYTHON true',\n" for n in range(6))
        + "  '6',\n"
        "  '1 ValueError: factorial() not defined for negative values'\n"
        "] 1\n"
    )


def test_workers_that_end(node):
    """node closes an addon (dlclose) when a worker that has it ends: one that is stopped inside of Python's call of
    JavaScript, and many, one after the other."""
    assert node(r"""
        const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
        if (isMainThread) {
            const worker = new Worker(__filename, { workerData: "stopped" });
            worker.on("message", () => worker.terminate().then(code => {
                console.log(code, py.environments());
                let left = 30;
                (function next(code) {
                    if (code || left-- === 0) console.log(code, py.environments());
                    else new Worker(__filename).on("exit", next);
                })(0);
            }));
        } else if (workerData === "stopped")
            py.sort([1], () => { parentPort.postMessage("in Python"); for (;;); });
        else
            py.echo(workerData);
    """) == Ran("1 1\n0 1\n")


def test_thread_pool(node):
    """Promises that threads of libuv's pool keep by Python, and a thread of Python that calls JavaScript."""
    assert node(r"""
        const all = [];
        for (let i = 0; i < 200; i++) all.push(py.digest("sha256", Buffer.alloc(100000, i)));
        console.log("queued");
        Promise.all(all).then(async digests => {
            console.log(digests.length, digests[7].toString("hex"));
            await py.digest("sha257", Buffer.alloc(1)).catch(error => console.log(String(error)));
            const ticks = [];
            py.tick(1000, n => { if (ticks.push(n) === 1000) console.log(ticks.reduce((a, b) => a + b)); });
        });
    """) == Ran(
        "queued\n"
        f"200 {hashlib.sha256(bytes([7]) * 100000).hexdigest()}\n"
        "Error: ValueError: unsupported hash type sha257\n"
        "500500\n"
    )


@pytest.mark.parametrize(
    "end, exited, code",
    [
        ("", "0", 0),
        ("process.exit(3);", "3", 3),
        ("py.sort([1], () => process.exit(4));", "4", 4),
        ("py.runForEver(); process.exit(5);", "5", 5),
        ("py.runForEver();", "0", 0),
        ("throw new Error('uncaught');", "1", 1),
        ("process.abort();", None, -signal.SIGABRT),
        ("process.kill(process.pid, 'SIGTERM'); setTimeout(() => 0, 60000);", None, -signal.SIGTERM),
    ],
    ids=["falls off", "exit", "exit in a callback", "exit, busy", "falls off, busy", "uncaught", "abort", "SIGTERM"],
)
def test_output_and_end(node, end, exited, code):
    """What both languages print comes in order, and is out in time, however node ends. node's exit event may call Python,
    Python's atexit functions come behind it."""
    ran = node(r"""
        process.on("exit", code => py.say(`exit ${code} ${py.factorial(5)}`));
        py.atExit("atexit");
        for (let i = 0; i < 2; i++) {
            console.log("JavaScript:", i);
            py.say(i);
        }
        // libuv forks for this, with Python inside.
        require("child_process").execFileSync("echo", ["the child"], { stdio: "inherit" });
        py.say("before the end");
    """ + end)
    assert ran.stdout == (
        "JavaScript: 0\nPython: 0\nJavaScript: 1\nPython: 1\nthe child\nPython: before the end\n"
        + ("" if exited is None else f"Python: exit {exited} 120\nPython: atexit\n")
    )
    assert ran.code == code and (ran.stderr == "" or end.startswith(("throw", "process.abort")))


def test_interrupts(node):
    """Ctrl-C ends a node that has no handler, also in the middle of Python; else the handler gets it, and not Python."""
    assert node("py.say('started'); py.interrupt(); console.log('not here');") == Ran("Python: started\n", "", -signal.SIGINT)
    assert node("""
        const waits = setTimeout(() => 0, 60000);
        process.once("SIGINT", name => {
            console.log("handler:", name);
            // Without a handler again.
            process.kill(process.pid, "SIGINT");
        });
        py.interrupt();
        console.log("JavaScript goes on");
    """) == Ran("Python goes on\nJavaScript goes on\nhandler: SIGINT\n", "", -signal.SIGINT)
    assert node("""
        py.say("started");
        setTimeout(() => 0, 60000);
        process.on("SIGINT", name => { py.say(name); process.exit(9); });
        process.kill(process.pid, "SIGINT");
    """) == Ran("Python: started\nPython: SIGINT\n", "", 9)


def test_without_python(node):
    """require() throws, and says why."""
    ran = node("console.log('not here');", env={"KEELBACK_PYTHON": "/nonexistent/python3"})
    assert (ran.stdout, ran.code) == ("", 1)
    assert "\nError: pynode: no libpython could be loaded, so Python cannot be started." in ran.stderr
    assert "KEELBACK_PYTHON: there is no file '/nonexistent/python3'" in ran.stderr
