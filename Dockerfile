# syntax=docker/dockerfile:1
# One image for every role: `docker run packhouse serve web`. It holds no key, no password and no data.

FROM python:3.11-slim AS wheel
WORKDIR /build
# What builds the wheel is locked as well; none of it gets into the image.
COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes \
    --requirement requirements.lock
COPY pyproject.toml README.md ./
COPY src ./src
RUN pip wheel --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir /wheel .

FROM python:3.11-slim AS environment
# The locked dependencies first: they change less often than the code, so this layer is kept.
COPY requirements-image.lock ./
RUN python -m venv /opt/packhouse \
 && /opt/packhouse/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: \
    --require-hashes --requirement requirements-image.lock
COPY --from=wheel /wheel /wheel
RUN /opt/packhouse/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps /wheel/*.whl \
 && /opt/packhouse/bin/packhouse assets build

FROM python:3.11-slim
# A number, so that Kubernetes can see that it is not root.
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin packhouse \
 && install --directory --owner 10001 --group 10001 /var/lib/packhouse/media /var/lib/packhouse/backups
COPY --from=environment /opt/packhouse /opt/packhouse
ENV PATH=/opt/packhouse/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PACKHOUSE_ENVIRONMENT=production \
    PACKHOUSE_HTTP_HOST=0.0.0.0 \
    PACKHOUSE_MEDIA_DIRECTORY=/var/lib/packhouse/media \
    PACKHOUSE_BACKUP_DIRECTORY=/var/lib/packhouse/backups
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000 8001 8002 8003 8004
# SIGTERM is a clean stop: requests in hand are finished.
STOPSIGNAL SIGTERM
ENTRYPOINT ["packhouse"]
CMD ["serve"]
