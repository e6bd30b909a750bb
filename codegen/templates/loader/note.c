
/* -- The note in a runtime's file -- */

/* Reads the note of the runtime at `path`, which cannot be mapped: 0 when it has none. */
static KEELBACK_COLD int keelback_read_note(const char *path, keelback_note_t *note);

#ifdef __linux__
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
    keelback_image_t image;
    keelback_segment_t segment;
    unsigned int i;
    int found = 0;
    if (!keelback_open_image(&image, path))
        return 0;
    for (i = 0; !found && keelback_read_segment(&image, i, &segment); i++) {
        size_t size = (size_t)segment.size < sizeof notes ? (size_t)segment.size : sizeof notes;
        found = segment.type == KEELBACK_PT_NOTE && keelback_read_from(&image, (size_t)segment.offset, notes, size)
                && keelback_note_among(notes, size, note);
    }
    keelback_close(image.file);
    return found;
}
#else
static KEELBACK_COLD int keelback_read_note(const char *path, keelback_note_t *note)
{
    (void)path;
    (void)note;
    return 0;
}
#endif
