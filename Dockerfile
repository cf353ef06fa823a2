# The MCP server, on standard input and output or over HTTP:
#   docker run -i --rm -e PERSONA_API_KEY persona-block
#   docker run --rm -p 127.0.0.1:8485:8485 persona-block --http --host 0.0.0.0 --public-host localhost
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY persona_block/ persona_block/
COPY tool_specs/ tool_specs/
COPY icons/ icons/
COPY runtimes/javascript/src/ runtimes/javascript/src/
# What is installed is this package, and pyproject.toml has the versions.
# hadolint ignore=DL3013
RUN python -m venv --without-pip /opt/persona-block && \
    pip --python /opt/persona-block/bin/python install --no-cache-dir '.[mcp,fast]'

FROM python:3.13-slim
COPY --from=build /opt/persona-block /opt/persona-block
ENV PATH=/opt/persona-block/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# It writes nothing but temporary files, so it also runs with --read-only --tmpfs /tmp.
USER 10001:10001
WORKDIR /tmp
EXPOSE 8485
ENTRYPOINT ["persona-block", "mcp"]
