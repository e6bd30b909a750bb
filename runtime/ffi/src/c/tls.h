/* Thread-local storage that costs one addition where the loader allows it. */
#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))
/* glibc keeps room in the static TLS block for libraries that are opened later. */
#define FAST_TLS __attribute__((tls_model("initial-exec")))
#else
#define FAST_TLS
#endif
