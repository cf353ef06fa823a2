"""An answer of Persona, made into an output or an error, as the spec says; knows no HTTP library."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

from ..errors import ApiError, ResponseError, TookEffect, api_error_type
from ..spec.grammar import CursorSource, FileSource, ToolSpec
from .json_body import is_too_deep, read_json

_MEDIA_TYPE = re.compile(r"[!-~]*")
SIGNATURES = {"application/pdf": b"%PDF-"}
"""How a file of a media type begins."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, media type and the whole body."""

    status: int
    media_type: str
    body: bytes = field(repr=False)
    request_id: str | None = None
    note: str = ""
    """A sentence on why no further attempt was made, for an error."""
    may_help: bool = True
    """Whether sending the same again may help, for an error."""
    retry_after: float | None = None
    """Seconds until the window of the rate limit ends, for an error that it is the reason of."""


@lru_cache(16)
def media_type_of(content_type: str) -> str:
    """Return the media type of a `Content-Type` without its parameters, blank where it holds none."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type if _MEDIA_TYPE.fullmatch(media_type) else ""


def parse(spec: ToolSpec, answer: Answer) -> dict[str, Any]:
    """Return the JSON output of a 2xx answer; raises ResponseError where it is not what the operation promises.

    This is the general way, which words what is wrong; `compiled.outputs.output_of` gives the same, faster.
    """
    document = _document(spec, answer)
    output = {}
    for name, source in spec.response.items():
        if isinstance(source, CursorSource):
            output[name] = _cursor(spec, answer, document, source)
        elif not isinstance(source, FileSource):
            output[name] = _promised(spec, answer, document, name, source)
    return output


def broken(spec: ToolSpec, answer: Answer, what: str) -> ResponseError:
    """Return the error for a 2xx answer that is not what the operation promises."""
    effect = "" if spec.effect == "read" else " Persona may have acted on it: read the object before sending it again."
    return ResponseError(
        f"Persona answered {spec.name} with {answer.status}, but {what}.{effect}{_cite(answer.request_id)}",
        status=answer.status,
        request_id=answer.request_id,
        took_effect=None if spec.effect == "read" else "unknown",
    )


def _document(spec: ToolSpec, answer: Answer) -> dict[str, Any]:
    if not answer.body.strip():
        raise broken(spec, answer, "with an empty body")
    try:
        document = read_json(answer.body)
    except (ValueError, RecursionError):
        sent = answer.media_type or "something else"
        what = "its JSON is cut off or broken" if "json" in sent else f"with {sent} instead of JSON"
        raise broken(spec, answer, what) from None
    if not isinstance(document, dict):
        raise broken(spec, answer, "the body is not an object")
    return document


def _promised(spec: ToolSpec, answer: Answer, document: dict[str, Any], name: str, pointer: str) -> Any:
    schema = spec.output[name]
    found = first(document, pointer)
    try:
        if found is None and schema["type"] == "array":
            raise ValueError("is missing")
        return shape(schema, found)
    except ValueError as error:
        raise broken(spec, answer, f"{name} at {pointer} {error}") from None
    except RecursionError:
        raise broken(spec, answer, f"{name} at {pointer} is nested too deeply") from None


def _cursor(spec: ToolSpec, answer: Answer, document: dict[str, Any], source: CursorSource) -> str | None:
    """Return the cursor in a link; the links must be there, or the end of a list could be mistaken for its middle."""
    parent = source.pointer.rpartition("/")[0]
    if not isinstance(first(document, parent), dict):
        raise broken(spec, answer, f"without {parent}, so whether more pages follow is unknown")
    link = first(document, source.pointer)
    if link is None:
        return None
    cursor = cursor_of(link, source.query_param)
    if cursor is None:
        raise broken(spec, answer, f"the link at {source.pointer} holds no {source.query_param}")
    return cursor


def cursor_of(link: Any, query_param: str) -> str | None:
    """Return the value of a param in the query of a link, or None where it is no link or has no such param."""
    query = link.partition("#")[0].partition("?")[2] if isinstance(link, str) else ""
    cursors = parse_qs(query).get(query_param)
    return cursors[0] if cursors else None


# --- shaping by schema -----------------------------------------------------------------------------------------------------


def shape(schema: Mapping[str, Any], value: Any) -> Any:
    """Return `value` as the output schema maps it; raises ValueError, as a phrase, where a promise is broken."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if value is None:
        if "array" in types:
            return []
        if "null" in types:
            return None
        if "object" in types and "x-type" not in schema:
            return {}
        raise ValueError("is missing")
    if not any(_is_json(json_type, value) for json_type in types):
        raise ValueError(f"is not {_NAMES[types[0]]}")
    if "properties" not in schema and isinstance(value, dict) and is_too_deep(value):
        raise ValueError("is nested too deeply")
    if "x-unwrap" in schema:
        return unwrap(value)
    if "properties" in schema:
        return _shape_object(schema, value)
    if isinstance(value, list):
        return [shape(schema["items"], item) for item in value] if "items" in schema else value
    if types == ["string"] and not value:
        raise ValueError("is empty text")
    return int(value) if "integer" in types else value


