int missing_semicolon(int x)
int fine(int);
unsinged int typo(void);
strcut point { int x; };
int unclosed(int a, ;
struct body { int a; nosuch b; int c; char d };
typedef int;
int;
const x;
int array[;
int twice int;
int f(int,);
int bad_initialiser(int x) { return x; }
"stray";
int @;
} int after_brace;
extern "Rust" int g(void);
int unfinished(
