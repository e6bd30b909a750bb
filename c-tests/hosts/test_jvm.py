"""A JNI library: native methods of Java classes, in Python."""

import os
import pathlib
import shutil
import signal
import zlib

import pytest
from harness import Ran, text_of

TYPES = """
    typedef unsigned char jboolean;
    typedef unsigned short jchar;
    typedef signed char jbyte;
    typedef int jint;
    typedef long jlong;
    typedef double jdouble;
    typedef jint jsize;
    typedef struct _jobject *jobject;
    typedef jobject jclass, jstring, jthrowable, jarray, jobjectArray, jbyteArray, jintArray, jdoubleArray;
    typedef struct _jmethodID *jmethodID;
    typedef union { jint i; jobject l; ...; } jvalue;
    typedef const struct JNINativeInterface_ *JNIEnv;
    typedef const struct JNIInvokeInterface_ *JavaVM;
"""
METHODS = """
    jlong Java_Py_gcd(JNIEnv *env, jclass class_, jlong a, jlong b);
    jint Java_Py_crc(JNIEnv *env, jclass class_, jbyteArray data);
    jstring Java_Py_title(JNIEnv *env, jclass class_, jstring text);
    jobjectArray Java_Py_find(JNIEnv *env, jclass class_, jstring pattern, jstring text);
    jintArray Java_Py_sorted(JNIEnv *env, jclass class_, jintArray numbers);
    jdouble Java_Py_median(JNIEnv *env, jclass class_, jdoubleArray numbers);
    jint Java_Py_apply(JNIEnv *env, jclass class_, jobject function, jint value);
    jint Java_Py_retry(JNIEnv *env, jclass class_, jobject function, jint value);
    void Java_Py_callFromThread(JNIEnv *env, jclass class_, jobject function, jint count);
    void Java_Py_runForEver(JNIEnv *env, jclass class_);
    void Java_Py_say(JNIEnv *env, jclass class_, jstring text);
"""
# What fails in Python becomes a Java exception here: the handler runs on the thread of the failure, before the native
# method returns. An exception that Java itself has thrown, in a method that Python called, goes on as it is.
PRELUDE = """
    #include <jni.h>
    #include <stdio.h>
    #include <string.h>

    int pyjni_start(void);
    const char *pyjni_last_error(void);
    void pyjni_set_error_handler(void (*handler)(const char *, const char *, void *), void *data);

    static JavaVM *java_vm;
    static jclass python_error;

    static void throw_error(const char *function, const char *message, void *data)
    {
        JNIEnv *env;
        char line[400];
        (void)function, (void)data;
        if ((*java_vm)->GetEnv(java_vm, (void **)&env, JNI_VERSION_1_8) != JNI_OK || (*env)->ExceptionCheck(env))
            return;
        snprintf(line, sizeof line, "%.*s", (int)strcspn(message, "\\n"), message);
        (*env)->ThrowNew(env, python_error, line);
    }

    JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved)
    {
        JNIEnv *env;
        jclass found;
        (void)reserved;
        if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_1_8) != JNI_OK)
            return JNI_ERR;
        found = (*env)->FindClass(env, "PythonError");
        if (found == NULL)
            return JNI_ERR;
        java_vm = vm;
        python_error = (*env)->NewGlobalRef(env, found);
        pyjni_set_error_handler(throw_error, NULL);
        if (pyjni_start() != 0)
            (*env)->ThrowNew(env, (*env)->FindClass(env, "java/lang/UnsatisfiedLinkError"), pyjni_last_error());
        return JNI_VERSION_1_8;
    }
"""
EXTRA = """
    struct JNINativeInterface_ {
        jclass (*FindClass)(JNIEnv *env, const char *name);
        jboolean (*ExceptionCheck)(JNIEnv *env);
        void (*ExceptionClear)(JNIEnv *env);
        jobject (*NewGlobalRef)(JNIEnv *env, jobject object);
        void (*DeleteGlobalRef)(JNIEnv *env, jobject object);
        void (*DeleteLocalRef)(JNIEnv *env, jobject object);
        jclass (*GetObjectClass)(JNIEnv *env, jobject object);
        jmethodID (*GetMethodID)(JNIEnv *env, jclass class_, const char *name, const char *signature);
        jint (*CallIntMethodA)(JNIEnv *env, jobject object, jmethodID method, const jvalue *arguments);
        jstring (*NewString)(JNIEnv *env, const jchar *text, jsize length);
        jsize (*GetStringLength)(JNIEnv *env, jstring text);
        void (*GetStringRegion)(JNIEnv *env, jstring text, jsize start, jsize length, jchar *place);
        jsize (*GetArrayLength)(JNIEnv *env, jarray array);
        jobjectArray (*NewObjectArray)(JNIEnv *env, jsize length, jclass class_, jobject first);
        void (*SetObjectArrayElement)(JNIEnv *env, jobjectArray array, jsize index, jobject value);
        void (*GetByteArrayRegion)(JNIEnv *env, jbyteArray array, jsize start, jsize length, jbyte *place);
        void (*GetIntArrayRegion)(JNIEnv *env, jintArray array, jsize start, jsize length, jint *place);
        void (*GetDoubleArrayRegion)(JNIEnv *env, jdoubleArray array, jsize start, jsize length, jdouble *place);
        jintArray (*NewIntArray)(JNIEnv *env, jsize length);
        void (*SetIntArrayRegion)(JNIEnv *env, jintArray array, jsize start, jsize length, const jint *values);
        ...;
    };
    struct JNIInvokeInterface_ {
        jint (*AttachCurrentThread)(JavaVM *vm, void **env, void *args);
        jint (*DetachCurrentThread)(JavaVM *vm);
        ...;
    };
    static JavaVM *const java_vm;
"""
INIT = """
    import atexit
    import math
    import re
    import statistics
    import threading
    import zlib
    from pyjni import ffi, lib

    class JavaError(Exception):
        # An exception of Java, which is pending: whoever catches this calls ExceptionClear.
        pass

    def check(env):
        if env[0].ExceptionCheck(env):
            raise JavaError

    def text_of(env, string):
        if not string:
            raise TypeError("a String, not null")
        length = env[0].GetStringLength(env, string)
        units = ffi.new("jchar[]", length)
        env[0].GetStringRegion(env, string, 0, length, units)
        return ffi.buffer(units)[:].decode("utf-16-le", "surrogatepass")

    def string(env, text):
        data = text.encode("utf-16-le", "surrogatepass")
        return env[0].NewString(env, ffi.from_buffer("jchar[]", data), len(data) // 2)

    def array_of(env, array, type):
        items = ffi.new(f"j{type.lower()}[]", env[0].GetArrayLength(env, array))
        getattr(env[0], f"Get{type}ArrayRegion")(env, array, 0, len(items), items)
        return items

    def call(env, function, value):
        # An IntUnaryOperator.
        class_ = env[0].GetObjectClass(env, function)
        method = env[0].GetMethodID(env, class_, b"applyAsInt", b"(I)I")
        env[0].DeleteLocalRef(env, class_)
        check(env)
        result = env[0].CallIntMethodA(env, function, method, [{"i": value}])
        check(env)
        return result

    # -- the native methods --

    @ffi.def_extern()
    def Java_Py_gcd(env, class_, a, b):
        return math.gcd(a, b)

    @ffi.def_extern()
    def Java_Py_crc(env, class_, data):
        return ffi.cast("jint", zlib.crc32(ffi.buffer(array_of(env, data, "Byte"))))

    @ffi.def_extern()
    def Java_Py_title(env, class_, text):
        return string(env, text_of(env, text).title())

    @ffi.def_extern()
    def Java_Py_find(env, class_, pattern, text):
        found = re.findall(text_of(env, pattern), text_of(env, text))
        strings = env[0].NewObjectArray(env, len(found), env[0].FindClass(env, b"java/lang/String"), ffi.NULL)
        for i, item in enumerate(found):
            item = string(env, item)
            env[0].SetObjectArrayElement(env, strings, i, item)
            env[0].DeleteLocalRef(env, item)
        return strings

    @ffi.def_extern()
    def Java_Py_sorted(env, class_, numbers):
        numbers = sorted(array_of(env, numbers, "Int"))
        result = env[0].NewIntArray(env, len(numbers))
        env[0].SetIntArrayRegion(env, result, 0, len(numbers), numbers)
        return result

    @ffi.def_extern()
    def Java_Py_median(env, class_, numbers):
        return statistics.median(array_of(env, numbers, "Double"))

    @ffi.def_extern()
    def Java_Py_apply(env, class_, function, value):
        return call(env, function, value)

    @ffi.def_extern()
    def Java_Py_retry(env, class_, function, value):
        for _ in range(3):
            try:
                return call(env, function, value)
            except JavaError:
                env[0].ExceptionClear(env)
        raise TimeoutError("three times in vain")

    @ffi.def_extern()
    def Java_Py_callFromThread(env, class_, function, count):
        function = env[0].NewGlobalRef(env, function)

        def run():
            place = ffi.new("JNIEnv **")
            assert lib.java_vm[0].AttachCurrentThread(lib.java_vm, ffi.cast("void **", place), ffi.NULL) == 0
            env = place[0]
            for i in range(count):
                call(env, function, i)
            env[0].DeleteGlobalRef(env, function)
            lib.java_vm[0].DetachCurrentThread(lib.java_vm)
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()

    @ffi.def_extern()
    def Java_Py_runForEver(env, class_):
        threading.Thread(target=lambda: [sum(range(1000)) for _ in iter(int, 1)], daemon=True).start()

    @ffi.def_extern()
    def Java_Py_say(env, class_, text):
        print("Python:", text_of(env, text))

    atexit.register(print, "Python: atexit")
"""
CLASSES = """
    import java.util.function.IntUnaryOperator;

    class PythonError extends RuntimeException {
        PythonError(String message) { super(message); }
    }

    class Py {
        static native long gcd(long a, long b);
        static native int crc(byte[] data);
        static native String title(String text);
        static native String[] find(String pattern, String text);
        static native int[] sorted(int[] numbers);
        static native double median(double[] numbers);
        static native int apply(IntUnaryOperator function, int value);
        static native int retry(IntUnaryOperator function, int value);
        static native void callFromThread(IntUnaryOperator function, int count);
        static native void runForEver();
        static native void say(String text);

        static void load() { System.loadLibrary("pyjni"); }
    }
"""
# On one line, so that main()'s own lines count from 1.
BEFORE_MAIN = "import java.util.function.IntUnaryOperator; class Main { public static void main(String[] args) throws Throwable {"


