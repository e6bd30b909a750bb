"""A PKCS#11 module, in pkcs11-tool: a token whose keys, digests and signatures are Python's."""

import hashlib
import json
import re
import shutil

import pytest
from harness import Ran

TYPES = """
    typedef unsigned char CK_BYTE;
    typedef unsigned long CK_ULONG, CK_RV, CK_FLAGS, CK_SLOT_ID, CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_MECHANISM_TYPE;
    typedef CK_RV (*CK_NOTIFY)(CK_SESSION_HANDLE session, CK_ULONG event, void *application);
    typedef struct { CK_BYTE major, minor; } CK_VERSION;
    typedef struct {
        CK_VERSION cryptokiVersion;
        CK_BYTE manufacturerID[32], libraryDescription[32];
        CK_VERSION libraryVersion;
        ...;
    } CK_INFO;
    typedef struct {
        CK_BYTE slotDescription[64], manufacturerID[32];
        CK_FLAGS flags;
        CK_VERSION hardwareVersion, firmwareVersion;
    } CK_SLOT_INFO;
    typedef struct {
        CK_BYTE label[32], manufacturerID[32], model[16], serialNumber[16];
        CK_FLAGS flags;
        CK_ULONG ulMinPinLen, ulMaxPinLen;
        CK_VERSION hardwareVersion, firmwareVersion;
        ...;
    } CK_TOKEN_INFO;
    typedef struct { CK_SLOT_ID slotID; CK_ULONG state; CK_FLAGS flags; ...; } CK_SESSION_INFO;
    typedef struct { CK_ULONG type; void *pValue; CK_ULONG ulValueLen; } CK_ATTRIBUTE;
    typedef struct { CK_MECHANISM_TYPE mechanism; ...; } CK_MECHANISM;
    typedef struct { CK_ULONG ulMinKeySize, ulMaxKeySize; CK_FLAGS flags; } CK_MECHANISM_INFO;
    typedef struct _CK_FUNCTION_LIST CK_FUNCTION_LIST;
"""
FUNCTIONS = """
    CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);
    CK_RV C_Initialize(void *args);
    CK_RV C_Finalize(void *reserved);
    CK_RV C_GetInfo(CK_INFO *info);
    CK_RV C_GetSlotList(CK_BYTE token_present, CK_SLOT_ID *slots, CK_ULONG *count);
    CK_RV C_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO *info);
    CK_RV C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info);
    CK_RV C_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE *types, CK_ULONG *count);
    CK_RV C_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info);
    CK_RV C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify, CK_SESSION_HANDLE *session);
    CK_RV C_CloseSession(CK_SESSION_HANDLE session);
    CK_RV C_CloseAllSessions(CK_SLOT_ID slot);
    CK_RV C_GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO *info);
    CK_RV C_Login(CK_SESSION_HANDLE session, CK_ULONG user, CK_BYTE *pin, CK_ULONG length);
    CK_RV C_Logout(CK_SESSION_HANDLE session);
    CK_RV C_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE *wanted, CK_ULONG count);
    CK_RV C_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG room, CK_ULONG *count);
    CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE session);
    CK_RV C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *wanted, CK_ULONG count);
    CK_RV C_DigestInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism);
    CK_RV C_Digest(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length, CK_BYTE *digest, CK_ULONG *room);
    CK_RV C_DigestUpdate(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG length);
    CK_RV C_DigestFinal(CK_SESSION_HANDLE session, CK_BYTE *digest, CK_ULONG *room);
    CK_RV C_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);
    CK_RV C_Sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length, CK_BYTE *signature, CK_ULONG *room);
    CK_RV C_SignUpdate(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG length);
    CK_RV C_SignFinal(CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG *room);
    CK_RV C_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length);
"""
NAMES = re.findall(r"CK_RV (\w+)\(", FUNCTIONS)
# The standard has a list of 68 functions, and each must be there. Python sets those that it has.
PRELUDE = """
    #include <p11-kit/pkcs11.h>

    static CK_RV not_supported(void) { return CKR_FUNCTION_NOT_SUPPORTED; }

    static CK_FUNCTION_LIST *empty_list(void)
    {
        static CK_FUNCTION_LIST list;
        void **function = (void **)&list.C_Initialize;
        while (function <= (void **)&list.C_WaitForSlotEvent)
            *function++ = (void *)not_supported;
        return &list;
    }
"""
EXTRA = (
    "struct _CK_FUNCTION_LIST { CK_VERSION version;" + re.sub(r"CK_RV (\w+)\(", r"CK_RV (*\1)(", FUNCTIONS) + "...; };"
    "CK_FUNCTION_LIST *empty_list(void);"
)
INIT = """
    import hashlib
    import json
    import os
    from pytoken import ffi, lib

    class Refused(Exception):
        pass

    functions = lib.empty_list()
    functions.version = (2, 40)

    def exported(function):
        # What C gets: CKR_OK, the CKR_ value of a Refused, or CKR_GENERAL_ERROR (and a traceback) for all else.
        def call(*args):
            try:
                function(*args)
            except Refused as refused:
                return refused.args[0]
            return lib.CKR_OK
        ffi.def_extern(function.__name__, error=lib.CKR_GENERAL_ERROR)(call)
        setattr(functions, function.__name__, getattr(lib, function.__name__))
        return function

    def padded(field, text):
        # Texts in PKCS#11 end in spaces, not in a NUL.
        ffi.buffer(field)[:] = text.encode().ljust(len(field))

    def give(data, place, room):
        size, room[0] = room[0], len(data)
        if place:
            if size < len(data):
                raise Refused(lib.CKR_BUFFER_TOO_SMALL)
            ffi.memmove(place, data, len(data))

    def give_items(items, place, count):
        size, count[0] = count[0], len(items)
        if place:
            if size < len(items):
                raise Refused(lib.CKR_BUFFER_TOO_SMALL)
            place[0:len(items)] = items

    # -- the token --

    def ulong(value):
        return bytes(ffi.buffer(ffi.new("CK_ULONG *", value)))

    def large(value):
        return value.to_bytes((value.bit_length() + 7) // 8, "big")

    YES, NO = b"\\1", b"\\0"
    # What a key may not do, or is not, unless it says so.
    NOTHING = dict.fromkeys([
        lib.CKA_ENCRYPT, lib.CKA_DECRYPT, lib.CKA_WRAP, lib.CKA_UNWRAP, lib.CKA_DERIVE, lib.CKA_LOCAL, lib.CKA_EXTRACTABLE,
        lib.CKA_ALWAYS_SENSITIVE, lib.CKA_ALWAYS_AUTHENTICATE], NO)

    class Key:
        def __init__(self, id, label, p, q):
            self.p, self.q, self.n, self.e = p, q, p * q, 65537
            self.id, self.label = bytes([id]), label.encode()

        def object(self, kind):
            return {
                **NOTHING, lib.CKA_CLASS: ulong(kind), lib.CKA_KEY_TYPE: ulong(lib.CKK_RSA), lib.CKA_ID: self.id,
                lib.CKA_LABEL: self.label, lib.CKA_MODULUS: large(self.n), lib.CKA_PUBLIC_EXPONENT: large(self.e),
                lib.CKA_MODULUS_BITS: ulong(self.n.bit_length()),
            }

        def public(self):
            return {**self.object(lib.CKO_PUBLIC_KEY), lib.CKA_VERIFY: YES}

        def private(self):
            return {**self.object(lib.CKO_PRIVATE_KEY), lib.CKA_SIGN: YES, lib.CKA_SENSITIVE: YES, lib.CKA_NEVER_EXTRACTABLE: YES}

        def sign(self, digest):
            # RSASSA-PKCS1-v1_5 (RFC 8017, 8.2.1): the DigestInfo of SHA-256, padded, to the private exponent.
            info = bytes.fromhex("3031300d060960864801650304020105000420") + digest
            size = (self.n.bit_length() + 7) // 8
            padded = b"\\0\\1" + b"\\xff" * (size - 3 - len(info)) + b"\\0" + info
            d = pow(self.e, -1, (self.p - 1) * (self.q - 1))
            return pow(int.from_bytes(padded, "big"), d, self.n).to_bytes(size, "big")

    class Token:
        def __init__(self, file):
            with open(file) as opened:
                stored = json.load(opened)
            self.label, self.pin = stored["label"], bytes.fromhex(stored["pin"])
            self.keys = [Key(**key) for key in stored["keys"]]
            self.objects = [object for key in self.keys for object in (key.public(), key.private())]
            self.logged_in, self.process = False, os.getpid()

    class Session:
        found, digest, signer = (), None, None

    SLOT = 7
    MECHANISMS = {
        lib.CKM_SHA256: (0, 0, lib.CKF_DIGEST), lib.CKM_SHA512: (0, 0, lib.CKF_DIGEST),
        lib.CKM_SHA256_RSA_PKCS: (1024, 4096, lib.CKF_SIGN),
    }
    HASHES = {lib.CKM_SHA256: "sha256", lib.CKM_SHA512: "sha512"}
    token, sessions = None, {}

    def session_of(handle):
        if handle not in sessions:
            raise Refused(lib.CKR_SESSION_HANDLE_INVALID)
        return sessions[handle]

    # -- its functions --

    @exported
    def C_GetFunctionList(list):
        list[0] = functions

    @exported
    def C_Initialize(args):
        global token
        if token is not None and token.process == os.getpid():
            raise Refused(lib.CKR_CRYPTOKI_ALREADY_INITIALIZED)
        token = Token(os.environ["PYTOKEN"])

    @exported
    def C_Finalize(reserved):
        global token
        token = None
        sessions.clear()

    @exported
    def C_GetInfo(info):
        info.cryptokiVersion = (2, 40)
        padded(info.manufacturerID, "Tests")
        padded(info.libraryDescription, "A token in Python")
        info.libraryVersion = (0, 1)

    @exported
    def C_GetSlotList(token_present, slots, count):
        give_items([SLOT], slots, count)

    @exported
    def C_GetSlotInfo(slot, info):
        padded(info.slotDescription, "Python")
        padded(info.manufacturerID, "Tests")
        info.flags = lib.CKF_TOKEN_PRESENT
        info.hardwareVersion = info.firmwareVersion = (1, 0)

    @exported
    def C_GetTokenInfo(slot, info):
        padded(info.label, token.label)
        padded(info.manufacturerID, "Tests")
        padded(info.model, "hashlib")
        padded(info.serialNumber, "4711")
        info.flags = lib.CKF_RNG | lib.CKF_LOGIN_REQUIRED | lib.CKF_USER_PIN_INITIALIZED | lib.CKF_TOKEN_INITIALIZED
        info.ulMinPinLen, info.ulMaxPinLen = 4, 16
        info.hardwareVersion, info.firmwareVersion = (1, 0), (2, 5)

    @exported
    def C_GetMechanismList(slot, types, count):
        give_items(list(MECHANISMS), types, count)

    @exported
    def C_GetMechanismInfo(slot, type, info):
        if type not in MECHANISMS:
            raise Refused(lib.CKR_MECHANISM_INVALID)
        info[0] = MECHANISMS[type]

    @exported
    def C_OpenSession(slot, flags, application, notify, session):
        session[0] = max(sessions, default=0) + 1
        sessions[session[0]] = Session()

    @exported
    def C_CloseSession(session):
        session_of(session)
        del sessions[session]

    @exported
    def C_CloseAllSessions(slot):
        sessions.clear()

    @exported
    def C_GetSessionInfo(session, info):
        session_of(session)
        info.slotID, info.flags = SLOT, lib.CKF_SERIAL_SESSION
        info.state = lib.CKS_RO_USER_FUNCTIONS if token.logged_in else lib.CKS_RO_PUBLIC_SESSION

    @exported
    def C_Login(session, user, pin, length):
        session_of(session)
        if hashlib.sha256(ffi.buffer(pin, length)).digest() != token.pin:
            raise Refused(lib.CKR_PIN_INCORRECT)
        token.logged_in = True

    @exported
    def C_Logout(session):
        session_of(session)
        token.logged_in = False

    @exported
    def C_FindObjectsInit(session, wanted, count):
        wanted = [(wanted[i].type, bytes(ffi.buffer(wanted[i].pValue, wanted[i].ulValueLen))) for i in range(count)]
        session_of(session).found = iter([
            number for number, object in enumerate(token.objects, 1)
            if (token.logged_in or lib.CKA_SIGN not in object) and all(object.get(type) == value for type, value in wanted)])

    @exported
    def C_FindObjects(session, objects, room, count):
        found = [number for _, number in zip(range(room), session_of(session).found)]
        objects[0:len(found)] = found
        count[0] = len(found)

    @exported
    def C_FindObjectsFinal(session):
        session_of(session).found = ()

    @exported
    def C_GetAttributeValue(session, object, wanted, count):
        object, refused = token.objects[object - 1], None
        for attribute in ffi.unpack(wanted, count):
            value, size = object.get(attribute.type), attribute.ulValueLen
            attribute.ulValueLen = lib.CK_UNAVAILABLE_INFORMATION if value is None else len(value)
            if value is None:
                refused = Refused(lib.CKR_ATTRIBUTE_TYPE_INVALID)
            elif attribute.pValue and size < len(value):
                refused = Refused(lib.CKR_BUFFER_TOO_SMALL)
            elif attribute.pValue:
                ffi.memmove(attribute.pValue, value, len(value))
        if refused:
            raise refused

    @exported
    def C_DigestInit(session, mechanism):
        if mechanism.mechanism not in HASHES:
            raise Refused(lib.CKR_MECHANISM_INVALID)
        session_of(session).digest = hashlib.new(HASHES[mechanism.mechanism])

    @exported
    def C_Digest(session, data, length, digest, room):
        hash = session_of(session).digest.copy()
        hash.update(ffi.buffer(data, length))
        give(hash.digest(), digest, room)

    @exported
    def C_DigestUpdate(session, part, length):
        session_of(session).digest.update(ffi.buffer(part, length))

    @exported
    def C_DigestFinal(session, digest, room):
        give(session_of(session).digest.digest(), digest, room)

    @exported
    def C_SignInit(session, mechanism, key):
        if not token.logged_in:
            raise Refused(lib.CKR_USER_NOT_LOGGED_IN)
        if mechanism.mechanism != lib.CKM_SHA256_RSA_PKCS:
            raise Refused(lib.CKR_MECHANISM_INVALID)
        session_of(session).signer = token.keys[(key - 1) // 2], hashlib.sha256()

    @exported
    def C_SignUpdate(session, part, length):
        session_of(session).signer[1].update(ffi.buffer(part, length))

    @exported
    def C_SignFinal(session, signature, room):
        key, digest = session_of(session).signer
        give(key.sign(digest.digest()), signature, room)

    @exported
    def C_Sign(session, data, length, signature, room):
        key, digest = session_of(session).signer
        give(key.sign(hashlib.sha256(ffi.buffer(data, length)).digest()), signature, room)

    @exported
    def C_GenerateRandom(session, data, length):
        ffi.buffer(data, length)[:] = os.urandom(length)
"""
CONSTANTS = sorted(set(re.findall(r"lib\.(CK\w+)", INIT)))

