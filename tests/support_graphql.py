"""Whether a GraphQL answer is one that the published schema allows for the question. Shares no code with an executor:
it walks the answer beside the question.
"""

from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
)
from graphql.type import is_abstract_type

PLAIN: dict[str, type | tuple[type, ...]] = {
    "String": str, "ID": str, "URI": str, "DateTime": str, "GitObjectID": str, "GitTimestamp": str, "HTML": str,
    "GitSSHRemote": str, "Base64String": str, "Date": str, "BigInt": (int, str), "Int": int, "Float": (int, float),
    "Boolean": bool,
}  # fmt: skip
Fields = dict[str, tuple[Any, FieldNode, bool]]
"""Key in the answer -> type that has the field, the field as asked, whether it must be there."""


def answer_errors(schema: GraphQLSchema, document: DocumentNode, answer: dict[str, Any]) -> list[str]:
    """For a document with one operation that is valid. With `errors` in the answer, null may stand anywhere."""
    return list(_Walk(schema, document, "errors" in answer).problems(answer.get("data")))


class _Walk:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, failed: bool) -> None:
        self.schema = schema
        self.failed = failed
        parts = document.definitions
        self.fragments = {p.name.value: p for p in parts if isinstance(p, FragmentDefinitionNode)}
        (self.operation,) = (p for p in parts if isinstance(p, OperationDefinitionNode))

    def problems(self, data: Any) -> Iterator[str]:
        root = self.schema.get_root_type(self.operation.operation)
        if data is None and self.failed:
            return
        yield from self._value(GraphQLNonNull(root), [self.operation.selection_set], data, "data")

    def _value(self, kind: Any, sets: list[Any], value: Any, at: str) -> Iterator[str]:
        if isinstance(kind, GraphQLNonNull):
            if value is None and not self.failed:
                yield f"{at} is null and must not be"
            kind = kind.of_type
        if value is None:
            return
        if isinstance(kind, GraphQLList):
            if not isinstance(value, list):
                yield f"{at} is not a list"
                return
            for index, item in enumerate(value):
                yield from self._value(kind.of_type, sets, item, f"{at}.{index}")
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            yield from self._object(kind, sets, value, at)
        else:
            yield from _leaf(kind, value, at)

    def _object(self, kind: Any, sets: list[Any], value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{at} is not an object"
            return
        name = value.get("__typename")
        if name is not None:
            known = self.schema.get_type(name)
            if known is None or not self._must_be(known, kind):
                yield f"{at} is a {name}, which is no {kind.name}"
                return
            kind = known
        asked: Fields = {}
        below: dict[str, list[Any]] = {}
        for selected in sets:
            self._collect(kind, selected, asked, below, must=True)
        yield from (
            f"{at}.{key} is missing" for key, (_, _, must) in asked.items() if must and key not in value
        )
        yield from (f"{at}.{key} was not asked for" for key in value if key not in asked)
        for key in asked.keys() & value.keys():
            owner, field, _ = asked[key]
            if field.name.value == "__typename":
                continue
            kind_below = owner.fields[field.name.value].type
            yield from self._value(kind_below, below[key], value[key], f"{at}.{key}")

    def _collect(
        self, kind: Any, selected: Any, asked: Fields, below: dict[str, list[Any]], *, must: bool
    ) -> None:
        for node in selected.selections:
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                sure = must and not node.directives
                asked[key] = (kind, node, sure or (key in asked and asked[key][2]))
                below.setdefault(key, []).append(node.selection_set)
                continue
            inner, condition = self._fragment(node)
            target = self.schema.get_type(condition) if condition else kind
            if self._may_be(kind, target):
                certain = must and not node.directives and self._must_be(kind, target)
                self._collect(kind if certain else target, inner, asked, below, must=certain)

    def _fragment(self, node: Any) -> tuple[Any, str]:
        if isinstance(node, FragmentSpreadNode):
            found = self.fragments[node.name.value]
            return found.selection_set, found.type_condition.name.value
        assert isinstance(node, InlineFragmentNode)
        return node.selection_set, node.type_condition.name.value if node.type_condition else ""

    def _must_be(self, kind: Any, target: Any) -> bool:
        return kind is target or (is_abstract_type(target) and self.schema.is_sub_type(target, kind))

    def _may_be(self, kind: Any, target: Any) -> bool:
        return self._must_be(kind, target) or bool(self._possible(kind) & self._possible(target))

    def _possible(self, kind: Any) -> set[str]:
        return (
            {t.name for t in self.schema.get_possible_types(kind)} if is_abstract_type(kind) else {kind.name}
        )


def _leaf(kind: Any, value: Any, at: str) -> Iterator[str]:
    if isinstance(kind, GraphQLEnumType):
        if value not in kind.values:
            yield f"{at} is {value!r}, which {kind.name} does not have"
    elif kind.name in PLAIN and (
        not isinstance(value, PLAIN[kind.name]) or (isinstance(value, bool) and kind.name != "Boolean")
    ):
        yield f"{at} is {value!r}, which is no {kind.name}"
