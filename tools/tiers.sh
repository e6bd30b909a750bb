# Which tests are in which tier of tools/test. Sourced, not run. What a tier leaves out runs in the next one.

# What `tools/test quick` leaves out: what takes long, or needs other programs than Python, a compiler and make.
not_quick=(
    c-tests/bundle
    c-tests/hosts
    c-tests/memory
    c-tests/packaging
    c-tests/sanitizers
    python/tests/test_build_systems.py
    python/tests/test_by_value.py
    python/tests/test_every_type_against_cffi.py
    python/tests/test_headers_of_libraries.py
    python/tests/test_leaks.py
    python/tests/test_module_stubs.py
    python/tests/test_packages.py
    python/tests/test_plugin_stubs.py
    python/tests/test_released_things.py
    python/tests/test_valgrind.py
)

# What `tools/test` runs with every other Python: the parts where versions of Python differ.
central=(
    c-tests/errors/test_errors.py
    c-tests/interpreter
    c-tests/loading
    c-tests/process/test_end.py
    c-tests/process/test_restart.py
    c-tests/threads/test_starts.py
    c-tests/threads/test_threads.py
    c-tests/values
    python/tests/test_api_mode.py
    python/tests/test_attributes_of_instances.py
    python/tests/test_callbacks.py
    python/tests/test_calls.py
    python/tests/test_cdata_access.py
    python/tests/test_cdata_lifetime.py
    python/tests/test_cdata_numbers.py
    python/tests/test_closed_libraries.py
    python/tests/test_ctype.py
    python/tests/test_interpreter_end.py
    python/tests/test_lib.py
    python/tests/test_memory_safety.py
    python/tests/test_threads.py
    python/tests/test_views_of_buffers.py
)

# What `tools/pythons test --central` runs with 3.14 and 3.15 beside that: the machine's own Pythons have no venv with a newer
# setuptools, and their standard libraries are bundled in c-tests/bundle.
newest=(
    c-tests/bundle/test_bundle.py::test_everything_comes_from_the_bundle
    c-tests/bundle/test_bundle.py::test_modules_from_the_archive_are_like_those_from_files
    c-tests/bundle/test_bundle.py::test_the_folder_works_where_it_was_moved
    python/tests/test_module_stubs.py::test_the_command_line_writes_the_same
    python/tests/test_module_stubs.py::test_the_good_client_runs
    python/tests/test_names_of_modules.py
)

# left_out TIER: prints what that tier has not, one line for each, for the end of its summary.
left_out() {
    if [ "$1" = quick ]; then
        printf 'left out, in tools/test: %s\n' "${not_quick[*]}" \
            "the release build with its instruction counts, the wheel, docs, fuzzing, CFFI's own tests, other Pythons"
    fi
    printf 'left out, in tools/test all: %s\n' \
        "all tests with every other Python, leaks and CFFI's inner modules among them (tools/test: a central part)" \
        "free-threaded 3.13t, AArch64" \
        "the optimised wheel of every Python with its manylinux tag (tools/test: an unoptimised one of one Python)" \
        "compiling for free-threaded 3.14 (tools/test: 3.15)" \
        "published wheels that CFFI compiled, modules that CFFI compiled in CFFI's own tests, old releases of CFFI" \
        "that tools/bench works" \
        "a minute of fuzzing for each target (tools/test: 10 seconds)"
}

for part in "${not_quick[@]}" "${central[@]}" "${newest[@]%%::*}"; do
    [ -e "$part" ] || { echo "error: tools/tiers.sh names $part, which is not there" >&2; exit 1; }
done