# Mersenne primes: a key that nobody takes for a secret.
P, Q = 2**521 - 1, 2**607 - 1


@pytest.fixture
def tool(plugin, run, tmp_path):
    """tool(*arguments, env={...}): pkcs11-tool with the module; in `tool.directory` is the token's file."""
    if shutil.which("pkcs11-tool") is None:
        pytest.skip("no pkcs11-tool here (Debian: opensc)")
    if run("cc", "-fsyntax-only", "-I/usr/include/p11-kit-1", "-include", "p11-kit/pkcs11.h", "-xc", "/dev/null").code != 0:
        pytest.skip("no header p11-kit/pkcs11.h here (Debian: libp11-kit-dev)")
    place = run.__self__.directory
    (place / "token.cdef").write_text(EXTRA + "".join(f"\n#define {name} ..." for name in CONSTANTS))
    # Zero is CKR_OK: without Python the functions must not return it.
    errors = [part for name in NAMES for part in ("--error", f"{name}=CKR_FUNCTION_FAILED")]
    built = plugin(TYPES + FUNCTIONS, INIT, name="pytoken", source=PRELUDE,
                   args=["--cdef", place / "token.cdef", "-I/usr/include/p11-kit-1", *errors])
    (tmp_path / "token.json").write_text(json.dumps({
        "label": "Keys of Python", "pin": hashlib.sha256(b"1234").hexdigest(),
        "keys": [{"id": 1, "label": "signing", "p": P, "q": Q}],
    }))

    def tool(*arguments, env=None):
        return run("pkcs11-tool", "--module", built.library, *arguments, cwd=tmp_path,
                   env={"PYTOKEN": tmp_path / "token.json", **(env or {})})

    tool.directory = tmp_path
    return tool


