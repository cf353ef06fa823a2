"""The closed models of what a runtime needs beside the operations: the wire, the numbers, and the vocabulary in words."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from ..spec.grammar import Effect, Format, Grammar, Name, ParamName, Text

Seconds = Annotated[float, Field(gt=0)]
Url = Annotated[str, StringConstraints(pattern=r"^https://[^\s]+$")]


class Auth(Grammar):
    """The API key: its param, the header and scheme that carry it, and the environment variable that stands in for it."""

    param: ParamName
    """The param that an operation takes the key as."""
    header: Text
    """The header that carries the key."""
    scheme: Text
    """The word before the key in the header."""
    environment: Text
    """The environment variable that holds the key where no other is given."""


class RateLimitHeaders(Grammar):
    """The headers that tell of the rate limit: requests a window, requests that are left, seconds to its end."""

    limit: Text
    """How many requests a window allows."""
    remaining: Text
    """How many requests are left in the window."""
    reset: Text
    """In how many seconds the window ends."""


class Wire(Grammar):
    """The part that every call shares: base URL, fixed headers, authorisation, the headers that Persona gives a meaning."""

    base_url: Url
    """The address that the paths of all operations follow."""
    base_url_variable: Text
    """The environment variable that points elsewhere: https, or http on the machine itself, without user, query or
    fragment."""
    headers: dict[str, str]
    """The headers that every request carries."""
    versions: tuple[Text, ...]
    """The versions of the API that Persona knows; the operations are written for the one in `headers`."""
    auth: Auth
    """The way in which the API key is given and sent."""
    idempotency_header: Text
    """The header that carries the idempotency key of a POST."""
    request_id_header: Text
    """The header of an answer by which Persona finds the request again."""
    rate_limit_headers: RateLimitHeaders
    """The headers of an answer that tell of the rate limit."""
    answer_limit_bytes: Annotated[int, Field(gt=0)]
    """The largest answer that is read, a file apart, in bytes after unpacking."""


class Retry(Grammar):
    """The numbers behind `grammar.retry`: seconds, and the statuses after which a call is tried again."""

    deadline_seconds: Seconds
    """How long a call may take with all its attempts."""
    connect_seconds: Seconds
    """How long connecting may take."""
    read_seconds: Seconds
    """How long an answer may keep silent."""
    first_delay_seconds: Seconds
    """How long to wait after the first attempt; each further wait is twice the one before."""
    longest_delay_seconds: Seconds
    """How long to wait at most."""
    again: tuple[int, ...]
    """The statuses after which a call is tried again."""
    again_unless_post: tuple[int, ...]
    """The statuses after which it is tried again unless it is a POST."""
    longest_window_seconds: Seconds
    """How long a window of the rate limit lasts at most."""


class WebhookRules(Grammar):
    """The numbers and names behind `grammar.webhooks`."""

    header: Text
    """The header that holds the signature."""
    tolerance_seconds: Seconds
    """How far the time of signing may be from now."""
    largest_number_of_sets: Annotated[int, Field(gt=0)]
    """How many signatures the header may hold."""
    events: tuple[Text, ...]
    """The names of the events that are known; there may be more."""


class Vocabulary(Grammar):
    """The declarative vocabulary in words, for whoever writes a runtime in another language."""

    coerce: dict[Name, Text]
    """How params as hosts send them become what the wire takes."""
    refusals: dict[Name, Text]
    """What each code of a refused param means."""
    request: dict[Name, Text]
    """How a request is made of params."""
    response: dict[Name, Text]
    """How an output is made of an answer."""
    running: dict[Name, Text]
    """How pages are followed and outcomes awaited."""
    retry: dict[Name, Text]
    """When and how a call is tried again."""
    error: dict[Name, Text]
    """What is told of a call that failed."""
    files: dict[Name, Text]
    """How files are sent and stored."""
    webhooks: dict[Name, Text]
    """How a webhook is verified and read."""
    vectors: dict[Name, Text]
    """How the test vectors are read."""
    canvas: dict[Name, Text]
    """How the fields of a canvas are shown."""
    templates: dict[Name, Text]
    """How a workflow template is run."""
    formats: dict[Format, Text]
    """What a param of each format holds."""
    effects: dict[Effect, Text]
    """What an operation of each effect does to the world."""
