# What the init code says of its functions' `error=`, read without running it. `keelback build` sends this text to the
# Python that it asks, in front of probe.py: it imports nothing, and every Python since 2.7 can compile it.


def read_errors(tree, module):
    """For each function under `@ffi.def_extern(error=...)`: its name, the value as an expression of C, and the line.

    The value is None where it cannot be read: it is neither a literal, nor a constant of lib, nor made of them.
    """
    libs, modules = _names_of_lib(tree, module)
    found = []
    stack = [tree]
    while stack:
        node = stack.pop()
        for call, name in _attachments(node):
            keywords = dict((keyword.arg, keyword.value) for keyword in call.keywords)
            given = call.args[0] if call.args else keywords.get("name")
            if given is not None and getattr(given, "value", None) is not None:
                name = getattr(given, "value", None)
            value = call.args[1] if len(call.args) > 1 else keywords.get("error")
            if not isinstance(name, str) or value is None or getattr(value, "value", "") is None:
                # `error=None` is as none at all.
                continue
            found.append((name, _c_text(value, libs, modules), call.lineno))
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list):
                stack.extend(item for item in value if hasattr(item, "_fields"))
            elif hasattr(value, "_fields"):
                stack.append(value)
    return sorted(found, key=lambda one: one[2])


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


def _names_of_lib(tree, module):
    """Under which names the init code has lib, and the module."""
    libs, modules = set(), set()
    for node in tree.body:
        kind = type(node).__name__
        if kind == "ImportFrom" and node.module == module:
            libs.update(alias.asname or alias.name for alias in node.names if alias.name == "lib")
        elif kind == "Import":
            modules.update(alias.asname or alias.name for alias in node.names if alias.name == module)
    return libs, modules


def _c_text(node, libs, modules):
    """An expression of C with the value of one of Python; None where it has none that can be read."""
    kind = type(node).__name__
    if kind == "Constant":
        value = node.value
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
    if kind == "UnaryOp" and type(node.op).__name__ in ("USub", "UAdd", "Invert"):
        inner = _c_text(node.operand, libs, modules)
        sign = {"USub": "-", "UAdd": "+", "Invert": "~"}[type(node.op).__name__]
        if sign == "-" and inner == "9223372036854775808ULL":
            return "(-9223372036854775807-1)"
        return None if inner is None or inner.startswith(("-", "+")) else sign + inner
    if kind == "BinOp" and type(node.op).__name__ in ("BitOr", "Add", "Sub", "LShift"):
        left, right = _c_text(node.left, libs, modules), _c_text(node.right, libs, modules)
        sign = {"BitOr": "|", "Add": "+", "Sub": "-", "LShift": "<<"}[type(node.op).__name__]
        return None if left is None or right is None else "(%s %s %s)" % (left, sign, right)
    if kind == "Attribute":
        if _dotted(node.value) in libs or _dotted(node.value) in set(one + ".lib" for one in modules):
            return node.attr
        if node.attr == "NULL":
            return "0"
    return None


def _dotted(node):
    """`a.b` of names and attributes; "" of anything else."""
    if type(node).__name__ == "Name":
        return node.id
    if type(node).__name__ == "Attribute":
        before = _dotted(node.value)
        return before and before + "." + node.attr
    return ""
