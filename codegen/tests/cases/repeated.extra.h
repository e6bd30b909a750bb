#pragma pack(push, 8)
struct not_needed { char c; int i; };
#pragma pack(pop)
#pragma pack(push, 1)
struct not_needed_either { char c; int i; };
struct tight_extra { char c; int i; } __attribute__((no_such_one));
#pragma pack(pop)
__pragma(pack(2))
struct open_extra { char c; double d; };
#pragma pack(4)
