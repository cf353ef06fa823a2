"""The texts of the Dify plugin that are the same for every manifest but for the places in braces."""

from __future__ import annotations

MAIN = '''"""The plugin's entry: it serves the tools of `provider` to Dify."""

from dify_plugin import DifyPluginEnv, Plugin

plugin = Plugin(DifyPluginEnv(MAX_REQUEST_TIMEOUT=300))

if __name__ == "__main__":
    plugin.run()
'''

PROVIDER = '''"""The provider: it checks what a person typed as credentials."""

from typing import Any

from dify_plugin import ToolProvider
from dify_plugin.errors.tool import ToolProviderCredentialValidationError

from dify_tool import CallFailed, check_credentials


class PersonaProvider(ToolProvider):
    """Persona, with the credentials of one environment."""

    def _validate_credentials(self, credentials: dict[str, Any]) -> None:
        try:
            check_credentials(credentials, "{operation}", {params})
        except CallFailed as error:
            raise ToolProviderCredentialValidationError(str(error)) from None
'''

TOOL = '''"""The tool {title}."""

from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

from dify_tool import call


class {class_name}(Tool):
    """{title}, as its YAML file describes it."""

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        yield from call(self, "{operation}", tool_parameters)
'''

README = """# Persona for Dify

{description}

`persona-block export dify` made this plugin from the manifest of persona-block {version}. Make it anew rather than edit it.

## Setting it up

1. Install it in Dify: package this folder with Dify's command line (`dify plugin package`) and upload the file. The tools
   need the Python package `persona-block`, which `requirements.txt` names. Where Dify cannot get it by that name, put its
   wheel into this folder and name the file in `requirements.txt` instead (`./persona_block-….whl`).
2. Give the credentials.
   - **API key**: of the sandbox or the production environment that the work belongs to. It is checked by one small read.
   - **Confirmation word**: a word of yours, of {word_length} characters or more. Left empty, no tool decides or erases.
   - **Base URL**: empty, unless you test against something else than Persona.

## Using it

- **Outputs.** In a workflow each output is a variable of its own (`inquiry`, `oneTimeLink`, `inquiries`), and `json` holds
  them all. `text` is a line to post. A PDF comes as a file.
- **Decisions and erasures.** Dify has no approval before a tool runs, so the tools that decide or erase take the confirmation
  word in their settings, where a person types it and a model cannot. In a workflow, put a Human Input node before them. Give
  such a tool to an agent only where the agent may use it without asking.
- **Objects and lists** are JSON text: `{{"name-first": "Jane"}}`. A list may also be separated by commas.
- **At least one of several.** Where a tool asks for one of several params, Dify marks none of them; without any, the error
  names them.
- **Files.** An import takes a CSV file of Dify of up to {file_limit} MiB: an upload, or the file of an earlier node.
- **Long lists.** *Read all pages* follows the pages, up to {items_limit} items.
- **Waiting.** *Wait for the end* waits up to {wait_seconds} seconds. A person who verifies takes longer: use a webhook there.
- **Trying again.** An error says whether the call took effect and whether it can be sent again. Before you switch on *Retry on
  failure* for a tool that creates or changes something, give it an idempotency key that only this call has, such as
  `{{{{#sys.workflow_run_id#}}}}-create`. Without one, a call whose answer was lost may happen twice.

## Tools

| tool | effect | what it does |
| --- | --- | --- |
{tools}
"""

PRIVACY = """# Privacy

The plugin sends the params of a tool to Persona's API ({docs}), or to the base URL of its credentials, and gives Dify what
that answers. Params and answers hold personal data: names, dates of birth, document numbers, the outcome of verifications.

- It keeps nothing. A PDF lies in a temporary folder until it has been handed to Dify, and is then deleted.
- The API key goes into the header of requests to that address and nowhere else. No error or log of the plugin holds it, a
  value of a param, or a link.
- It has no analytics and calls nobody else. An import fetches the CSV file from your Dify.
- What Dify keeps (variables, files, logs of runs) is for whoever runs your Dify to say, and what Persona keeps for your
  agreement with Persona.
"""
