"""The folder that Langflow takes the component from."""
