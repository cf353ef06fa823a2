"""The JSON Schema of a manifest, made from its models: closed, with a title and a description for every property."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from ..spec.grammar import Grammar
from .model import Manifest

_ABBREVIATIONS = {"id": "ID", "ids": "IDs", "url": "URL", "json": "JSON", "llm": "LLM", "post": "POST"}


def manifest_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every manifest of this version fits."""
    return {"$schema": _Described.schema_dialect} | Manifest.model_json_schema(schema_generator=_Described)


class _Described(GenerateJsonSchema):
    """Tells of every property what the docstring below its field says; a value that may be None is left out of a manifest."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        json_schema = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        json_schema["title"] = _words(model.__name__)
        for name, field in model.model_fields.items():
            described = json_schema["properties"][field.alias or name]
            if text := _field_text(model, name) or _model_text(field.annotation):
                described["description"] = text
        return json_schema

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        json_schema = super().dict_schema(schema)
        # Names that the pattern does not fit are refused, rather than let through with any value.
        return json_schema | ({"additionalProperties": False} if "patternProperties" in json_schema else {})

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        json_schema = super().default_schema(schema)
        return {word: value for word, value in json_schema.items() if (word, value) != ("default", None)}

    def get_title_from_name(self, name: str) -> str:
        return _words(name)


def _words(name: str) -> str:
    """Return a name in camelCase or kebab-case as words, the first of which is capitalised."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-_]+", " ", name).strip().lower().split()
    spelled = [_ABBREVIATIONS.get(word, word) for word in words]
    return " ".join([spelled[0][:1].upper() + spelled[0][1:], *spelled[1:]])


def _model_text(annotation: Any) -> str | None:
    """Return the first paragraph of a model's docstring, for a field that holds just one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (inspect.getdoc(annotation) or "").partition("\n\n")[0].replace("\n", " ")
    return None


def _field_text(model: type[BaseModel], field: str) -> str | None:
    """Return the docstring below a field, in the class or in the nearest of its bases that has one."""
    bases = [base for base in model.__mro__ if issubclass(base, Grammar)]
    texts = (_texts(base.__module__).get((base.__name__, field)) for base in bases)
    return next(filter(None, texts), None)


@cache
def _texts(module: str) -> dict[tuple[str, str], str]:
    """Return the docstrings below the fields of a module's classes, by class and field."""
    classes = [node for node in ast.parse(inspect.getsource(sys.modules[module])).body if isinstance(node, ast.ClassDef)]
    texts = {}
    for class_node in classes:
        for field, below in pairwise(class_node.body):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    texts[class_node.name, name] = " ".join(text.split())
    return texts
