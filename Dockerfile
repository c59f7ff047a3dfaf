# One image for the three services: `docker build -t reeve .`, then `reeve run intake|escalation|notify`.
# Python 3.12, because the second matcher (durable-rules) does not import on 3.13. It also has no wheels, so it
# is compiled in a first stage whose compiler never reaches the image.
FROM python:3.12-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends gcc g++ libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY src ./src
COPY services ./services
RUN python -m venv /opt/reeve
# The versions of the lock, without its development tools and embedded servers.
RUN sed -E -e '/^ +--hash=/d' -e 's/ \\$//' requirements.lock > /tmp/constraints.txt
RUN /opt/reeve/bin/python -m pip install --quiet --no-cache-dir --disable-pip-version-check --constraint /tmp/constraints.txt ".[durable-rules]"

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin reeve
# A new volume that is mounted here belongs to whom the folder belongs.
RUN install --directory --owner=10001 --mode=0700 /var/lib/reeve
COPY --from=build /opt/reeve /opt/reeve
WORKDIR /app
COPY rules ./rules
ENV PATH=/opt/reeve/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    REEVE_RULES=/app/rules \
    REEVE_INTAKE_HOST=0.0.0.0 \
    REEVE_ESCALATION_HOST=0.0.0.0 \
    REEVE_NOTIFY_HOST=0.0.0.0
USER 10001
EXPOSE 8400 8401 8402
ENTRYPOINT ["reeve"]
CMD ["run", "intake"]
