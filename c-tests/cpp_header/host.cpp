#include "vec.hpp"

#include <cstdio>
#include <thread>
#include <vector>

template <class Exception, class Body> void expect(Body body)
{
    try {
        body();
        std::puts("nothing thrown");
    } catch (const Exception &caught) {
        const std::string text = caught.what();
        std::printf("%s\n", text.substr(0, text.find('\n')).c_str());
    }
}

int main()
{
    expect<std::logic_error>([] { vec::parse("1"); });
    {
        const vec::scope running;
        const vec::scope once_more;
        const std::string text = "42";
        std::printf("%d %d %d\n", vec::parse("41"), vec::parse(text), vec::parse(std::string_view("438", 2)));
        expect<vec::error>([] { vec::parse("x"); });
        try {
            vec::parse(std::string("y"));
        } catch (const vec::error &caught) {
            std::printf("%s failed\n", caught.function());
        }
        expect<std::invalid_argument>([] { vec::parse(std::string_view("1\0002", 3)); });
        std::printf("%d\n", vec::parse("7"));
        std::thread([] { expect<vec::error>([] { vec::parse("z"); }); }).join();
        /* What fails inside of a call that goes well is not that call's failure, and is told as ever. */
        std::printf("%d\n", vec::lenient("inner"));
        /* Past the header. */
        std::printf("%d\n", ::parse("past"));
#if __cplusplus >= 202002L
        const std::vector<double> a{1, 2, 3};
        std::vector<double> b{4, 5, 6};
        std::printf("%g\n", vec::dot(a, b));
        vec::fill(b, 0.5);
        std::printf("%g\n", b[2]);
        b.pop_back();
        expect<std::invalid_argument>([&] { vec::dot(a, b); });
        b.resize(40000);
        expect<std::length_error>([&] { vec::fill(b, 1); });
#endif
    }
    expect<std::logic_error>([] { vec::parse("1"); });
    std::printf("%d\n", ::parse("after"));
}
