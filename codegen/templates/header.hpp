/* Made by keelback {{ keelback_version }}: {{ header }} for C++17 and later. Changes to this file are lost. */
#ifndef {{ guard }}
#define {{ guard }}

#if !defined(__cplusplus) || __cplusplus < 201703L
#error "{{ module_name }}.hpp is for C++17 and later; {{ header }} is for C and older C++"
#endif

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#if __cplusplus >= 202002L
#include <span>
#endif

#include "{{ header }}"

/* What is deprecated in C is so here; to say it once for each function would be too much. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#endif

/**
 * The functions of {{ header }}, under the same names, as C++ has them: what failed is thrown, strings are
 * std::string_view and, from C++20 on, arrays are std::span where a parameter for their length stands behind them.
 *
 *     {{ namespace }}::scope running;
 *     {{ namespace }}::FUNCTION(...);
 */
namespace {{ namespace }} {

/** A function, or the start, has failed. what() is the text of {{ lifecycle }}_last_error(). */
class error : public std::runtime_error {
public:
    error(const char *function, const char *text) : std::runtime_error(text), function_(function) {}

    /** The function that failed. */
    const char *function() const noexcept { return function_; }

private:
    const char *function_;
};

namespace detail {

/* What this thread's innermost call of a function below is, and whether it has failed. */
struct call {
    const char *function;
    call *outer;
    bool has_failed;
};

inline thread_local call *innermost = nullptr;
inline std::mutex mutex;
inline std::atomic<int> scopes{0};

inline const char *last_error() noexcept
{
    const char *text = ::{{ lifecycle }}_last_error();
    return text ? text : "it failed, and left no text";
}

/* Failures of calls that go past this header are told as they are without it. */
inline void on_failure(const char *function, const char *message, void *)
{
    if (innermost && std::strcmp(innermost->function, function) == 0)
        innermost->has_failed = true;
    else
        std::fprintf(stderr, "%s: %s\n", function, message);
}

class handling {
public:
    handling()
    {
        const std::lock_guard<std::mutex> lock(mutex);
        if (scopes++ == 0)
            ::{{ lifecycle }}_set_error_handler(&on_failure, nullptr);
    }
    ~handling()
    {
        const std::lock_guard<std::mutex> lock(mutex);
        if (--scopes == 0)
            ::{{ lifecycle }}_set_error_handler(nullptr, nullptr);
    }
    handling(const handling &) = delete;
    handling &operator=(const handling &) = delete;
};

class watch {
public:
    explicit watch(const char *function) : call_{function, innermost, false}
    {
        if (scopes.load(std::memory_order_relaxed) == 0)
            throw std::logic_error(std::string(function) + ": there is no {{ namespace }}::scope");
        innermost = &call_;
    }
    ~watch() { innermost = call_.outer; }
    watch(const watch &) = delete;
    watch &operator=(const watch &) = delete;

    void check() const
    {
        if (call_.has_failed)
            throw error(call_.function, last_error());
    }

private:
    call call_;
};

template <class Body> auto run(const char *function, Body body) -> decltype(body())
{
    watch watching(function);
    if constexpr (std::is_void_v<decltype(body())>) {
        body();
        watching.check();
    } else {
        auto result = body();
        watching.check();
        return result;
    }
}

/* A string for C, which ends at the first null character. */
inline std::string c_string(std::string_view text, const char *what)
{
    if (text.find('\0') != std::string_view::npos)
        throw std::invalid_argument(std::string(what) + " has a null character in it");
    return std::string(text);
}

template <class To> To length(std::size_t size, const char *what)
{
    if (size > static_cast<std::uintmax_t>((std::numeric_limits<To>::max)()))
        throw std::length_error(std::string(what) + " is longer than its length can say");
    return static_cast<To>(size);
}

inline void same_length(std::size_t one, std::size_t other, const char *what)
{
    if (one != other)
        throw std::invalid_argument(std::string(what) + " are not of one length");
}

} // namespace detail

/**
 * As long as it lives, this thread stays in Python between its calls ({{ lifecycle }}_enter() and {{ lifecycle }}_leave()): many
 * short calls are faster, and between them no other thread can use Python. Throws {{ namespace }}::error if that fails. To be
 * destroyed on the thread that made it, in the reverse order of several.
 */
class burst {
public:
    burst()
    {
        if (::{{ lifecycle }}_enter() != 0)
            throw error("{{ lifecycle }}_enter", detail::last_error());
    }
    ~burst() { ::{{ lifecycle }}_leave(); }
    burst(const burst &) = delete;
    burst &operator=(const burst &) = delete;
};

/**
 * Starts Python, if the process has none, and runs the library's Python code; throws {{ namespace }}::error if that fails.
 *
 * The functions below need one that is alive, on whatever thread. There may be several. While there is one, the library's
 * error handler is this header's: do not set another. Python stays when the last one goes: it is never finalised.
 */
class scope {
public:
    scope()
    {
        if (::{{ lifecycle }}_start() != 0)
            throw error("{{ lifecycle }}_start", detail::last_error());
    }
    scope(const scope &) = delete;
    scope &operator=(const scope &) = delete;

private:
    detail::handling handling_;
};
{%- for function in functions %}
{%- for form in function.forms %}
{% if form.needs_span %}
#if __cplusplus >= 202002L
{%- endif %}
inline {{ form.declaration }}
{
{%- for line in form.before %}
    {{ line }}
{%- endfor %}
    return detail::run("{{ function.name }}", [&] { return ::{{ function.name }}({{ form.arguments }}); });
}
{%- if form.needs_span %}
#endif
{%- endif %}
{%- endfor %}
{%- endfor %}
{%- if left_out %}

/* Not here, for their types are none of standard C++ or have names that this header has: {{ left_out }}. */
{%- endif %}

} // namespace {{ namespace }}

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#endif /* {{ guard }} */