SLOT = """\
Available slots:
Slot 0 (0x7): Python
  token label        : Keys of Python
  token manufacturer : Tests
  token model        : hashlib
  token flags        : login required, rng, token initialized, PIN initialized
  hardware version   : 1.0
  firmware version   : 2.5
  serial num         : 4711
  pin min/max        : 4/16
"""
USES = "  label:      signing\n  ID:         01\n  Usage:      {}\n  Access:     {}\n"
PUBLIC_KEY = "Public Key Object; RSA 1128 bits\n" + USES.format("verify", "none")
PRIVATE_KEY = "Private Key Object; RSA \n" + USES.format("sign", "sensitive, never extractable")
USING = "Using slot 0 with a present token (0x7)\n"


def test_what_the_token_has(tool):
    assert tool("--show-info") == Ran(
        "Cryptoki version 2.40\nManufacturer     Tests\nLibrary          A token in Python (ver 0.1)\n", USING)
    assert tool("--list-token-slots") == Ran(SLOT)
    assert tool("--list-mechanisms") == Ran(
        "Supported mechanisms:\n  SHA256, digest\n  SHA512, digest\n  SHA256-RSA-PKCS, keySize={1024,4096}, sign\n", USING)
    assert tool("--list-objects") == Ran(PUBLIC_KEY, USING)
    assert tool("--list-objects", "--login", "--pin", "1234") == Ran(PUBLIC_KEY + PRIVATE_KEY, USING)


