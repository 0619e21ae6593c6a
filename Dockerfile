# Headwater as an image: server, agent and command line. What runs is the command: `server start`, `agent local start`, ...
FROM python:3.13-slim
WORKDIR /src
COPY . .
RUN pip install --no-cache-dir '.[server]' && rm -rf /src/*
WORKDIR /root
ENTRYPOINT ["headwater"]
CMD ["--help"]
