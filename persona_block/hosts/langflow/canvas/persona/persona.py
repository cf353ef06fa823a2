"""The Persona component, as Langflow keeps it in every node; what it does is in persona_block.hosts.langflow."""

from persona_block.hosts.langflow.component import PersonaBlockComponent


class PersonaComponent(PersonaBlockComponent):
    """One operation of Persona, or all of them as tools of an agent."""
