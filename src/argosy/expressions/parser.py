"""expr-lang, from tokens to a tree.

It knows grammar, not values, and not which functions exist. Source: expr-lang's language definition, version 1.17.8.
"""

from __future__ import annotations

from argosy.errors import ExpressionError
from argosy.expressions import syntax_tree as tree
from argosy.expressions.lexer import Token, tokens_of

MAX_NODES = 10_000  # as in expr-lang
MAX_NESTING = 100

UNARY = {"not": 50, "!": 50, "-": 90, "+": 90}
BINARY = {
    "|": 0,
    "or": 10,
    "||": 10,
    "and": 15,
    "&&": 15,
    "==": 20,
    "!=": 20,
    "<": 20,
    ">": 20,
    ">=": 20,
    "<=": 20,
    "in": 20,
    "matches": 20,
    "contains": 20,
    "startsWith": 20,
    "endsWith": 20,
    "..": 25,
    "+": 30,
    "-": 30,
    "*": 60,
    "/": 60,
    "%": 60,
    "**": 100,
    "^": 100,
    "??": 500,
}
_ONE_NAME = {"and": "&&", "or": "||", "^": "**", "not": "!"}
_ORDER = ("<", ">", "<=", ">=")
_NEGATABLE = ("in", "matches", "contains", "startsWith", "endsWith")

# Functions with a predicate: (the predicate may be left out, how many arguments may follow it).
PREDICATES: dict[str, tuple[bool, int]] = {
    "all": (False, 0),
    "none": (False, 0),
    "any": (False, 0),
    "one": (False, 0),
    "filter": (False, 0),
    "map": (False, 0),
    "count": (True, 0),
    "sum": (True, 0),
    "find": (False, 0),
    "findIndex": (False, 0),
    "findLast": (False, 0),
    "findLastIndex": (False, 0),
    "groupBy": (False, 0),
    "sortBy": (False, 1),
    "reduce": (False, 1),
}


