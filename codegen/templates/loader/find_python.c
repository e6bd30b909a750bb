
/* -- Which Python -- */

/* Takes home, executable and bundle from `with`, if its libpython is the one that was found. */
static KEELBACK_COLD int keelback_claim(keelback_found_t *found, const keelback_python_t *with)
{
    if (!keelback_same_file(found->python.libpython, with->libpython))
        return 0;
    found->python.home = with->home;
    found->python.executable = with->executable;
    found->python.bundle = with->bundle;
    return 1;
}

/* Finds Python, in the order that docs/architecture.md gives. An interpreter that the process has comes before
 * KEELBACK_PYTHON all the same: two cannot share the global scope. */
static KEELBACK_COLD int keelback_find_python(keelback_found_t *found, const char *directory, keelback_text_t *why)
{
    keelback_python_t wished = {NULL, NULL, NULL, NULL}, bundled = {NULL, NULL, NULL, NULL};
    keelback_python_t recorded = {keelback_recorded()->libpython, keelback_recorded()->home,
                                  keelback_recorded()->executable, NULL};
    keelback_needs_t needs;
    const char *wish = keelback_getenv("KEELBACK_PYTHON");
    int resolved = wish != NULL && keelback_resolve_wish(wish, &wished, why);
    needs.text[0] = '\0';
    bundled.bundle = bundled.home = keelback_bundle(directory);
    if (bundled.bundle != NULL) {
        keelback_read_needs(bundled.bundle, &needs);
        bundled.libpython = keelback_bundled_libpython(bundled.bundle, &needs);
    }
    if (keelback_find_present(found)) {
        if (keelback_telling)
            keelback_add(why, "  this process: has a Python already\n");
        /* The libpython may be one that another plugin, or an earlier attempt, has loaded for these paths. */
        if (!keelback_claim(found, &wished) && !keelback_claim(found, &bundled))
            keelback_claim(found, &recorded);
        return 1;
    }
    if (keelback_global() == 0) {
        keelback_add(why,
                     "  the plugin was opened with dlmopen(), in a namespace of its own: the runtime and Python's extension "
                     "modules find libpython there only if the plugin is linked to it. Open it with dlopen(), or build it "
                     "with LDFLAGS='-Wl,--no-as-needed -lpython%s'.\n",
                     keelback_recorded()->version);
        return 0;
    }
    if (keelback_telling)
        keelback_add(why, "  this process: has no Python (a host that has one keeps it)\n");
    /* If KEELBACK_PYTHON cannot be used, that is an error: no other Python is tried. */
    if (wish != NULL)
        return resolved && keelback_open_libpython(found, wished.libpython, "KEELBACK_PYTHON", why)
               && (keelback_claim(found, &wished), 1);
    keelback_add(why, "  KEELBACK_PYTHON: not set\n");
    /* Neither: whoever put it there wants no other. */
    if (bundled.libpython != NULL && !keelback_can_use(bundled.bundle, &needs, why))
        return 0;
    if (bundled.libpython != NULL
        && keelback_open_libpython(found, bundled.libpython, "the bundle", why)) {
        keelback_claim(found, &bundled);
        return 1;
    }
    if (keelback_telling && bundled.libpython == NULL)
        keelback_add(why,
                     bundled.bundle != NULL ? "  the bundle: %s has no libpython\n"
                                            : "  the bundle: none beside the library, in %s\n",
                     bundled.bundle != NULL ? bundled.bundle : directory == NULL ? "." : directory);
    if (keelback_telling && recorded.libpython == NULL)
        keelback_add(why, "  recorded at build time: nothing\n");
    if (recorded.libpython != NULL
        && keelback_open_libpython(found, recorded.libpython, "recorded at build time", why)) {
        keelback_claim(found, &recorded);
        return 1;
    }
    return keelback_open_libpython(found, keelback_recorded()->library_name, "the system's libraries", why);
}
