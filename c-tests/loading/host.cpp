// A C++ host, linked to the plugin: overloads, threads and destructors around the calls.
#include <cstdio>
#include <string>
#include <thread>

#include "loading.h"

namespace {
struct AtExit {
    ~AtExit() { std::printf("static destructor: %d\n", add(20, 3)); std::fflush(stdout); }
} at_exit;

template <typename Function> int apply(Function function, int a, int b) { return function(a, b); }
}

int main()
{
    int from_thread = 0;
    std::thread([&] { from_thread = add(1, 2); }).join();
    std::printf("thread: %d\n", from_thread);
    std::printf("template: %d\n", apply(add, 40, 2));
    std::printf("string: %zu\n", std::string(extensions()).find("math"));
    std::fflush(stdout);
}
