"""Functions of PostgreSQL: a scalar function, aggregates, errors both ways, cancelling, parallel workers."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

import pytest
from harness import clean_environment

# 0: failed, also where Python cannot be started. The last one is called by PostgreSQL itself, with what fmgr.h declares.
CDEF = """
    #include <postgres.h>
    #include <fmgr.h>

    int py_words(const char *text, int length, int64_t *result);
    int py_larger(int64_t one, int64_t other, int64_t *result);
    int py_pid(int64_t *result);
    int py_number(const char *text, int64_t *result);
    int py_wait(void);
    int py_collect(int64_t *state, double value);
    int py_median(int64_t state, double *result);
    int py_forget(int64_t state);
    Datum py_difference(PG_FUNCTION_ARGS);
"""
# ereport() jumps to the nearest PG_TRY. So it is called from C that Python has returned to, and what Python calls and
# could jump out of it is stopped on the way.
PRELUDE = (
    """
    #include <postgres.h>
    #include <fmgr.h>
    #include <miscadmin.h>
    #include <utils/builtins.h>
    #include <varatt_or_not.h>

    PG_MODULE_MAGIC;

    void _PG_init(void);
    void pypg_set_error_handler(void (*handler)(const char *, const char *, void *), void *data);
    """
    + CDEF
    + """
    static char failure[200];

    /* The first line says what went wrong, the others where. */
    static void keep(const char *function, const char *message, void *data)
    {
        snprintf(failure, sizeof failure, "%.*s", (int)strcspn(message, "\\n"), message);
    }

    void _PG_init(void) { pypg_set_error_handler(keep, NULL); }

    static void finish(int is_good)
    {
        /* Why Python gave up, if it did. */
        CHECK_FOR_INTERRUPTS();
        if (!is_good)
            ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION), errmsg("%s", failure)));
    }

    static int is_interrupted(void) { return InterruptPending != 0; }

    /* What Python calls. No transaction is needed to go on after this function's errors. */
    static int try_number(const char *text, int32_t *result, char *error, size_t size)
    {
        MemoryContext context = CurrentMemoryContext;
        volatile int is_good = 1;
        PG_TRY();
        {
            *result = pg_strtoint32(text);
        }
        PG_CATCH();
        {
            ErrorData *data;
            MemoryContextSwitchTo(context);
            data = CopyErrorData();
            FlushErrorState();
            snprintf(error, size, "%s", data->message);
            FreeErrorData(data);
            is_good = 0;
        }
        PG_END_TRY();
        return is_good;
    }

    PG_FUNCTION_INFO_V1(py_difference);

    PG_FUNCTION_INFO_V1(words);
    Datum words(PG_FUNCTION_ARGS)
    {
        text *given = PG_GETARG_TEXT_PP(0);
        int64_t result = 0;
        finish(py_words(VARDATA_ANY(given), (int)VARSIZE_ANY_EXHDR(given), &result));
        PG_RETURN_INT64(result);
    }

    PG_FUNCTION_INFO_V1(larger);
    Datum larger(PG_FUNCTION_ARGS)
    {
        int64_t result = 0;
        finish(py_larger(PG_GETARG_INT64(0), PG_GETARG_INT64(1), &result));
        PG_RETURN_INT64(result);
    }

    PG_FUNCTION_INFO_V1(pid);
    Datum pid(PG_FUNCTION_ARGS)
    {
        int64_t result = 0;
        finish(py_pid(&result));
        PG_RETURN_INT64(result);
    }

    PG_FUNCTION_INFO_V1(number);
    Datum number(PG_FUNCTION_ARGS)
    {
        int64_t result = 0;
        finish(py_number(text_to_cstring(PG_GETARG_TEXT_PP(0)), &result));
        PG_RETURN_INT64(result);
    }

    PG_FUNCTION_INFO_V1(waits);
    Datum waits(PG_FUNCTION_ARGS)
    {
        finish(py_wait());
        PG_RETURN_VOID();
    }

    /* A state in Python, which goes with the memory of the aggregate: also when the query fails. */
    static void forget(void *state) { py_forget(*(int64_t *)state); }

    PG_FUNCTION_INFO_V1(collect);
    Datum collect(PG_FUNCTION_ARGS)
    {
        MemoryContext context;
        int64_t *state = PG_ARGISNULL(0) ? NULL : (int64_t *)PG_GETARG_POINTER(0);
        if (!AggCheckCallContext(fcinfo, &context))
            ereport(ERROR, (errmsg("collect is called by no aggregate")));
        if (state == NULL) {
            MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof *callback);
            state = MemoryContextAllocZero(context, sizeof *state);
            callback->func = forget;
            callback->arg = state;
            MemoryContextRegisterResetCallback(context, callback);
        }
        finish(py_collect(state, PG_GETARG_FLOAT8(1)));
        PG_RETURN_POINTER(state);
    }

    PG_FUNCTION_INFO_V1(median);
    Datum median(PG_FUNCTION_ARGS)
    {
        double result = 0;
        finish(py_median(*(int64_t *)PG_GETARG_POINTER(0), &result));
        PG_RETURN_FLOAT8(result);
    }
