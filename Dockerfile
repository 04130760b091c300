# syntax=docker/dockerfile:1
# The same steps as `make run`, in three stages: front end, wheel, runtime. PyTorch's own wheels carry CUDA, so the
# image trains on a GPU when it is started with `--gpus all` and on the CPU otherwise.

FROM node:20-bookworm-slim AS frontend
WORKDIR /source/frontend
COPY frontend/package.json frontend/package-lock.json ./
COPY frontend/tools ./tools
RUN npm ci --no-audit --no-fund
COPY frontend/ ./
RUN npm run build

FROM python:3.11-slim-bookworm AS wheel
WORKDIR /source
RUN pip install --no-cache-dir build==1.6.1
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY backend/ backend/
COPY --from=frontend /source/backend/layerloom/static backend/layerloom/static
RUN python -m build --wheel --outdir /dist

FROM python:3.11-slim-bookworm
ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    LAYERLOOM_HOME=/var/lib/layerloom \
    OMP_WAIT_POLICY=PASSIVE \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN useradd --create-home --uid 10001 layerloom \
    && install --directory --owner=layerloom --group=layerloom --mode=0700 /var/lib/layerloom
WORKDIR /home/layerloom
COPY constraints.txt .
COPY --from=wheel /dist/*.whl /tmp/
# The extra is named by the wheel's own path, so that pip takes this build and no other of that name.
RUN wheel="$(echo /tmp/layerloom-*.whl)" \
    && pip install --constraint constraints.txt "${wheel}[postgres,export]" \
    && rm "${wheel}"
USER 10001
VOLUME /var/lib/layerloom
EXPOSE 7878
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7878/health', timeout=2)"]
CMD ["layerloom", "serve", "--host", "0.0.0.0", "--allow-host", "localhost", "--port", "7878", "--no-browser"]
