# The product in one image; web, worker and beat differ by their command. The context is this directory.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore \
    UV_PYTHON_DOWNLOADS=never UV_NO_CACHE=1
WORKDIR /srv/mailat
# Only packages whose hashes are in the repository get in; this layer changes with the lock alone.
COPY locks/uv.txt locks/base.txt locks/
RUN pip install --require-hashes --no-deps -r locks/uv.txt \
    && uv venv --python python3 /opt/venv \
    && uv pip sync --require-hashes --compile-bytecode --python /opt/venv/bin/python locks/base.txt
ENV PATH=/opt/venv/bin:$PATH
COPY . .
# The settings have no defaults for secrets, so collecting the files borrows the example's.
RUN set -a && . deploy/mailat.env.example && . deploy/secrets.example && set +a \
    && STATIC_ROOT=/srv/mailat/var/static python manage.py collectstatic --no-input \
    && python -m agent.build var/agent \
    && python -m compileall -q . \
    && rm -rf locks deploy/*.example

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="Mailat"
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin mailat \
    && install -d -o mailat -g mailat -m 0700 /var/lib/mailat
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/mailat /srv/mailat
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=mailat.settings BIND=0.0.0.0:8000 \
    STATIC_ROOT=/srv/mailat/var/static AGENT_BUILD_DIR=/srv/mailat/var/agent
WORKDIR /srv/mailat
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["python", "deploy/healthcheck.py"]
ENTRYPOINT ["deploy/entrypoint.sh"]
CMD ["gunicorn", "-c", "deploy/gunicorn.conf.py"]