"""
).replace("    #include <varatt_or_not.h>\n", "")
EXTRA = """
    int is_interrupted(void);
    int try_number(const char *text, int32_t *result, char *error, size_t size);
"""
INIT = """
    import atexit
    import itertools
    import os
    import statistics
    import time
    from pypg import ffi, lib

    states = {}
    numbers = itertools.count(1)

    @ffi.def_extern()
    def py_words(text, length, result):
        result[0] = len(ffi.unpack(text, length).decode().split())
        return 1

    @ffi.def_extern()
    def py_larger(one, other, result):
        result[0] = max(one, other)
        return 1

    @ffi.def_extern()
    def py_pid(result):
        result[0] = os.getpid()
        return 1

    @ffi.def_extern()
    def py_number(text, result):
        number, error = ffi.new("int32_t *"), ffi.new("char[200]")
        if not lib.try_number(text, number, error, 200):
            raise ValueError(ffi.string(error).decode())
        result[0] = number[0]
        return 1

    @ffi.def_extern()
    def py_wait():
        while not lib.is_interrupted():
            time.sleep(0.002)
        raise InterruptedError

    @ffi.def_extern()
    def py_collect(state, value):
        if value < 0:
            raise ValueError(f"{value} of {len(states)} states")
        if state[0] == 0:
            state[0] = next(numbers)
            states[state[0]] = []
        states[state[0]].append(value)
        return 1

    @ffi.def_extern()
    def py_median(state, result):
        result[0] = statistics.median(states[state])
        return 1

    @ffi.def_extern()
    def py_forget(state):
        states.pop(state, None)
        return 1

    @ffi.def_extern()
    def py_difference(fcinfo):
        one, other = (fcinfo.args[i].value for i in range(fcinfo.nargs))
        return (one - other) % (1 << 8 * ffi.sizeof("Datum"))

    @atexit.register
    def end():
        print("python ends with", len(states), "states")
"""
SETUP = """
    CREATE FUNCTION words(text) RETURNS int8 AS '{library}' LANGUAGE C STRICT PARALLEL SAFE;
    CREATE FUNCTION larger(int8, int8) RETURNS int8 AS '{library}' LANGUAGE C STRICT PARALLEL SAFE;
    CREATE FUNCTION difference(int8, int8) RETURNS int8 AS '{library}', 'py_difference' LANGUAGE C STRICT;
    CREATE FUNCTION pid() RETURNS int8 AS '{library}' LANGUAGE C PARALLEL SAFE;
    CREATE FUNCTION number(text) RETURNS int8 AS '{library}' LANGUAGE C STRICT;
    CREATE FUNCTION waits() RETURNS void AS '{library}' LANGUAGE C;
    CREATE FUNCTION collect(internal, float8) RETURNS internal AS '{library}' LANGUAGE C;
    CREATE FUNCTION median(internal) RETURNS float8 AS '{library}' LANGUAGE C STRICT;
    CREATE AGGREGATE largest(int8) (SFUNC = larger, STYPE = int8, COMBINEFUNC = larger, PARALLEL = SAFE);
    CREATE AGGREGATE median_of(float8) (SFUNC = collect, STYPE = internal, FINALFUNC = median);
    CREATE TABLE t AS SELECT n::int8, 'a b ' || n AS line FROM generate_series(1, 4001) n;
