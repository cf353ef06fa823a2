"""A reference to a stored file, as outputs hold it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class FileRef(BaseModel):
    """A stored file, as an output holds it and as a `file` param takes it; `size` is in bytes, `path` None when remote."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    name: str
    mime_type: str
    size: int
    url: str
    path: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the reference as JSON data, keys in camelCase."""
        return self.model_dump(by_alias=True)