@pytest.fixture(scope="module")
def java(plugin, run, tmp_path_factory):
    """java(main, *options, args=[...], env={...}): runs the statements of a main(), with the class Py."""
    javac = shutil.which("javac")
    if javac is None or shutil.which("java") is None:
        pytest.skip("no java, or no javac, here (Debian: openjdk-17-jdk-headless)")
    headers = pathlib.Path(os.path.realpath(javac)).parent.parent / "include"
    includes = [f"-I{headers}", f"-I{headers / 'linux'}"]
    if run("cc", "-fsyntax-only", *includes, "-include", "jni.h", "-xc", "/dev/null").code != 0:
        pytest.skip("no header jni.h of Java here (Debian: openjdk-17-jdk-headless)")
    place = run.__self__.directory
    (place / "jni.cdef").write_text(EXTRA)
    built = plugin(TYPES + METHODS, INIT, name="pyjni", source=PRELUDE, args=["--cdef", place / "jni.cdef", *includes])
    variables = {"JAVA_TOOL_OPTIONS": None, "_JAVA_OPTIONS": None, "JDK_JAVA_OPTIONS": None}
    compiled = {}

    def java(main, *options, args=(), env=None):
        if main not in compiled:
            compiled[main] = directory = tmp_path_factory.mktemp("java")
            (directory / "Py.java").write_text(text_of(CLASSES))
            (directory / "Main.java").write_text(f"{BEFORE_MAIN}{main}}}}}\n")
            command = ["javac", "-J-XX:TieredStopAtLevel=1", "-encoding", "UTF-8", "Py.java", "Main.java"]
            assert run(*command, cwd=directory, env=variables) == Ran()
        # What newer JVMs warn of otherwise.
        options = ["--enable-native-access=ALL-UNNAMED", f"-Djava.library.path={built.directory}", *options]
        return run("java", "-Xmx200m", "-XX:-CreateCoredumpOnCrash", *options, "Main", *args, cwd=compiled[main],
                   env={**variables, **(env or {})})

    return java


