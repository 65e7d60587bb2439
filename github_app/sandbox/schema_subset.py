"""Cuts GitHub's GraphQL schema down to the named types."""

import re
from typing import Any

from graphql import (
    REMOVE,
    DirectiveNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    NamedTypeNode,
    Node,
    TypeDefinitionNode,
    TypeNode,
    Visitor,
    parse,
    print_ast,
    visit,
)
from graphql.language import EnumTypeDefinitionNode, ScalarTypeDefinitionNode

DESCRIPTION = re.compile(r'"""[\s\S]*?(?<!\\)"""(?!")')
NEEDED_BY_OTHERS = (ScalarTypeDefinitionNode, EnumTypeDefinitionNode, InputObjectTypeDefinitionNode)


def schema_subset(sdl: str, types: list[str]) -> str:
    """SDL of these object, interface and union types with every field whose own type is kept, and of the
    scalars, enums and inputs that those need. Descriptions and GitHub's own directives are dropped.

    Raises KeyError where upstream no longer has one of the types.
    """
    published = {
        node.name.value: node
        for node in parse(DESCRIPTION.sub("", sdl), no_location=True).definitions
        if isinstance(node, TypeDefinitionNode)
    }
    if missing := set(types) - set(published):
        raise KeyError(f"types no longer published: {sorted(missing)}")
    leaves = {name for name, node in published.items() if isinstance(node, NEEDED_BY_OTHERS)}
    prune = _Prune({*types, *leaves, "String", "Int", "Float", "Boolean", "ID"})
    kept: dict[str, TypeDefinitionNode] = {}
    waiting = list(types)
    while waiting:
        name = waiting.pop()
        if name in published and name not in kept:
            kept[name] = visit(published[name], prune)
            waiting += _names(kept[name])
    return "\n\n".join(print_ast(kept[name]) for name in sorted(kept)) + "\n"


class _Prune(Visitor):
    def __init__(self, keep: set[str]) -> None:
        super().__init__()
        self.keep = keep

    def enter_field_definition(self, node: FieldDefinitionNode, *_: Any) -> Any:
        return None if _bare(node.type) in self.keep else REMOVE

    def enter_named_type(self, node: NamedTypeNode, _key: Any, _parent: Any, path: list[Any], *_: Any) -> Any:
        """Members of a union and implemented interfaces; the type of a kept field is kept by then."""
        listed = len(path) > 1 and path[-2] in ("types", "interfaces")
        return REMOVE if listed and node.name.value not in self.keep else None

    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        return None if node.name.value == "deprecated" else REMOVE


class _Names(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def enter_named_type(self, node: NamedTypeNode, *_: Any) -> None:
        self.found.append(node.name.value)


def _names(node: Node) -> list[str]:
    names = _Names()
    visit(node, names)
    return names.found


def _bare(node: TypeNode) -> str:
    while not isinstance(node, NamedTypeNode):
        node = node.type  # type: ignore[attr-defined]
    return node.name.value
