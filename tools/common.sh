# Shared by the scripts in tools/: finds what the project needs, and names what is missing. Sourced, not run.

say() { printf '\n== %s\n' "$*"; }

# need COMMAND DEBIAN_PACKAGE WHY: the command must be there.
need() { want command "$@"; }

# need_header HEADER DEBIAN_PACKAGE WHY: the C compiler must find the header.
need_header() { want header "$@"; }

# need_file PATTERN DEBIAN_PACKAGE WHY: a file of this name (a shell pattern) must be there.
need_file() { want file "$@"; }

# need_library SONAME DEBIAN_PACKAGE WHY: the dynamic loader must know the library.
need_library() { want library "$@"; }

has_command() { command -v "$1" >/dev/null 2>&1; }
has_header() { echo "#include <$1>" | cc -fsyntax-only -x c - >/dev/null 2>&1; }
has_file() { compgen -G "$1" >/dev/null; }
has_library() { [ ! -x /sbin/ldconfig ] || /sbin/ldconfig -p | grep -F "$1" >/dev/null; }

# What was not found: for each, its kind, name, package and reason.
wanted=()
want() { "has_$1" "$2" || wanted+=("$@"); }

# install_needed: what `need` and the like did not find is installed, where apt-get can do it, all at once: one after the
# other takes minutes. Ends the script with one line for each thing that is missing still.
install_needed() {
    local status=0 packages=() each
    for ((each = 0; each < ${#wanted[@]}; each += 4)); do
        packages+=("${wanted[each + 2]}")
    done
    if [ "${#packages[@]}" -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing ${packages[*]}"
        apt-get install -y -q "${packages[@]}" >/dev/null 2>&1 ||
            { apt-get update -q >/dev/null && apt-get install -y -q "${packages[@]}" >/dev/null 2>&1; } ||
            # If one package is not available, install the others one by one.
            for each in "${packages[@]}"; do apt-get install -y -q "$each" >/dev/null || true; done
    fi
    for ((each = 0; each < ${#wanted[@]}; each += 4)); do
        "has_${wanted[each]}" "${wanted[each + 1]}" && continue
        echo "error: the ${wanted[each]} ${wanted[each + 1]} is missing (${wanted[each + 3]}). On Debian or Ubuntu: apt-get install ${wanted[each + 2]}" >&2
        status=1
    done
    wanted=()
    [ "$status" = 0 ] || exit 1
}

# unpack_header HEADER DEBIAN_PACKAGE: a header that the C compiler does not find, and whose package cannot be installed beside
# what is there, is unpacked into the cache folder; KEELBACK_TEST_INCLUDE_DIRS gets its folders. Fails where there is no such
# package to be had.
unpack_header() {
    has_header "$1" && return
    local cache="${XDG_CACHE_HOME:-$HOME/.cache}/keelback/headers/$2" deb
    if [ ! -d "$cache/usr/include" ]; then
        command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 || return 1
        rm -rf "$cache" && mkdir -p "$cache" || return 1
        # apt-get downloads into the current folder, as the unprivileged user that it switches to.
        (cd "$cache" && apt-get download -q "$2" >/dev/null 2>&1) || return 1
        for deb in "$cache"/*.deb; do dpkg-deb -x "$deb" "$cache" && rm "$deb" || return 1; done
    fi
    for deb in "$cache"/usr/include "$cache"/usr/include/*-linux-gnu*; do
        [ ! -d "$deb" ] || KEELBACK_TEST_INCLUDE_DIRS="${KEELBACK_TEST_INCLUDE_DIRS:+$KEELBACK_TEST_INCLUDE_DIRS:}$deb"
    done
    export KEELBACK_TEST_INCLUDE_DIRS
}

# The Python that everything is built for: $PYTHON, else python3. Its real executable, not a version manager's shim.
find_python() {
    need "${PYTHON:-python3}" python3 "the Python that plugins embed"
    install_needed
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
