"""Objects decoded as structs that hold nothing but what is asked for, and put out as the properties that a spec names.

The places of all values within an object form a tree. Each object of the tree becomes a struct of the keys that are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from types import ModuleType
from typing import Any, NamedTuple

from ..parse import is_of
from .once import Misfit
from .shapes import Shaper

DIRECT = 2
"""Steps to the values that are read all at once; what stands deeper is held by an object of its own."""


class Leaf(NamedTuple):
    """How one value is decoded, and what is made of it."""

    type: Any
    make: Shaper | None
    """What is made of the decoded value; None where it stays as it is."""
    make_json: Shaper
    """What is made of the value where it is decoded as plain JSON."""


class Property(NamedTuple):
    """One property of an object that is put out, and the places of its value."""

    pointers: tuple[tuple[str, ...], ...]
    """Keys from the object to each place, up to a `*`; the first place that is not null counts."""
    leaf: Leaf
    read_json: Shaper
    """Reads the value from its object as plain JSON."""
    is_typed: bool = True
    """Whether the value is decoded with the leaf's type, wherever no other pointer asks for more of the same."""


def as_it_is(value: Any) -> Any:
    """Return the value."""
    return value


class _Node:
    """A place in the tree of pointers: an object of places below it, or a value."""

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.type: Any = None
        """The type of the value; None for an object."""
        self.made: Any = None
        """The struct that decodes an object, once it is made."""

    def place(self, steps: Sequence[str], type_: Any) -> None:
        """Add the value at the end of some steps. What is an object and a value, or a value of two types, is plain JSON."""
        node = self
        for step in steps:
            if node.type is not None:
                node.type = Any
                break
            node = node.below.setdefault(step, _Node())
        else:
            node.type = type_ if not node.below and node.type in (None, type_) else Any
        if node.type is Any:
            node.below = {}

    def struct(self, msgspec: ModuleType) -> Any:
        """Return the type that decodes the place; keys are no Python names, so its attributes are numbered."""
        if self.type is not None:
            return self.type
        fields = [
            (_attribute(index), node.struct(msgspec) | None, msgspec.field(name=key, default=None))
            for index, (key, node) in enumerate(self.below.items())
        ]
        self.made = msgspec.defstruct("Object", fields, gc=False)
        return self.made

    def way(self, steps: Sequence[str]) -> tuple[list[str], Sequence[str], _Node]:
        """Return the attributes that lead along some steps, the steps that are left where a value begins, and its place."""
        names: list[str] = []
        node = self
        for position, step in enumerate(steps):
            if node.type is not None:
                return names, steps[position:], node
            names.append(_attribute(list(node.below).index(step)))
            node = node.below[step]
        return names, (), node


def _attribute(index: int) -> str:
    return f"key_{index}"


class _Part(NamedTuple):
    """The properties that are read from one object within a resource, all of its attributes at once."""

    get_object: Shaper
    empty: Any
    """What stands in for that object where it is missing."""
    get_values: Shaper
    """Gets the value of each property, as a tuple; a value is a tuple of its own where it may stand in several places."""
    names: tuple[str, ...]
    makers: tuple[Shaper | None, ...]
    """What is made of each value; None where it is put out as it is."""


def object_reader(
    msgspec: ModuleType, properties: Mapping[str, Property], kind: str = ""
) -> tuple[Any, Callable[[Any], dict[str, Any]]]:
    """Return the struct that decodes an object of some properties, and the function that puts them out.

    kind: the type that a resource has to be of, or nothing.
    """
    root = _Node()
    for each in properties.values():
        for steps in each.pointers:
            root.place(steps, each.leaf.type if each.is_typed else Any)
    if kind:
        root.place(("type",), str | None)
    struct = root.struct(msgspec)
    get_type = attrgetter(*root.way(("type",))[0]) if kind else None
    parts = _parts(root, properties)
    places = [(part.get_object, part.empty, part.get_values) for part in parts]
    names = [name for part in parts for name in part.names]
    makers = [(index, make) for index, make in enumerate(make for part in parts for make in part.makers) if make is not None]
    elsewhere = [(name, *_elsewhere(root, each)) for name, each in properties.items() if not _is_typed(root, each)]
    blank = dict.fromkeys(properties)

    def put_out(value: Any) -> dict[str, Any]:
        if value is None:
            if kind:
                raise Misfit
            return {}
        if get_type is not None and not is_of(kind, get_type(value)):
            raise Misfit
        values: list[Any] = []
        for get_object, empty, get_values in places:
            inner = get_object(value)
            values += get_values(empty if inner is None else inner)
        for index, make in makers:
            values[index] = make(values[index])
        output = blank.copy()
        output.update(zip(names, values, strict=False))
        for name, get, make in elsewhere:
            output[name] = make(get(value))
        return output

    return struct, put_out


def _is_typed(root: _Node, each: Property) -> bool:
    """Return whether a property is decoded with a type of its own, and not as part of some plain JSON."""
    ways = [root.way(steps) for steps in each.pointers]
    return each.is_typed and not any(rest or node.type is Any is not each.leaf.type for _, rest, node in ways)


def _parts(root: _Node, properties: Mapping[str, Property]) -> list[_Part]:
    """Return the properties with types of their own, by the objects that they are read from."""
    by_object: dict[tuple[str, ...], dict[str, Property]] = {}
    parts = []
    for name, each in properties.items():
        path = each.pointers[0][:-1]
        if _is_typed(root, each) and len(each.pointers) == 1:
            by_object.setdefault(path, {})[name] = each
        elif _is_typed(root, each):
            parts.append(_part(root, path, {name: each}))
    return [*(_part(root, path, inside) for path, inside in by_object.items()), *parts]


def _part(root: _Node, path: tuple[str, ...], properties: Mapping[str, Property]) -> _Part:
    """Return properties that each stand in one place of an object, or one that stands in several."""
    node = root.below[path[0]] if path else root
    attributes = [node.way(steps[len(path) :])[0][0] for each in properties.values() for steps in each.pointers]
    get_object = attrgetter(*root.way(path)[0]) if path else as_it_is
    if len(attributes) > len(properties):
        (leaf,) = (each.leaf for each in properties.values())
        get_all = attrgetter(*attributes)
        makers: tuple[Shaper | None, ...] = (_first_made(leaf.make or as_it_is),)
        return _Part(get_object, node.made(), lambda value: (get_all(value),), tuple(properties), makers)
    get_first = attrgetter(attributes[0])
    get_values: Shaper = attrgetter(*attributes) if len(attributes) > 1 else lambda value: (get_first(value),)
    return _Part(get_object, node.made(), get_values, tuple(properties), tuple(each.leaf.make for each in properties.values()))


def _first_made(make: Shaper) -> Shaper:
    """Return the function that makes the first value that there is out of several."""

    def make_first(values: Any) -> Any:
        for value in values:
            made = make(value)
            if made is not None:
                return made
        return None

    return make_first


def _elsewhere(root: _Node, each: Property) -> tuple[Shaper, Shaper]:
    """Return what gets a property's value out of plain JSON, and what is made of it."""
    places = []
    for steps in each.pointers:
        attributes, rest, _ = root.way(steps)
        places.append((steps[: len(steps) - len(rest)], [attrgetter(name) for name in attributes]))

    def get(value: Any) -> Any:
        found: dict[str, Any] = {}
        for steps, getters in places:
            *above, last = steps
            holder, at = found, value
            for step in above:
                holder = holder.setdefault(step, {})
            for get_attribute in getters:
                at = None if at is None else get_attribute(at)
            holder[last] = at
        return each.read_json(found)

    return get, each.leaf.make_json