_NAMES = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "an object",
    "array": "a list",
}


def _is_json(json_type: str, value: Any) -> bool:
    """Return whether a value is of a type as JSON Schema counts: true is no number, and 5.0 is a whole one."""
    match json_type:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "integer" | "number":
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            return not isinstance(value, bool) and (whole if json_type == "integer" else isinstance(value, int | float))
        case _:
            return False


def _shape_object(schema: Mapping[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("x-type")
    if kind and not is_of(kind, value.get("type")):
        raise ValueError(f"is not of type {kind}")
    try:
        return {name: shape(part, _mapped(part, value)) for name, part in schema["properties"].items()}
    except ValueError:
        if kind and not (isinstance(value.get("id"), str) and value["id"]):
            raise ValueError("has no id") from None
        raise


def is_of(kind: str, type_name: Any) -> bool:
    """Return whether a type is a kind or one below it, such as `report/watchlist` below `report`."""
    return isinstance(type_name, str) and (type_name == kind or type_name.startswith(f"{kind}/"))


def _mapped(schema: Mapping[str, Any], resource: dict[str, Any]) -> Any:
    if "x-collect" in schema:
        return [item for pointer in schema["x-collect"] for item in _resolve(resource, pointer) if isinstance(item, dict)]
    return first(resource, schema["x-from"])


def unwrap(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields as plain values by name: an object of just `type` and `value` becomes its value, at every depth."""
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"type", "value"} and isinstance(value["type"], str):
        return _plain(value["value"])
    return unwrap(value)


# --- pointers --------------------------------------------------------------------------------------------------------------


def first(document: Any, pointer: str | list[str]) -> Any:
    """Return what `pointer` names, or the first present of several; None where there is nothing, a list for one with `*`."""
    for candidate in [pointer] if isinstance(pointer, str) else pointer:
        found = list(_resolve(document, candidate))
        if "*" in candidate:
            return found
        if found and found[0] is not None:
            return found[0]
    return None


def _resolve(node: Any, pointer: str) -> Iterator[Any]:
    """Yield every value that a JSON Pointer names, `*` stepping through an array."""
    step, _, rest = pointer.removeprefix("/").partition("/")
    if step == "*":
        found = node if isinstance(node, list) else []
    elif isinstance(node, dict) and step in node:
        found = [node[step]]
    else:
        return
    for value in found:
        yield from _resolve(value, rest) if rest else [value]


# --- errors ----------------------------------------------------------------------------------------------------------------


def parse_error(spec: ToolSpec, answer: Answer, *, in_doubt: bool = False) -> ApiError:
    """Return the error of an answer of 300 or more: all that Persona says of it in a sentence, with the Request-Id.

    in_doubt: whether an earlier attempt of the same call may have taken effect.
    """
    kind = api_error_type(answer.status)
    errors = list(_listed_errors(answer))
    title = next((error["title"] for error in errors if error.get("title")), None)
    details = "; ".join(error["details"] for error in errors if error.get("details")) or None
    said = "; ".join(filter(None, map(_sentence, errors))) or _silence(answer)
    advice = answer.note or (_IN_DOUBT if in_doubt and spec.effect != "read" else kind.advice)
    return kind(
        " ".join(filter(None, [f"Persona refused {spec.name} with {answer.status}:", said.rstrip(".") + ".", advice]))
        + _cite(answer.request_id),
        took_effect=_took_effect(spec, answer, in_doubt),
        retryable=kind.may_help and answer.may_help,
        retry_after=answer.retry_after,
        status=answer.status,
        title=title,
        details=details,
        request_id=answer.request_id,
    )


_IN_DOUBT = "An earlier attempt may have taken effect: read the object as it is now before trying again."


def _took_effect(spec: ToolSpec, answer: Answer, in_doubt: bool) -> TookEffect | None:
    if spec.effect == "read":
        return None
    # What answers with a redirect is none of Persona's servers, and may have passed the request on.
    is_in_doubt = in_doubt or answer.status < 400 or answer.status >= 500 or answer.status == 408
    return "unknown" if is_in_doubt else "no"


def _listed_errors(answer: Answer) -> Iterator[dict[str, str]]:
    """Yield title, details and pointer of each error in Persona's error body; nothing where the body is something else."""
    try:
        errors = read_json(answer.body)["errors"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            texts = {name: error[name] for name in ("title", "details") if isinstance(error.get(name), str)}
            pointer = first(error, "/source/pointer")
            yield texts | ({"pointer": pointer} if isinstance(pointer, str) else {})


def _sentence(error: dict[str, str]) -> str:
    said = ": ".join(error[name].rstrip(".") for name in ("title", "details") if error.get(name))
    return f"{said} (at {error['pointer']})" if said and "pointer" in error else said


def _silence(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return "a redirect, which is never followed"
    return f"{answer.media_type} without Persona's error format" if answer.media_type else "nothing more"


def _cite(request_id: str | None) -> str:
    return f" Request-Id {request_id}." if request_id else ""