def parse_tree(text: str) -> tree.Node:
    """The tree of an expression. Raises ExpressionError with the position."""
    try:
        return _Parser(tokens_of(text)).whole()
    except RecursionError:
        raise ExpressionError("the expression is nested too deep") from None


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.index = 0
        self.token = tokens[0]
        self.count = 0
        self.depth = 0
        self.predicates = 0

    def advance(self) -> Token:
        """Step on; gives the token that was at hand."""
        token = self.token
        if token.kind != "end":
            self.index += 1
            self.token = self.tokens[self.index]
        return token

    def at(self, *values: str) -> bool:
        """Whether an operator or bracket out of `values` is at hand."""
        return self.token.kind in ("operator", "bracket") and self.token.value in values

    def expect(self, value: str) -> None:
        """Step over this operator or bracket, which must be here."""
        if not self.at(value):
            raise self.unexpected(f"; '{value}' is expected")
        self.advance()

    def unexpected(self, more: str = "") -> ExpressionError:
        """The error for the token at hand."""
        token = self.token
        shown = "unexpected end of expression" if token.kind == "end" else f"unexpected {token.kind} '{token.value}'"
        return ExpressionError(shown + more, position=token.position)

    def counted(self, node: tree.Node) -> tree.Node:
        """The node, unless there are too many."""
        self.count += 1
        if self.count > MAX_NODES:
            raise ExpressionError(f"an expression may have at most {MAX_NODES} parts", position=node.position)
        return node

    def deeper(self) -> None:
        """One level further in, up to a limit."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise ExpressionError(f"nested deeper than {MAX_NESTING} levels", position=self.token.position)

    def whole(self) -> tree.Node:
        """A complete expression."""
        node = self.sequence()
        if self.token.kind != "end":
            raise self.unexpected()
        return node

    def sequence(self) -> tree.Node:
        """Expressions with `;` between."""
        nodes = [self.expression(0)]
        while self.at(";"):
            self.advance()
            if self.token.kind == "end" or self.at(")", "}"):
                break
            nodes.append(self.expression(0))
        if len(nodes) == 1:
            return nodes[0]
        return self.counted(tree.Sequence(nodes=tuple(nodes), position=nodes[0].position))

    def expression(self, precedence: int) -> tree.Node:
        """An operand and the operators that bind at least so tightly."""
        self.deeper()
        if precedence == 0 and self.at("let"):
            node = self.let()
        elif precedence == 0 and self.at("if"):
            node = self.if_else()
        else:
            node = self.operators(precedence)
            if precedence == 0:
                node = self.conditional(node)
        self.depth -= 1
        return node

    def operators(self, precedence: int) -> tree.Node:
        """An operand and its operators, grouped by precedence."""
        left = self.primary()
        previous = ""
        while self.token.kind == "operator":
            negated = self.negation(precedence)
            operator = self.token
            binding = BINARY.get(operator.value, -1)
            if binding < precedence:
                break
            self.advance()
            if operator.value == "|":
                left = self.pipe(left)
            elif previous == "??" and operator.value != "??":
                raise ExpressionError(
                    f"'{operator.value}' and '??' cannot be mixed; put one of them in parentheses",
                    position=operator.position,
                )
            elif operator.value in _ORDER:
                left = self.comparison(left, operator, binding)
            else:
                right = self.expression(binding if operator.value in ("**", "^") else binding + 1)
                left = self.binary(operator, left, right)
                if negated:
                    left = self.counted(tree.Unary(operator="!", operand=left, position=operator.position))
            previous = operator.value
        return left

    def negation(self, precedence: int) -> bool:
        """Step over the `not` of `not in` and its like."""
        if self.token.value != "not":
            return False
        after = self.tokens[self.index + 1]
        if after.kind != "operator" or after.value not in _NEGATABLE:
            raise self.unexpected()
        if BINARY[after.value] < precedence:
            return False
        self.advance()
        return True

    def binary(self, operator: Token, left: tree.Node, right: tree.Node) -> tree.Node:
        """A node for two operands."""
        name = _ONE_NAME.get(operator.value, operator.value)
        return self.counted(tree.Binary(operator=name, left=left, right=right, position=operator.position))

    def comparison(self, left: tree.Node, operator: Token, binding: int) -> tree.Node:
        """`a < b < c`, which means `a < b && b < c`."""
        root: tree.Node | None = None
        while True:
            right = self.expression(binding + 1)
            pair = self.binary(operator, left, right)
            if root is None:
                root = pair
            else:
                both = tree.Binary(operator="&&", left=root, right=pair, position=operator.position)
                root = self.counted(both)
            if not self.at(*_ORDER):
                return root
            left, operator = right, self.advance()

    def pipe(self, left: tree.Node) -> tree.Node:
        """`a | f(b)`, which means `f(a, b)`."""
        name = self.token
        if name.kind != "name":
            raise self.unexpected("; a function is expected after '|'")
        self.advance()
        dotted = name.value
        while self.at("."):
            self.advance()
            dotted += "." + self.property_name()
        return self.postfix(self.call(dotted, name.position, [left]))

    def let(self) -> tree.Node:
        """`let a = b; c`."""
        self.advance()
        name = self.token
        if name.kind != "name":
            raise self.unexpected("; a name is expected after 'let'")
        self.advance()
        self.expect("=")
        value = self.expression(0)
        self.expect(";")
        body = self.sequence()
        return self.counted(tree.Let(name=name.value, value=value, body=body, position=name.position))

    def if_else(self) -> tree.Node:
        """`if a { b } else if c { d } else { e }`."""
        arms: list[tuple[tree.Node, tree.Node, int]] = []
        while self.at("if"):
            position = self.advance().position
            condition = self.expression(0)
            arms.append((condition, self.block(), position))
            self.expect("else")
        node = self.block()
        for condition, then, position in reversed(arms):
            node = self.counted(tree.Conditional(condition=condition, then=then, otherwise=node, position=position))
        if len(arms) > MAX_NESTING:
            raise ExpressionError(f"nested deeper than {MAX_NESTING} levels", position=arms[0][2])
        return node

    def block(self) -> tree.Node:
        """`{ a; b }`."""
        self.expect("{")
        node = self.sequence()
        self.expect("}")
        return node

    def conditional(self, node: tree.Node) -> tree.Node:
        """`a ? b : c` and `a ?: c`."""
        while self.at("?"):
            position = self.advance().position
            then = node if self.at(":") else self.expression(0)
            self.expect(":")
            otherwise = self.expression(0)
            node = self.counted(tree.Conditional(condition=node, then=then, otherwise=otherwise, position=position))
        return node

    def primary(self) -> tree.Node:
        """An operand with what stands before and after it."""
        token = self.token
        if token.kind == "operator" and token.value in UNARY:
            self.advance()
            operand = self.expression(UNARY[token.value])
            name = _ONE_NAME.get(token.value, token.value)
            return self.postfix(self.counted(tree.Unary(operator=name, operand=operand, position=token.position)))
        if self.at("("):
            self.advance()
            node = self.sequence()
            self.expect(")")
            return self.postfix(node)
        if self.predicates and self.at("#", "."):
            return self.postfix(self.pointer())
        if self.at("::"):
            self.advance()
            name = self.token
            if name.kind != "name":
                raise self.unexpected()
            self.advance()
            return self.postfix(self.call(name.value, name.position, []))
        return self.operand()

    def pointer(self) -> tree.Node:
        """`#`, `#acc`, `#index`, or nothing before `.field`."""
        position, name = self.token.position, ""
        if self.at("#"):
            self.advance()
            if self.token.kind == "name":
                name = self.advance().value
            if name not in ("", "acc", "index"):
                raise ExpressionError(f"unknown pointer #{name}; there are #, #acc and #index", position=position)
        return self.counted(tree.Pointer(name=name, position=position))

    def operand(self) -> tree.Node:
        """A literal, a name, a call, an array or a map."""
        token = self.token
        if token.kind == "name":
            self.advance()
            if token.value in _CONSTANTS:
                return self.counted(tree.Literal(value=_CONSTANTS[token.value], position=token.position))
            if self.at("("):
                return self.postfix(self.call(token.value, token.position, []))
            return self.postfix(self.counted(tree.Name(name=token.value, position=token.position)))
        if token.kind == "number":
            self.advance()
            return self.counted(tree.Literal(value=_number(token), position=token.position))
        if token.kind in ("string", "bytes"):
            self.advance()
            value = token.value if token.kind == "string" else token.value.encode("utf-8", "surrogateescape")
            return self.postfix(self.counted(tree.Literal(value=value, position=token.position)))
        if self.at("["):
            return self.postfix(self.array())
        if self.at("{"):
            return self.postfix(self.map())
        raise self.unexpected()

    def array(self) -> tree.Node:
        """`[a, b,]`."""
        position = self.advance().position
        items = self.listed("]")
        return self.counted(tree.Array(items=tuple(items), position=position))

    def listed(self, closing: str) -> list[tree.Node]:
        """Expressions with commas between, a last comma allowed, and the closing bracket."""
        items: list[tree.Node] = []
        while not self.at(closing):
            if items:
                self.expect(",")
                if self.at(closing):
                    break
            items.append(self.expression(0))
        self.advance()
        return items

    def map(self) -> tree.Node:
        """`{a: 1, "b": 2, (c): 3}`."""
        position = self.advance().position
        pairs: list[tuple[tree.Node, tree.Node]] = []
        while not self.at("}"):
            if pairs:
                self.expect(",")
                if self.at("}"):
                    break
            key = self.map_key()
            self.expect(":")
            pairs.append((key, self.expression(0)))
        self.advance()
        return self.counted(tree.Map(pairs=tuple(pairs), position=position))

    def map_key(self) -> tree.Node:
        """A name, a text, a number (as text), or an expression in parentheses."""
        if self.token.kind in ("name", "string", "number"):
            token = self.advance()
            return self.counted(tree.Literal(value=token.value, position=token.position))
        if self.at("("):
            return self.expression(0)
        raise self.unexpected("; a map key is a name, a text, a number, or an expression in parentheses")

    def call(self, name: str, position: int, given: list[tree.Node]) -> tree.Node:
        """The arguments of a function; `given` come before those written."""
        self.expect("(")
        if name in PREDICATES:
            return self.predicate_call(name, position, given)
        arguments = given + self.listed(")")
        return self.counted(tree.Call(name=name, arguments=tuple(arguments), position=position))

    def predicate_call(self, name: str, position: int, given: list[tree.Node]) -> tree.Node:
        """The arguments of a function that takes a predicate."""
        optional, more_allowed = PREDICATES[name]
        if not given and self.at(")"):
            raise ExpressionError(f"{name}() needs an array", position=position)
        items = given[0] if given else self.expression(0)
        predicate: tree.Node | None = None
        before = self.count
        more: list[tree.Node] = []
        if not given and not self.at(")"):
            self.expect(",")
        if not self.at(")"):
            predicate = self.predicate()
        elif not optional:
            raise ExpressionError(f"{name}() needs a predicate", position=position)
        weight = self.count - before + 1
        while self.at(","):
            self.advance()
            if self.at(")"):
                break
            more.append(self.expression(0))
        if len(more) > more_allowed:
            raise ExpressionError(f"too many arguments for {name}()", position=position)
        self.expect(")")
        call = tree.PredicateCall(
            name=name, items=items, predicate=predicate, more=tuple(more), weight=weight, position=position
        )
        return self.counted(call)

    def predicate(self) -> tree.Node:
        """What is computed for each element, in braces or not."""
        self.predicates += 1
        node = self.block() if self.at("{") else self.expression(0)
        self.predicates -= 1
        if self.at(";"):
            raise ExpressionError("a predicate with ';' needs braces around it", position=self.token.position)
        return node

    def property_name(self) -> str:
        """The word after a dot; operators that are words are names here."""
        token = self.token
        if token.kind != "name" and not (token.kind == "operator" and token.value.isidentifier()):
            raise self.unexpected("; a name is expected after '.'")
        return self.advance().value

    def postfix(self, node: tree.Node) -> tree.Node:
        """Members, slices and method calls that follow."""
        links = 0
        while self.at(".", "?.", "["):
            links += 1
            if links > MAX_NESTING:
                raise ExpressionError(f"more than {MAX_NESTING} members in a row", position=self.token.position)
            token = self.advance()
            optional = token.value == "?."
            if token.value == "[" or (optional and self.at("[")):
                if optional:
                    self.advance()
                node = self.index_or_slice(node, token.position, optional)
            else:
                node = self.member(node, token.position, optional)
        return node

    def member(self, node: tree.Node, position: int, optional: bool) -> tree.Node:
        """`.name` or `.method(...)`."""
        inside = node.node if isinstance(node, tree.Chain) else node
        name = self.property_name()
        made: tree.Node
        if self.at("("):
            self.advance()
            arguments = tuple(self.listed(")"))
            function = _dotted(inside)
            if function and not optional and function.split(".")[0] in NAMESPACES:
                made = tree.Call(name=f"{function}.{name}", arguments=arguments, position=position)
            else:
                made = tree.MethodCall(
                    base=inside, method=name, arguments=arguments, optional=optional, position=position
                )
        else:
            key = tree.Literal(value=name, position=position)
            made = tree.Member(base=inside, key=key, optional=optional, position=position)
        self.counted(made)
        if optional or isinstance(node, tree.Chain):
            return self.counted(tree.Chain(node=made, position=position))
        return made

    def index_or_slice(self, node: tree.Node, position: int, optional: bool) -> tree.Node:
        """`[a]`, `[a:b]`, `[:b]`, `[a:]`, `[:]`."""
        start = None if self.at(":") else self.expression(0)
        if start is None or self.at(":"):
            self.expect(":")
            stop = None if self.at("]") else self.expression(0)
            self.expect("]")
            return self.counted(tree.Slice(base=node, start=start, stop=stop, position=position))
        self.expect("]")
        made = self.counted(tree.Member(base=node, key=start, optional=optional, position=position))
        return self.counted(tree.Chain(node=made, position=position)) if optional else made


NAMESPACES = frozenset({"sprig"})
_CONSTANTS: dict[str, object] = {"true": True, "false": False, "nil": None}


def _dotted(node: tree.Node) -> str:
    """`a.b` for members of a name by constant keys, else ''."""
    keys: list[str] = []
    while isinstance(node, tree.Member) and isinstance(node.key, tree.Literal) and isinstance(node.key.value, str):
        keys.append(node.key.value)
        node = node.base
    return ".".join([node.name, *reversed(keys)]) if isinstance(node, tree.Name) else ""


def _number(token: Token) -> int | float:
    written = token.value.replace("_", "")
    try:
        if written[:2].lower() in ("0x", "0o", "0b"):
            value: int | float = int(written, 0)
        elif any(mark in written for mark in ".eE"):
            value = float(written)
        else:
            value = int(written) if len(written) < 25 else 1 << 64
    except ValueError:
        raise ExpressionError(f"'{token.value}' is not a number", position=token.position) from None
    if value == float("inf") or (isinstance(value, int) and value > (1 << 63) - 1):
        raise ExpressionError(f"the number {token.value} is too large", position=token.position)
    return value