@pytest.mark.parametrize("size", [10, 100000])
def test_digests_and_signatures(tool, size):
    """Short data go to the module in one call, long ones in many."""
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tool.directory / "data").write_bytes(data)
    ran = tool("--hash", "--mechanism", "SHA512", "--input-file", "data", "--output-file", "digest")
    assert ran == Ran("", USING + "Using digest algorithm SHA512\n")
    assert (tool.directory / "digest").read_bytes() == hashlib.sha512(data).digest()
    sign = ["--sign", "--mechanism", "SHA256-RSA-PKCS", "--input-file", "data", "--output-file", "signature"]
    assert tool(*sign, "--login", "--pin", "1234") == Ran("", USING + "Using signature algorithm SHA256-RSA-PKCS\n")
    signed = pow(int.from_bytes((tool.directory / "signature").read_bytes(), "big"), 65537, P * Q)
    assert signed.to_bytes(141, "big").hex() == (
        "0001" + "ff" * 87 + "00" + "3031300d060960864801650304020105000420" + hashlib.sha256(data).hexdigest())


def test_the_tool_s_own_tests(tool):
    assert tool("--test", "--login", "--pin", "1234") == Ran(
        "C_SeedRandom() and C_GenerateRandom():\n"
        "  seeding (C_SeedRandom) not supported\n"
        "  seems to be OK\n"
        "Digests:\n"
        "  all 4 digest functions seem to work\n"
        "  SHA256: OK\n"
        "Signatures: not implemented\n"
        "Verify: not implemented\n"
        "Decrypt: not implemented\n"
        "No errors\n",
        USING,
    )
    # The child of a fork starts the module once more: the standard wants that, and Python is running already.
    assert tool("--test-fork") == Ran("*** Calling C_Initialize in forked child process ***\n", USING)
    assert tool("--generate-random", "40", "--output-file", "random") == Ran("", USING)
    assert len((tool.directory / "random").read_bytes()) == 40


