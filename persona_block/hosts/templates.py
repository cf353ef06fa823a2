"""Templates that the operator names, for keys that cannot list them: Persona lists templates to a production key alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from ..errors import InputError, Problem
from ..spec.grammar import ToolSpec
from .tool import Tool

INQUIRY_PREFIXES = ("itmpl_", "tmpl_")
"""What the id of an inquiry template begins with."""
REPORT_PREFIX = "rptp_"
"""What the id of a report template begins with."""

_INQUIRY_TEMPLATES = "inquiryTemplates"
"""The output that lists inquiry templates."""
_REPORT_TEMPLATES = "reportTemplates"
"""The output that lists report templates, where the operator names some."""
_REPORT_PARAM = "reportTemplateId"
"""The param that a report template is given as."""
_NAME_LIMIT = 80
"""Characters of a name."""
_HERE = "It lists those that whoever runs this host has named"


@dataclass(frozen=True)
class Templates:
    """Names of inquiry templates and of report templates, by id."""

    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Mapping[str, str]) -> Self:
        """Return the templates; raises InputError for an id that is of none, and for a name that is blank or too long."""
        problems = []
        for number, (template_id, name) in enumerate(names.items(), 1):
            if not template_id.startswith((*INQUIRY_PREFIXES, REPORT_PREFIX)) or not template_id.isprintable():
                begins = f"must be the id of a template, which begins with {', '.join(INQUIRY_PREFIXES)} or {REPORT_PREFIX}"
                problems.append(Problem("templates", f"entry {number} {begins}"))
            elif not name.strip() or len(name) > _NAME_LIMIT or not name.isprintable():
                text = f"{template_id} needs a name of 1 to {_NAME_LIMIT} characters, as in {template_id}=Onboarding"
                problems.append(Problem("templates", text))
        if problems:
            raise InputError("templates", problems)
        return cls({template_id: name.strip() for template_id, name in names.items()})

    @classmethod
    def parsed(cls, pairs: Iterable[str]) -> Self:
        """Return the templates of texts such as `itmpl_1=Onboarding`; raises InputError."""
        names = {}
        for pair in pairs:
            template_id, _, name = pair.partition("=")
            names[template_id.strip()] = name.strip()
        return cls.of(names)

    @property
    def inquiry_templates(self) -> list[dict[str, str]]:
        """The inquiry templates as a list gives them."""
        return [{"id": each, "name": name} for each, name in self.names.items() if each.startswith(INQUIRY_PREFIXES)]

    @property
    def report_templates(self) -> list[dict[str, str]]:
        """The report templates as a list gives them."""
        return [{"id": each, "name": name} for each, name in self.names.items() if each.startswith(REPORT_PREFIX)]

    def listed(self, spec: ToolSpec) -> dict[str, Any] | None:
        """Return the output of the operation that lists templates; None for another, and where no template is named."""
        if not self._lists(spec):
            return None
        reports = {_REPORT_TEMPLATES: self.report_templates} if self.report_templates else {}
        return {_INQUIRY_TEMPLATES: self.inquiry_templates, **reports}

    def described(self, tool: Tool) -> Tool:
        """Return a tool whose text says which templates are listed, or which reports can be made."""
        if self._lists(tool.spec):
            first_sentence = tool.description.partition(". ")[0]
            also = ", report templates too" if self.report_templates else ""
            return replace(tool, told=f"{first_sentence}. {_HERE}{also}.")
        if _REPORT_PARAM in tool.spec.params and self.report_templates:
            named = ", ".join(f"{each['id']} ({each['name']})" for each in self.report_templates)
            return replace(tool, told=f"{tool.description} Report templates here: {named}.")
        return tool

    def _lists(self, spec: ToolSpec) -> bool:
        return bool(self.names) and _INQUIRY_TEMPLATES in spec.output
