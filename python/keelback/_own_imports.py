# A plugin's own modules (`--module`) are inside its module: NAME.rules. Its own code imports them by their own names as
# well (`import rules`), and two plugins may each have a `rules`: such imports are made `NAME.rules` when the code is
# compiled. `keelback build` sends this text to the Python that it asks, in front of probe.py: it imports nothing, and
# every Python since 2.7 can compile it.


def rewrite(nodes, module, own):
    """Changes absolute imports of the modules `own` to imports of their real names, which begin with `module`.

    Relative imports need no change. Code that imports a module by a computed name (`importlib.import_module`) must use
    the real one.
    """
    for node in nodes:
        if type(node).__name__ == "ImportFrom" and not node.level and _top(node.module) in own:
            node.module = module + "." + node.module
        for field in node._fields:
            inside = getattr(node, field, None)
            if isinstance(inside, list) and any(_is_of_own(one, own) for one in inside):
                setattr(node, field, [real for one in inside for real in _real(one, module, own)])


def _top(name):
    return name.partition(".")[0]


def _is_of_own(node, own):
    return type(node).__name__ == "Import" and any(_top(alias.name) in own for alias in node.names)


def _real(node, module, own):
    """The statements that replace an `import` of own modules.

    They fetch the module itself. `import NAME.rules as x` would take what NAME calls `rules`, and NAME is the init
    code's own namespace: after `from rules import rules` that is something else.
    """
    if not _is_of_own(node, own):
        return [node]
    statements = []
    for alias in node.names:
        top = _top(alias.name)
        if top not in own:
            others = type(node)([alias])
            # `lazy import`, from 3.15 on.
            for field in node._fields[1:]:
                setattr(others, field, getattr(node, field))
            statements.append(others)
        elif alias.asname or top == alias.name:
            statements.append(_bind(alias.asname or top, module + "." + alias.name))
        else:
            # `import a.b` binds a, once b is imported.
            statements.append(_bind(None, module + "." + alias.name))
            statements.append(_bind(top, module + "." + top))
    for statement in statements:
        _put_at(statement, node)
    return statements


def _bind(name, module):
    """`name = __import__(module, fromlist=("__name__",))`: with a list of names it gives the module itself."""
    text = "__import__(%r, fromlist=('__name__',))" % module
    if name is not None:
        text = name + " = " + text
    only_ast = 0x0400
    return compile(text, "", "exec", only_ast, True).body[0]


def _put_at(node, like):
    if hasattr(node, "lineno") or "lineno" in getattr(node, "_attributes", ()):
        for place in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
            setattr(node, place, getattr(like, place))
    for field in node._fields:
        inside = getattr(node, field, None)
        for one in inside if isinstance(inside, list) else [inside]:
            if hasattr(one, "_fields"):
                _put_at(one, like)