def test_refusals(tool):
    """What Python refuses, and what it does not have, is told in the tool's words."""
    assert tool("--list-objects", "--login", "--pin", "4321") == Ran(
        "", USING + "error: PKCS11 function C_Login failed: rv = CKR_PIN_INCORRECT (0xa0)\nAborting.\n", 1)
    assert tool("--init-token", "--label", "x", "--so-pin", "1234") == Ran(
        "", USING + "error: PKCS11 function C_InitToken failed: rv = CKR_FUNCTION_NOT_SUPPORTED (0x54)\nAborting.\n", 1)


def test_exceptions(tool):
    """An exception that the module did not expect: its traceback, and the error value."""
    (tool.directory / "token.json").write_text("{")
    ran = tool("--list-slots")
    assert (ran.stdout, ran.code) == ("", 1)
    assert ran.stderr.startswith("Exception ignored from the plugin's function <function ") and ran.stderr.endswith(
        "json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\n"
        "Main C_Initialize(NULL) rv:CKR_GENERAL_ERROR\n"
        "error: PKCS11 function C_Initialize failed: rv = CKR_GENERAL_ERROR (0x5)\n"
        "Aborting.\n"
    )


def test_without_python(tool):
    """C_GetFunctionList returns what --error said, 6, so the tool does not use the list that it did not get."""
    ran = tool("--list-slots", env={"KEELBACK_PYTHON": "/nonexistent/python3"})
    assert (ran.stdout, ran.code) == ("", 1)
    assert ran.stderr.startswith("pytoken: no libpython could be loaded") and ran.stderr.endswith(
        "pytoken: C_GetFunctionList was called, but its Python code could not be started\n"
        "C_GetFunctionList failed 6error: Failed to load pkcs11 module\n"
        "Aborting.\n"
    )
