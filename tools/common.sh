# Shared by tools/demo and tools/test: finding what the project needs, naming what is missing.
# Sourced, not run.

say() { printf '\n== %s\n' "$*"; }

# need COMMAND DEBIAN_PACKAGE WHY: the command must be there. Where apt-get can install it, it does.
need() {
    command -v "$1" >/dev/null 2>&1 && return 0
    if [ -n "$2" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing $2 ($3)"
        apt-get install -y -q "$2" >/dev/null 2>&1 || { apt-get update -q >/dev/null && apt-get install -y -q "$2" >/dev/null; }
        command -v "$1" >/dev/null 2>&1 && return 0
    fi
    if [ -n "$2" ]; then
        echo "error: '$1' is missing ($3). On Debian or Ubuntu: apt-get install $2" >&2
    else
        echo "error: '$1' is missing ($3)." >&2
    fi
    exit 1
}

# need_header HEADER DEBIAN_PACKAGE WHY: the C compiler must find the header.
need_header() {
    echo "#include <$1>" | cc -fsyntax-only -x c - >/dev/null 2>&1 && return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing $2 ($3)"
        apt-get install -y -q "$2" >/dev/null 2>&1 || { apt-get update -q >/dev/null && apt-get install -y -q "$2" >/dev/null; }
        echo "#include <$1>" | cc -fsyntax-only -x c - >/dev/null 2>&1 && return 0
    fi
    echo "error: the C header <$1> is missing ($3). On Debian or Ubuntu: apt-get install $2" >&2
    exit 1
}

# need_file PATTERN DEBIAN_PACKAGE WHY: a file of this name (a shell pattern) must be there.
need_file() {
    compgen -G "$1" >/dev/null && return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing $2 ($3)"
        apt-get install -y -q "$2" >/dev/null 2>&1 || { apt-get update -q >/dev/null && apt-get install -y -q "$2" >/dev/null; }
        compgen -G "$1" >/dev/null && return 0
    fi
    echo "error: $1 is missing ($3). On Debian or Ubuntu: apt-get install $2" >&2
    exit 1
}

# need_library SONAME DEBIAN_PACKAGE WHY: the dynamic loader must know the library.
need_library() {
    local ldconfig=/sbin/ldconfig
    [ -x "$ldconfig" ] || return 0
    "$ldconfig" -p | grep -F "$1" >/dev/null && return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing $2 ($3)"
        apt-get install -y -q "$2" >/dev/null 2>&1 || { apt-get update -q >/dev/null && apt-get install -y -q "$2" >/dev/null; }
        "$ldconfig" -p | grep -F "$1" >/dev/null && return 0
    fi
    echo "error: the library $1 is missing ($3). On Debian or Ubuntu: apt-get install $2" >&2
    exit 1
}

# The Python that everything is built for: $PYTHON, else python3. Its real executable, not a version manager's shim.
find_python() {
    need "${PYTHON:-python3}" python3 "the Python that plugins embed"
    PYTHON=$("${PYTHON:-python3}" -c 'import sys; print(sys.executable)')
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
        echo "error: $PYTHON is older than Python 3.10; name a newer one: PYTHON=/path/to/python3 $0" >&2
        exit 1
    }
    export PYTHON PYO3_PYTHON="$PYTHON"
}

# The Rust tool chain, from wherever rustup put it.
find_cargo() {
    command -v cargo >/dev/null 2>&1 || PATH="$HOME/.cargo/bin:$PATH"
    command -v cargo >/dev/null 2>&1 || {
        echo "error: cargo is missing. Install Rust with rustup (https://rustup.rs) or, on Debian, apt-get install rustup" >&2
        exit 1
    }
}