@pytest.mark.parametrize("options", [(), ("-Xcheck:jni",), ("-Xint",)], ids=["default", "checked", "interpreted"])
def test_values(java, options):
    """With -Xcheck:jni the JVM watches how JNI is used, and its signal handlers; it would tell on stdout."""
    assert java(r"""
        Py.load();
        System.out.println(Py.gcd(1L << 40, 3L << 38));
        System.out.println(Py.crc("hello".getBytes()));
        System.out.println(Py.title("ärger mit \uD83D\uDE00 \uD800\0x").equals("Ärger Mit \uD83D\uDE00 \uD800\0X"));
        System.out.println(String.join(" ", Py.find("\\w+@\\w+", "a@b, c@d")));
        System.out.println(java.util.Arrays.toString(Py.sorted(new int[] { 3, -1, 2 })));
        System.out.println(Py.median(new double[] { 3, 1, 2, 10 }));
        System.out.println(Py.apply(x -> x + 1, 41));
        // A thread of Python calls Java.
        int[] sum = new int[1];
        Py.callFromThread(x -> sum[0] += x, 1000);
        System.out.println(sum[0]);
        for (int i = 0; i < 20000; i++) sum[0] += Py.gcd(i, 0);
        System.out.println(sum[0]);
    """, *options) == Ran(
        f"{1 << 38}\n{zlib.crc32(b'hello')}\ntrue\na@b c@d\n[-1, 2, 3]\n2.5\n42\n499500\n200489500\nPython: atexit\n")


