"""The block on Langflow's canvas: `pip install 'persona-block[langflow]'`, and Langflow finds it by itself.

`extension.json` tells Langflow where the component is: `canvas/persona/persona.py`. Langflow keeps that file in every node
and runs it from there, so it holds next to nothing. What a node shows is derived from the manifest in `fields`; what it gives
is made in `outputs`. Those know nothing of Langflow; `inputs`, `component` and `agent` do.
"""
