# What the init code says of its functions' `error=`, read without running it. `keelback build` sends this text to the
# Python that it asks, in front of probe.py: it imports nothing, and every Python since 2.7 can compile it.


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
                # `error=None` is as none at all.
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
    """Pairs of a call of def_extern() and the name of what it decorates."""
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
    """Reads constants: knows under which names the init code has lib, the module, and values."""

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
                # What a name is bound to elsewhere, too, is known at run time only.
                names = [one.id for one in targets if type(one).__name__ == "Name" and bound.get(one.id) == 1]
                value = self.c_text(node.value) if names else None
                if value is not None:
                    self.values.update((name, value) for name in names)
        if bound.get("*"):
            self.values.clear()

    def c_text(self, node):
        """An expression of C with the value of one of Python; None where it has none that can be read."""
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
        # C has no literal for the least number, nor for what needs a suffix.
        return str(value) + ("ULL" if value > 0x7FFFFFFFFFFFFFFF else "")
    if isinstance(value, float):
        return repr(value) if value - value == 0 else None
    if isinstance(value, bytes) and len(value) == 1:
        return str(value[0])
    return None


def _bindings(tree):
    """How often each name is bound, or said to be another scope's, anywhere in the code; "*" is `import *`."""
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
    """`a.b` of names and attributes; "" of anything else."""
    if type(node).__name__ == "Name":
        return node.id
    if type(node).__name__ == "Attribute":
        before = _dotted(node.value)
        return before and before + "." + node.attr
    return ""
