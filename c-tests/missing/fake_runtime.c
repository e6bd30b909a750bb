/* A runtime in name only: tells the versions that -D gives, as abi.rs lays them out, and does nothing. */
#include <stdint.h>
#include <stddef.h>

const struct {
    uint32_t abi_version, python_version, free_threaded;
    const char *keelback_version;
    void *start, *dispatch, *last_error, *set_error_handler, *import;
} keelback_runtime = {ABI, PYTHON, 0, "9.9.9", NULL, NULL, NULL, NULL, NULL};
