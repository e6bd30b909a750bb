/* A runtime in name only: tells the versions that -D gives, as abi.rs lays them out, and does nothing. With -DNEEDS=...
 * it cannot be mapped, for it needs a function that is nowhere; its note can be read. */
#include <stdint.h>
#include <stddef.h>

const struct {
    uint32_t abi_version, python_version, free_threaded;
    const char *keelback_version;
    void *start, *dispatch, *last_error, *set_error_handler, *import, *fork, *record, *enter, *leave;
} keelback_runtime = {ABI, PYTHON, 0, "9.9.9", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};

#ifdef NEEDS
extern void NEEDS(void);
void (*const needed)(void) = NEEDS;

#ifndef OWNER_SIZE
#define OWNER_SIZE 9
#endif
const struct {
    uint32_t owner_size, contents_size, type;
    char owner[12];
    uint32_t abi_version, python_version, free_threaded;
    char keelback_version[32];
} note __attribute__((section(".note.keelback"), aligned(4))) = {
    OWNER_SIZE, 44, 1, "Keelback", ABI, PYTHON, 0, "9.9.9"};
#endif
