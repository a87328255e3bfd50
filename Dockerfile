# The image of the web server, the worker and all commands: `docker build -t partner-association .`
#
# Replace the tag by its digest (python@sha256:…) where you build, so that a build can be repeated.
FROM python:3.13.5-slim-bookworm AS build
WORKDIR /app
COPY requirements.lock ./
COPY bin/runtime_lock.py bin/
RUN python bin/runtime_lock.py > runtime.lock \
    && python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r runtime.lock
COPY manage.py ./
COPY config config
COPY web web
COPY audit audit
COPY outbox outbox
COPY accounts accounts
COPY partners partners
COPY association association
COPY integration integration
COPY demo demo
COPY templates templates
COPY static static
# The key signs nothing: it is only required, and stays in this command.
RUN SECRET_KEY=unused PUBLIC_BASE_URL=https://unused.invalid \
    /venv/bin/python manage.py collectstatic --no-input \
    && /venv/bin/python -m compileall -q .

FROM python:3.13.5-slim-bookworm
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
# HOST: reachable from the proxy's container. MALLOC_…: see docs/deployment.md, "Memory".
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_MMAP_THRESHOLD_=1048576 \
    HOST=0.0.0.0 \
    LOG_FORMAT=json
# No account of the system: nothing in the image belongs to it, and it writes nothing there.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "-m", "config.health"]
CMD ["gunicorn", "-c", "config/gunicorn.conf.py", "config.wsgi"]