def test_exceptions(java):
    """What Python raises, Java catches. What Java throws goes through Python, or is caught there."""
    assert java(r"""
        Py.load();
        try {
            Py.title(null);
        } catch (PythonError error) {
            System.out.println(error.getMessage() + " in " + error.getStackTrace()[0]);
        }
        RuntimeException own = new RuntimeException("from Java");
        try {
            Py.apply(x -> { throw own; }, 1);
        } catch (RuntimeException error) {
            System.out.println(error == own);
        }
        int[] calls = new int[1];
        System.out.println(Py.retry(x -> { if (++calls[0] < 3) throw own; return x; }, 5));
        for (int i = 0; i < 2000; i++)
            try {
                Py.retry(x -> { calls[0]++; throw own; }, 5);
            } catch (PythonError error) {
                if (i == 0) System.out.println(error);
            }
        System.out.println(calls[0]);
        Py.median(new double[0]);
    """) == Ran(
        "TypeError: a String, not null in Py.title(Native Method)\n"
        "true\n"
        "5\n"
        "PythonError: TimeoutError: three times in vain\n"
        "6003\n"
        "Python: atexit\n",
        'Exception in thread "main" PythonError: statistics.StatisticsError: no median for empty data\n'
        "\tat Py.median(Native Method)\n"
        "\tat Main.main(Main.java:23)\n",
        1,
    )


def test_threads(java):
    """Threads that stay, and thousands that make one call each; garbage is collected meanwhile."""
    assert java(r"""
        Py.load();
        var sum = new java.util.concurrent.atomic.AtomicLong();
        var threads = new java.util.ArrayList<Thread>();
        for (int n = 0; n < 16; n++)
            threads.add(new Thread(() -> {
                for (int i = 1; i <= 1000; i++)
                    sum.addAndGet(Py.sorted(new int[] { i, 0, i + 1 })[1] + Py.title("word " + i).length() - ("" + i).length());
            }));
        for (Thread thread : threads) thread.start();
        System.gc();
        for (Thread thread : threads) thread.join();
        System.out.println(sum);
        for (int n = 0; n < 5000; n += 20) {
            threads.clear();
            for (int i = n; i < n + 20; i++) {
                int number = i;
                threads.add(new Thread(() -> sum.addAndGet(Py.gcd(number, 0))));
            }
            for (Thread thread : threads) thread.start();
            for (Thread thread : threads) thread.join();
        }
        System.out.println(sum);
    """) == Ran(f"{16 * (500500 + 5000)}\n{16 * (500500 + 5000) + 4999 * 2500}\nPython: atexit\n")


def test_recursion(java):
    """Java, Python, Java...: on large stacks Python says that it is too deep, on small ones Java does. Either error goes
    all the way up, through both languages, and leaves them working. 136 KiB is the smallest stack that the JVM makes."""
    assert java(r"""
        Py.load();
        for (long size : new long[] { 64 << 20, 4 << 20, 512 << 10, 256 << 10, 136 << 10 }) {
            Thread thread = new Thread(null, () -> {
                int[] depth = new int[1];
                IntUnaryOperator[] again = new IntUnaryOperator[1];
                again[0] = x -> Py.apply(again[0], depth[0] = x + 1);
                try {
                    Py.apply(again[0], 0);
                } catch (PythonError | StackOverflowError error) {
                    System.out.println(error.toString().split(" depth ")[0] + " " + (depth[0] > 5));
                }
                System.out.println(Py.gcd(6, 4));
            }, "deep", size);
            thread.start();
            thread.join();
        }
    """) == Ran(
        "PythonError: RecursionError: maximum recursion true\n2\n" * 2
        + "java.lang.StackOverflowError true\n2\n" * 3
        + "Python: atexit\n"
    )


