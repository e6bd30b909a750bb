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
    python/tests/test_cffi_inner_modules.py
    python/tests/test_closed_libraries.py
    python/tests/test_ctype.py
    python/tests/test_interpreter_end.py
    python/tests/test_leaks.py
    python/tests/test_lib.py
    python/tests/test_memory_safety.py
    python/tests/test_threads.py
    python/tests/test_views_of_buffers.py
)

for part in "${not_quick[@]}" "${central[@]}"; do
    [ -e "$part" ] || { echo "error: tools/tiers.sh names $part, which is not there" >&2; exit 1; }
done
