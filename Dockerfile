# Headwater as an image: server, agent and command line. What runs is the command: `server start`, `agent local start`, ...
# NATS and PostgreSQL run elsewhere (compose.yaml), so that their programs are not in it. Sources are mounted for the time of the build, never
# copied: no layer can hold a file of the checkout, such as a key in `.env`.
FROM python:3.13-slim

RUN useradd --uid 10001 --create-home headwater \
    && install --directory --owner headwater --group headwater --mode 700 /home/headwater/.headwater

# Versions are those that the tests last passed with. `--build-arg PIP_CONSTRAINT=/dev/null` takes the newest ones.
ARG PIP_CONSTRAINT=/src/constraints.txt
# Where no index can be reached: the packages that PIP_FIND_LINKS offers instead, in the versions that these are.
ARG PIP_NO_INDEX
ARG PIP_FIND_LINKS
ARG PIP_TRUSTED_HOST

# The packages that it needs; made anew only when one of these two files changes.
RUN --mount=type=bind,source=pyproject.toml,target=/src/pyproject.toml \
    --mount=type=bind,source=constraints.txt,target=/src/constraints.txt \
    python -c "import tomllib; project = tomllib.load(open('/src/pyproject.toml', 'rb'))['project']; \
print(*project['dependencies'], *project['optional-dependencies']['cluster'], sep='\n')" > /tmp/needed.txt \
    && if [ -n "$PIP_NO_INDEX" ]; then PIP_CONSTRAINT=/dev/null; fi \
    && pip install --no-cache-dir --requirement /tmp/needed.txt \
    && rm /tmp/needed.txt

# Building writes beside the sources; what it writes is gone when the step is over.
RUN --mount=type=bind,target=/src,rw pip install --no-cache-dir --no-deps /src

USER headwater
WORKDIR /home/headwater
ENTRYPOINT ["headwater"]
CMD ["--help"]
