class Foo { int x; };
namespace bar { int f(void); }
int ref(int &x);
std::string name;
template <typename T> T max(T a, T b);
