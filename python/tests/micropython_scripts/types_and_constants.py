# The types and constants.
import uctypes as u

for name in ("VOID UINT8 INT8 UINT16 INT16 UINT32 INT32 UINT64 INT64 BFUINT8 BFINT8 BFUINT16 BFINT16 BFUINT32 BFINT32 "
             "BF_POS BF_LEN FLOAT32 FLOAT64 SHORT USHORT INT UINT LONG ULONG LONGLONG ULONGLONG PTR ARRAY NATIVE "
             "LITTLE_ENDIAN BIG_ENDIAN").split():
    print(name, getattr(u, name))
for name in ("UINT8 INT8 UINT16 INT16 UINT32 INT32 UINT64 INT64 FLOAT32 FLOAT64 SHORT USHORT INT UINT LONG ULONG LONGLONG "
             "ULONGLONG VOID").split():
    print(name, u.sizeof({"x": getattr(u, name) | 0}))
try:
    u.UINT128
except AttributeError:
    print("AttributeError")
