/* A host's own malloc: what it gave has a header in front, so memory of another allocator's cannot be given back to it, nor
 * the other way round. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

extern void *__libc_malloc(size_t size);
extern void __libc_free(void *memory);

#define HEADER 64
#define MAGIC 0x6b65656c6261636bu

typedef struct { size_t size; void *block; uint64_t magic; } header_t;

static void *aligned(size_t alignment, size_t size)
{
    char *block = __libc_malloc(size + alignment + HEADER), *memory;
    header_t header = {size, block, MAGIC};
    if (block == NULL)
        return NULL;
    memory = (char *)(((uintptr_t)block + HEADER + alignment - 1) / alignment * alignment);
    memcpy(memory - sizeof header, &header, sizeof header);
    return memory;
}

static header_t header_of(void *memory)
{
    header_t header;
    memcpy(&header, (char *)memory - sizeof header, sizeof header);
    if (header.magic != MAGIC)
        __builtin_trap();
    return header;
}

void *malloc(size_t size) { return aligned(16, size); }

void free(void *memory)
{
    if (memory != NULL)
        __libc_free(header_of(memory).block);
}

void *calloc(size_t count, size_t size)
{
    void *memory = malloc(count * size);
    return memory == NULL ? NULL : memset(memory, 0, count * size);
}

void *realloc(void *old, size_t size)
{
    void *memory = malloc(size);
    if (memory != NULL && old != NULL) {
        size_t before = header_of(old).size;
        memcpy(memory, old, before < size ? before : size);
        free(old);
    }
    return memory;
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = aligned(alignment < 16 ? 16 : alignment, size);
    return *memory == NULL ? ENOMEM : 0;
}

void *aligned_alloc(size_t alignment, size_t size) { return aligned(alignment < 16 ? 16 : alignment, size); }
void *memalign(size_t alignment, size_t size) { return aligned(alignment < 16 ? 16 : alignment, size); }
size_t malloc_usable_size(void *memory) { return memory == NULL ? 0 : header_of(memory).size; }
