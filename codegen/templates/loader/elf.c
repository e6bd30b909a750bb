
/* -- What the headers of a library's file say -- */

/* 0, and the reason in `why`, when a part of the library at `path` is missing, as after a copy that was broken off. Mapping it
 * would work; the first access behind its end ends the process with SIGBUS, mostly within dlopen. */
static KEELBACK_COLD int keelback_is_whole(const char *path, const char *origin, keelback_text_t *why);

#ifdef __linux__
/* The beginnings of ELF's file header and program header, for files of this process's own kind. */
#if UINTPTR_MAX > 0xffffffffu
typedef struct keelback_elf_t {
    unsigned char ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, segments, sections;
    uint32_t flags;
    uint16_t size, segment_size, segment_count;
} keelback_elf_t;
typedef struct keelback_segment_t {
    uint32_t type, flags;
    uint64_t offset, address, physical, size;
} keelback_segment_t;
#else
typedef struct keelback_elf_t {
    unsigned char ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint32_t entry, segments, sections;
    uint32_t flags;
    uint16_t size, segment_size, segment_count;
} keelback_elf_t;
typedef struct keelback_segment_t {
    uint32_t type;
    uint32_t offset, address, physical, size;
} keelback_segment_t;
#endif

#define KEELBACK_PT_LOAD 1
#define KEELBACK_PT_NOTE 4

/* An open library. Its beginning is read at once: as a rule all of its headers are there. */
typedef struct keelback_image_t {
    int file;
    keelback_elf_t header;
    size_t start_length;
    char start[4096];
} keelback_image_t;

/* lseek, to `offset` from the file's beginning or (end: 1) its end; -1 when it cannot. Where a long has not all of a file's
 * offset, what lseek takes depends on the C library, and lseek64 is asked for. */
static KEELBACK_COLD int64_t keelback_seek(int file, size_t offset, int end)
{
#if UINTPTR_MAX > 0xffffffffu
    extern long keelback_lseek(int file, long offset, int from) KEELBACK_LIBC("lseek");
    return keelback_lseek(file, (long)offset, end ? 2 : 0);
#else
    void *address = keelback_dlsym(KEELBACK_RTLD_DEFAULT, "lseek64");
    int64_t (*seek)(int file, int64_t offset, int from);
    __builtin_memcpy((void *)&seek, (const void *)&address, sizeof address);
    return address == NULL ? -1 : seek(file, (int64_t)offset, end ? 2 : 0);
#endif
}

/* Fills `to` from `offset` on: 0 where the file has less. */
static KEELBACK_COLD int keelback_read_from(const keelback_image_t *image, size_t offset, void *to, size_t size)
{
    size_t filled = 0;
    if (offset <= image->start_length && size <= image->start_length - offset) {
        __builtin_memcpy(to, image->start + offset, size);
        return 1;
    }
    if (keelback_seek(image->file, offset, 0) < 0)
        return 0;
    while (filled < size) {
        ptrdiff_t length = keelback_read(image->file, (char *)to + filled, size - filled);
        if (length <= 0)
            return 0;
        filled += (size_t)length;
    }
    return 1;
}

/* Opens the library at `path`; 0 when it cannot, or when it is no ELF file of this process's kind. */
static KEELBACK_COLD int keelback_open_image(keelback_image_t *image, const char *path)
{
    ptrdiff_t length;
    image->file = keelback_open(path, KEELBACK_O_CLOEXEC);
    if (image->file < 0)
        return 0;
    length = keelback_read(image->file, image->start, sizeof image->start);
    image->start_length = length > 0 ? (size_t)length : 0;
    if (image->start_length >= sizeof image->header) {
        __builtin_memcpy(&image->header, image->start, sizeof image->header);
        if (__builtin_memcmp(image->header.ident, "\177ELF", 4) == 0
            && image->header.ident[4] == (sizeof(void *) == 8 ? 2 : 1))
            return 1;
    }
    keelback_close(image->file);
    return 0;
}

/* Reads the program header of this number: 0 when there is none (or when there are more than any library has). */
static KEELBACK_COLD int keelback_read_segment(const keelback_image_t *image, unsigned int number,
                                               keelback_segment_t *segment)
{
    return number < image->header.segment_count && number < 100
           && keelback_read_from(image, (size_t)image->header.segments + (size_t)number * image->header.segment_size,
                                 segment, sizeof *segment);
}

static KEELBACK_COLD int keelback_is_whole(const char *path, const char *origin, keelback_text_t *why)
{
    keelback_image_t image;
    keelback_segment_t segment;
    uint64_t promised;
    int64_t size;
    unsigned int i;
    /* The dynamic linker looks for what has no slash itself, and says what is wrong with the file of another kind. */
    if (keelback_strrchr(path, '/') == NULL || !keelback_open_image(&image, path))
        return 1;
    promised = (uint64_t)image.header.segments + (uint64_t)image.header.segment_count * image.header.segment_size;
    for (i = 0; keelback_read_segment(&image, i, &segment); i++)
        if (segment.type == KEELBACK_PT_LOAD && (uint64_t)segment.offset + segment.size > promised)
            promised = (uint64_t)segment.offset + segment.size;
    size = keelback_seek(image.file, 0, 1);
    keelback_close(image.file);
    if (size < 0 || (uint64_t)size >= promised)
        return 1;
    keelback_add(why,
                 "  %s%s%s: the file is cut off: it has %lu bytes, and its headers promise %lu. Copy or install it anew.\n",
                 origin, *origin == '\0' ? "" : ": ", path, (unsigned long)size, (unsigned long)promised);
    return 0;
}
#else
static KEELBACK_COLD int keelback_is_whole(const char *path, const char *origin, keelback_text_t *why)
{
    (void)path;
    (void)origin;
    (void)why;
    return 1;
}
#endif
