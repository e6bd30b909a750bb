static const __int128 LOWEST = -((__int128)1 << 100);
struct wide { __int128 x; unsigned __int128 bits : 77; };
__int128 both(__int128 a, unsigned __int128 *b);
struct wide by_value(struct wide w, __int128 (*f)(int));
