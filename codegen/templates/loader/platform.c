/* ---- The loader: finds Python and the Keelback runtime at the first call ----
 *
 * It includes no header of the C library, and declares the few functions that it takes from there under names of its
 * own. So no name of the C library gets in the way of the API's or the prelude's names, the prelude chooses its
 * feature macros itself, and the file compiles in half the time.
 */
#if defined(__linux__) && !defined(__mips__) && !defined(__alpha__) && !defined(__hppa__)
#define KEELBACK_LIBC(name) __asm__(name)
#define KEELBACK_ERRNO "__errno_location"
#define KEELBACK_GETENV "secure_getenv"
#define KEELBACK_RTLD_LAZY 0x1
#define KEELBACK_RTLD_NOW 0x2
#define KEELBACK_RTLD_NOLOAD 0x4
#define KEELBACK_RTLD_GLOBAL 0x100
#define KEELBACK_RTLD_DEFAULT NULL
#define KEELBACK_O_CLOEXEC 02000000
#define KEELBACK_AT_FDCWD (-100)
#define KEELBACK_AT_EACCESS 0x200
#define KEELBACK_F_DUPFD_CLOEXEC 1030
#elif defined(__APPLE__)
#define KEELBACK_LIBC(name) __asm__("_" name)
#define KEELBACK_ERRNO "__error"
#define KEELBACK_GETENV "getenv"
#define KEELBACK_RTLD_LAZY 0x1
#define KEELBACK_RTLD_NOW 0x2
#define KEELBACK_RTLD_NOLOAD 0x10
#define KEELBACK_RTLD_GLOBAL 0x8
#define KEELBACK_RTLD_DEFAULT ((void *)-2)
#define KEELBACK_O_CLOEXEC 0x1000000
#define KEELBACK_AT_FDCWD (-2)
#define KEELBACK_AT_EACCESS 0x10
#define KEELBACK_F_DUPFD_CLOEXEC 67
#else
#error "keelback: no loader for this platform yet (there is one for Linux and for macOS)"
#endif

#if defined(__x86_64__)
#define KEELBACK_ARCH "x86_64"
#elif defined(__aarch64__)
#define KEELBACK_ARCH "aarch64"
#elif defined(__i386__)
#define KEELBACK_ARCH "i386"
#elif defined(__riscv)
#define KEELBACK_ARCH "riscv64"
#elif defined(__powerpc64__)
#define KEELBACK_ARCH "powerpc64le"
#elif defined(__s390x__)
#define KEELBACK_ARCH "s390x"
#else
#define KEELBACK_ARCH "unknown"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The loader runs once: optimising it would only double the time that a plugin takes to compile. */
#if defined(__clang__)
#pragma clang optimize off
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC optimize("O0")
#endif

typedef struct keelback_dl_info_t {
    const char *file;
    void *base;
    const char *symbol;
    void *address;
} keelback_dl_info_t;

extern void *keelback_dlopen(const char *file, int mode) KEELBACK_LIBC("dlopen");
extern void *keelback_dlsym(void *handle, const char *name) KEELBACK_LIBC("dlsym");
extern char *keelback_dlerror(void) KEELBACK_LIBC("dlerror");
extern int keelback_dlclose(void *handle) KEELBACK_LIBC("dlclose");
extern int keelback_dladdr(const void *address, keelback_dl_info_t *info) KEELBACK_LIBC("dladdr");
extern char *keelback_libc_getenv(const char *name) KEELBACK_LIBC(KEELBACK_GETENV);
extern int *keelback_errno_location(void) KEELBACK_LIBC(KEELBACK_ERRNO);
extern char *keelback_libc_strerror(int error) KEELBACK_LIBC("strerror");
extern int keelback_faccessat(int directory, const char *path, int mode, int flags) KEELBACK_LIBC("faccessat");
extern char *keelback_libc_realpath(const char *path, char *resolved) KEELBACK_LIBC("realpath");
extern int keelback_open(const char *path, int flags, ...) KEELBACK_LIBC("open");
extern ptrdiff_t keelback_read(int file, void *to, size_t size) KEELBACK_LIBC("read");
extern ptrdiff_t keelback_write(int file, const void *from, size_t size) KEELBACK_LIBC("write");
extern int keelback_close(int file) KEELBACK_LIBC("close");
extern int keelback_usleep(unsigned int microseconds) KEELBACK_LIBC("usleep");
extern int keelback_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
    KEELBACK_LIBC("pthread_atfork");
extern void *keelback_realloc(void *memory, size_t size) KEELBACK_LIBC("realloc");
extern void keelback_free(void *memory) KEELBACK_LIBC("free");
extern char *keelback_strstr(const char *text, const char *part) KEELBACK_LIBC("strstr");
extern char *keelback_strrchr(const char *text, int character) KEELBACK_LIBC("strrchr");
extern int keelback_vsnprintf(char *to, size_t size, const char *format, __builtin_va_list arguments)
    KEELBACK_LIBC("vsnprintf");
