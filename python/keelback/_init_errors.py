# Reads the `error=` values of the init code's functions without running the code. `keelback build` sends this text to
# the Python that it asks, in front of probe.py: it imports nothing, and every Python since 2.7 can compile it.


def read_errors(tree, module):
    """For each function under `@ffi.def_extern(error=...)`: its name, the value as an expression of C, and the line.

    The value is None where it cannot be read: it is neither a literal, nor a constant of lib, nor a name that the module
    gives such a value and nothing else, nor made of them.
    """
    read = _Reader(tree, module)
    found = []
    for node in walk(tree):
        for call, name in _attachments(node):
            keywords = dict((keyword.arg, keyword.value) for keyword in call.keywords)
            given = call.args[0] if call.args else keywords.get("name")
            if given is not None and getattr(given, "value", None) is not None:
                name = getattr(given, "value", None)
            value = call.args[1] if len(call.args) > 1 else keywords.get("error")
            if not isinstance(name, str) or value is None or getattr(value, "value", "") is None:
                # `error=None` is the same as no `error=`.
                continue
            found.append((name, read.c_text(value), call.lineno))
    return sorted(found, key=lambda one: one[2])


def walk(tree):
    """All nodes of a tree."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list):
                stack.extend(item for item in value if hasattr(item, "_fields"))
            elif hasattr(value, "_fields"):
                stack.append(value)


def _attachments(node):
    """For each call of def_extern() at this node, the call and the name of the decorated function."""
    kind = type(node).__name__
    if kind in ("FunctionDef", "AsyncFunctionDef", "ClassDef"):
        return [(one, node.name) for one in node.decorator_list if _is_def_extern(one)]
    if kind == "Call" and _is_def_extern(node.func):
        # ffi.def_extern(name="f")(function)
        return [(node.func, None)]
    return []


def _is_def_extern(node):
    return type(node).__name__ == "Call" and getattr(node.func, "attr", None) == "def_extern"


class _Reader:
    """Reads constants. Knows the names that the init code binds to lib, to the module, and to constant values."""

    def __init__(self, tree, module):
        self.libs, self.modules, self.values = set(), set(), {}
        bound = _bindings(tree)
        for node in tree.body:
            kind = type(node).__name__
            if kind == "ImportFrom" and node.module == module:
                self.libs.update(alias.asname or alias.name for alias in node.names if alias.name == "lib")
            elif kind == "ImportFrom" and node.module == module + ".lib":
                names = [(alias.asname or alias.name, alias.name) for alias in node.names if alias.name != "*"]
                self.values.update((name, there) for name, there in names if bound.get(name) == 1)
            elif kind == "Import":
                self.modules.update(alias.asname or alias.name for alias in node.names if alias.name == module)
            elif kind == "Assign" or kind == "AnnAssign" and node.value is not None:
                targets = node.targets if kind == "Assign" else [node.target]
                # A name that is bound several times has a value that only the run time knows.
                names = [one.id for one in targets if type(one).__name__ == "Name" and bound.get(one.id) == 1]
                value = self.c_text(node.value) if names else None
                if value is not None:
                    self.values.update((name, value) for name in names)
        if bound.get("*"):
            self.values.clear()

    def c_text(self, node):
        """A C expression with the value of a Python expression; None if the value cannot be read."""
        kind = type(node).__name__
        if kind == "Constant":
            return _literal(node.value)
        if kind == "Name":
            return self.values.get(node.id)
        if kind == "UnaryOp" and type(node.op).__name__ in ("USub", "UAdd", "Invert"):
            inner = self.c_text(node.operand)
            sign = {"USub": "-", "UAdd": "+", "Invert": "~"}[type(node.op).__name__]
            if sign == "-" and inner == "9223372036854775808ULL":
                return "(-9223372036854775807-1)"
            if inner is not None and inner[0] in "+-~":
                inner = "(%s)" % inner
            return None if inner is None else sign + inner
        if kind == "BinOp" and type(node.op).__name__ in ("BitOr", "Add", "Sub", "LShift"):
            left, right = self.c_text(node.left), self.c_text(node.right)
            sign = {"BitOr": "|", "Add": "+", "Sub": "-", "LShift": "<<"}[type(node.op).__name__]
            return None if left is None or right is None else "(%s %s %s)" % (left, sign, right)
        if kind == "Attribute":
            before = _dotted(node.value)
            if before in self.libs or before in set(one + ".lib" for one in self.modules):
                return node.attr
            if node.attr == "NULL":
                return "0"
        return None


def _literal(value):
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        # C has no negative literals (so the least 64-bit number has none), and larger numbers need a suffix.
        return str(value) + ("ULL" if value > 0x7FFFFFFFFFFFFFFF else "")
    if isinstance(value, float):
        return repr(value) if value - value == 0 else None
    if isinstance(value, bytes) and len(value) == 1:
        return str(value[0])
    return None


def _bindings(tree):
    """How often each name is bound, or declared global or nonlocal, anywhere in the code; "*" stands for `import *`."""
    count = {}

    def add(name):
        count[name] = count.get(name, 0) + 1

    for node in walk(tree):
        kind = type(node).__name__
        if kind == "Name":
            if type(node.ctx).__name__ != "Load":
                add(node.id)
        elif kind == "alias":
            add(node.asname or node.name.partition(".")[0])
        elif kind in ("Global", "Nonlocal"):
            for name in node.names:
                add(name)
        elif kind != "keyword":
            # Functions and classes, parameters, `except ... as`, and what patterns capture.
            for field in ("name", "arg", "rest"):
                name = getattr(node, field, None)
                if isinstance(name, str):
                    add(name)
    return count


def _dotted(node):
    """The text `a.b` of an expression of names and attributes; "" for other expressions."""
    if type(node).__name__ == "Name":
        return node.id
    if type(node).__name__ == "Attribute":
        before = _dotted(node.value)
        return before and before + "." + node.attr
    return ""
