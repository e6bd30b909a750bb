
/* -- The note in a runtime's file -- */

/* Reads the note of the runtime at `path`, which cannot be mapped: 0 when it has none. */
static KEELBACK_COLD int keelback_read_note(const char *path, keelback_note_t *note);

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

/* Fills `to` from `offset` on. Reads up to there, because the types of lseek depend on the C library. */
static KEELBACK_COLD int keelback_read_from(const char *path, size_t offset, void *to, size_t size)
{
    char piece[4096];
    size_t position = 0, filled = 0;
    int file = keelback_open(path, KEELBACK_O_CLOEXEC);
    if (file < 0)
        return 0;
    while (filled < size) {
        ptrdiff_t length = keelback_read(file, piece, sizeof piece);
        size_t from = offset + filled - position, count;
        if (length <= 0)
            break;
        position += (size_t)length;
        if (from >= (size_t)length)
            continue;
        count = (size_t)length - from < size - filled ? (size_t)length - from : size - filled;
        __builtin_memcpy((char *)to + filled, piece + from, count);
        filled += count;
    }
    keelback_close(file);
    return filled == size;
}

/* Finds our note in a note segment. A note is the sizes of owner and contents, the type, the owner, the contents. */
static KEELBACK_COLD int keelback_note_among(const char *notes, size_t size, keelback_note_t *note)
{
    static const char owner[] = "Keelback";
    uint32_t header[3];
    while (size >= sizeof header) {
        size_t owner_size, contents_size;
        __builtin_memcpy(header, notes, sizeof header);
        owner_size = ((size_t)header[0] + 3) & ~(size_t)3;
        contents_size = ((size_t)header[1] + 3) & ~(size_t)3;
        notes += sizeof header;
        size -= sizeof header;
        if (owner_size > size || contents_size > size - owner_size)
            return 0;
        if (header[0] == sizeof owner && __builtin_memcmp(notes, owner, sizeof owner) == 0
            && header[2] == KEELBACK_NOTE_RUNTIME && contents_size >= sizeof *note) {
            __builtin_memcpy(note, notes + owner_size, sizeof *note);
            note->keelback_version[sizeof note->keelback_version - 1] = '\0';
            return 1;
        }
        notes += owner_size + contents_size;
        size -= owner_size + contents_size;
    }
    return 0;
}

static KEELBACK_COLD int keelback_read_note(const char *path, keelback_note_t *note)
{
    char notes[1024];
    keelback_elf_t file;
    keelback_segment_t segment;
    uint16_t i;
    if (!keelback_read_from(path, 0, &file, sizeof file) || __builtin_memcmp(file.ident, "\177ELF", 4) != 0
        || file.ident[4] != (sizeof(void *) == 8 ? 2 : 1))
        return 0;
    for (i = 0; i < file.segment_count && i < 100; i++) {
        size_t size;
        if (!keelback_read_from(path, (size_t)file.segments + (size_t)i * file.segment_size, &segment, sizeof segment))
            return 0;
        size = (size_t)segment.size < sizeof notes ? (size_t)segment.size : sizeof notes;
        /* 4: PT_NOTE */
        if (segment.type == 4 && keelback_read_from(path, (size_t)segment.offset, notes, size)
            && keelback_note_among(notes, size, note))
            return 1;
    }
    return 0;
}
#else
static KEELBACK_COLD int keelback_read_note(const char *path, keelback_note_t *note)
{
    (void)path;
    (void)note;
    return 0;
}
#endif