"""


def privileges():
    """What a command has in front so that the server runs as another user than root, who may read what root may."""
    if os.geteuid() != 0:
        return [], None
    user = next(user for name in ("postgres", "nobody") for user in pwd.getpwall() if user.pw_name == name)
    capability = "+dac_override"
    options = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", f"--inh-caps={capability}", f"--ambient-caps={capability}"]
    return ["setpriv", *options], user


class Server:
    """A cluster of its own, under /tmp: the path of a socket must be short."""

    def __init__(self, directory, bindir):
        self.directory, self.bindir = directory, bindir
        self.prefix, user = privileges()
        if user is not None:
            os.chown(directory, user.pw_uid, user.pw_gid)
        self.environment = {**clean_environment(), "LC_ALL": "C", "PGAPPNAME": "test"}
        data = directory / "data"
        self.do("initdb", "-D", data, "-U", "owner", "-A", "trust", "--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C")
        settings = {
            "listen_addresses": "", "unix_socket_directories": directory, "fsync": "off", "max_connections": 10,
            "log_line_prefix": "", "shared_buffers": "2MB", "autovacuum": "off",
        }  # fmt: skip
        command = [*self.prefix, bindir / "postgres", "-D", data, *(f"-c{name}={value}" for name, value in settings.items())]
        self.log = directory / "log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(list(map(str, command)), cwd=directory, env=self.environment, stdout=output, stderr=output)
        end = time.monotonic() + 60
        while "ready to accept connections" not in self.log.read_text():
            assert self.process.poll() is None and time.monotonic() < end, self.log.read_text()
            time.sleep(0.01)

    def do(self, program, *arguments, text=None):
        command = [*self.prefix, self.bindir / program, *arguments]
        return subprocess.run(list(map(str, command)), cwd=self.directory, env=self.environment, input=text, capture_output=True, text=True, timeout=60, check=program == "initdb")

    def psql(self, *statements):
        """Standard output and standard error of one session."""
        ran = self.do("psql", *self.options(), text="".join(f"{statement};\n" for statement in statements))
        return ran.stdout, ran.stderr

    def options(self):
        return ["-X", "-q", "-A", "-t", "-v", "VERBOSITY=terse", "-h", self.directory, "-U", "owner", "postgres"]

    def session(self, statement):
        """A session that goes on."""
        command = [*self.prefix, self.bindir / "psql", *self.options(), "-c", statement]
        return subprocess.Popen(list(map(str, command)), cwd=self.directory, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@pytest.fixture(scope="module")
def server(plugin, run, tmp_path_factory):
    config = shutil.which("pg_config")
    told = run(config, "--bindir", "--includedir-server", normalise=False).stdout.splitlines() if config else []
    if not told or not os.path.exists(f"{told[0]}/postgres") or not os.path.exists(f"{told[1]}/postgres.h"):
        pytest.skip("no PostgreSQL with its headers here (Debian: postgresql, postgresql-server-dev-all)")
    extra = tmp_path_factory.mktemp("postgresql") / "extra.cdef"
    extra.write_text(EXTRA)
    built = plugin(CDEF, INIT, name="pypg", source=PRELUDE, args=["--cdef", extra, "-I", told[1]])
    directory = pathlib.Path(tempfile.mkdtemp(prefix="keelback-pg-", dir="/tmp"))
    try:
        server = Server(directory, pathlib.Path(told[0]))
        try:
            out, said = server.psql(SETUP.format(library=built.library))
            assert (out, said) == ("", ""), server.log.read_text()
            yield server
        finally:
            if server.process.poll() is None:
                server.stop()
    finally:
        shutil.rmtree(directory)


def test_a_scalar_function(server):
    assert server.psql("SELECT words('to be or not')", "SELECT words(NULL) IS NULL", "SELECT sum(words(line)) FROM t") == ("4\nt\n12003\n", "")


def test_a_function_of_the_servers_own_kind(server):
    assert server.psql("SELECT difference(44, 2), difference(1, 1::int8 << 40), difference(1, NULL) IS NULL") == ("42|-1099511627775|t\n", "")


def test_aggregates(server):
    assert server.psql(
        "SELECT median_of(n) FROM t",
        "SELECT n % 3, median_of(n) FROM t WHERE n < 10 GROUP BY 1 ORDER BY 1",
        "SELECT largest(n) FROM t",
    ) == ("2001\n0|6\n1|4\n2|5\n4001\n", "")


def test_an_exception_is_an_error(server):
    """The session goes on, and so does a transaction from its last savepoint."""
    out, said = server.psql(
        "SELECT median_of(CASE n WHEN 5 THEN -n ELSE n END) FROM t",
        "SELECT median_of(n) FROM t WHERE n < 4",
        "BEGIN", "SAVEPOINT s", "SELECT number('12x')", "ROLLBACK TO s", "SELECT number('12')", "COMMIT",
    )  # fmt: skip
    assert out == "2\n12\n"
    # The failed aggregate's state is dropped: it was the only one.
    assert said == 'ERROR:  ValueError: -5.0 of 1 states\nERROR:  ValueError: invalid input syntax for type integer: "12x"\n'


def test_a_statement_timeout(server):
    out, said = server.psql("SET statement_timeout = 50", "SELECT waits()", "SET statement_timeout = 0", "SELECT words('goes on')")
    assert (out, said) == ("2\n", "ERROR:  canceling statement due to statement timeout\n")


@pytest.mark.parametrize(
    "function, said",
    [
        ("pg_cancel_backend", "ERROR:  canceling statement due to user request\n"),
        ("pg_terminate_backend", "FATAL:  terminating connection due to administrator command\n"),
    ],
)
def test_another_session_cancels(server, function, said):
    session = server.session("SELECT waits()")
    end = time.monotonic() + 60
    while server.psql(f"SELECT {function}(pid) FROM pg_stat_activity WHERE query = 'SELECT waits()' AND state = 'active'") != ("t\n", ""):
        assert time.monotonic() < end and session.poll() is None
        time.sleep(0.02)
    out, came = session.communicate(timeout=60)
    assert out == "" and came.startswith(said)


def test_parallel_workers(server):
    """Each is a process with a Python of its own."""
    plan = [
        "SET parallel_setup_cost = 0", "SET parallel_tuple_cost = 0", "SET min_parallel_table_scan_size = 0",
        "SET max_parallel_workers_per_gather = 2", "SET parallel_leader_participation = off",
    ]  # fmt: skip
    out, said = server.psql(
        *plan,
        "SELECT words('start before the workers')",
        "EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) SELECT largest(n) FROM t",
        "SELECT largest(n) FROM t",
        # pg_backend_pid() would keep the query in the leader.
        "SELECT pg_backend_pid() NOT IN (least, greatest), words FROM (SELECT min(pid()) AS least, max(pid()) AS greatest, sum(words(line)) AS words FROM t OFFSET 0) s",
    )
    assert said == "" and "Workers Launched: 2" in out
    assert out.startswith("4\n") and out.endswith("\n4001\nt|12003\n")


def test_the_end(server):
    """The server stops, and Python's exit functions have run in every process that had one."""
    assert server.stop() == 0
    log = server.log.read_text()
    assert log.count("python ends with 0 states\n") >= 7 and "database system is shut down" in log
    assert "python ends with 1" not in log and "PANIC" not in log and "terminated by signal" not in log
    assert not list(server.directory.glob(".s.PGSQL*")) and not (server.directory / "data/postmaster.pid").exists()