def test_signal_handlers(java):
    """Every handler of the JVM stays: it uses signals for null checks, stack overflows and safepoints."""
    assert java(r"""
        class Handlers {
            static String now() throws Exception {
                return java.nio.file.Files.readString(java.nio.file.Path.of("/proc/self/status")).replaceAll(
                    "(?s).*(SigBlk.*SigCgt:\\s*\\w+).*", "$1");
            }
            static int length(String text) { return text.length(); }
            static int deep(int n) { return deep(n + 1) + 1; }
        }
        String before = Handlers.now();
        Py.load();
        Py.runForEver();
        System.out.println(before.equals(Handlers.now()) + " " + before.startsWith("SigBlk"));
        int sum = 0;
        for (int i = 0; i < 100; i++) sum += Handlers.length(Py.title("x"));
        // Often enough to be compiled, which makes the null check one by SIGSEGV.
        for (int i = 0; i < 100000; i++) sum += Handlers.length("y");
        try { Handlers.length(null); } catch (NullPointerException error) { System.out.println(sum); }
        try { Handlers.deep(0); } catch (StackOverflowError error) { System.out.println(Py.gcd(6, 4)); }
        for (int i = 0; i < 3; i++) System.gc();
    """) == Ran("true true\n100100\n2\nPython: atexit\n")


ENDS = r"""
    Py.load();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> Py.say("hook " + Py.gcd(6, 4))));
    for (int i = 0; i < 2; i++) {
        System.out.println("Java: " + i);
        Py.say("" + i);
    }
    Py.say("before the end");
    switch (args[0]) {
    case "falls off": break;
    case "falls off, busy": Py.runForEver(); break;
    case "exit": System.exit(3);
    case "exit, busy": Py.runForEver(); System.exit(4);
    case "exit in a callback": Py.apply(x -> { System.exit(5); return x; }, 1);
    case "exit, calling": new Thread(() -> System.exit(6)).start(); for (;;) Py.gcd(6, 4);
    case "exit in a thread of Python": Py.callFromThread(x -> { System.exit(7); return x; }, 1);
    case "halt": Runtime.getRuntime().halt(8);
    default: new ProcessBuilder("kill", "-" + args[0], "" + ProcessHandle.current().pid()).start(); for (;;) Py.gcd(6, 4);
    }
"""


@pytest.mark.parametrize(
    "end, code",
    [
        ("falls off", 0),
        ("falls off, busy", 0),
        ("exit", 3),
        ("exit, busy", 4),
        ("exit in a callback", 5),
        ("exit, calling", 6),
        ("exit in a thread of Python", 7),
        ("halt", 8),
        ("TERM", 128 + signal.SIGTERM),
        ("INT", 128 + signal.SIGINT),
    ],
)
def test_output_and_end(java, end, code):
    """What both languages print comes in order. Java's shutdown hooks may call Python; Python's atexit functions come
    behind them. SIGTERM and SIGINT do with the JVM what they always do: hooks, then the status."""
    # halt() leaves out the hooks, but calls C's exit().
    hook = "" if end == "halt" else "Python: hook 2\n"
    assert java(ENDS, args=[end]) == Ran(
        "Java: 0\nPython: 0\nJava: 1\nPython: 1\nPython: before the end\n" + hook + "Python: atexit\n", "", code)


def test_without_python(java):
    """loadLibrary() throws, and says why."""
    ran = java("Py.load();", env={"KEELBACK_PYTHON": "/nonexistent/python3"})
    assert (ran.stdout, ran.code) == ("", 1)
    assert ran.stderr.startswith(
        'Exception in thread "main" java.lang.UnsatisfiedLinkError: pyjni: no libpython could be loaded, so Python cannot be '
        "started. Tried:\n  KEELBACK_PYTHON: there is no file '/nonexistent/python3'\n"
    )
