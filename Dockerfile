# Images for batch jobs (docs/jobs.md):
#   docker build --target cpu -t vscan:cpu .
#   docker build --target gpu -t vscan:gpu .
# The base is pinned by tag; who needs the same bytes for ever gives a digest:
#   --build-arg PYTHON=python:3.11-slim-bookworm@sha256:…
ARG PYTHON=python:3.11-slim-bookworm

# The build stages stay behind, with pip, uv and whatever building needs.
FROM ${PYTHON} AS build
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    PYC_INVALIDATION_MODE=unchecked-hash
WORKDIR /src
COPY requirements.lock pyproject.toml ./
RUN python -m pip install --no-cache-dir "$(grep -m1 '^uv==' requirements.lock)" \
    && python -m venv --without-pip /opt/vscan

# PyTorch's default wheels bring CUDA along, several GB. `cpu` has uv ask PyTorch's own index for
# those without; empty, everything comes from the default index. RAY=1 puts Ray into the image.
FROM build AS build-cpu
ARG TORCH_BACKEND=cpu
ARG RAY=
RUN uv pip install --python /opt/vscan/bin/python --constraints requirements.lock \
    --requirements pyproject.toml --extra s3 --extra gcs --extra azure --extra http \
    ${RAY:+--extra ray} \
    ${TORCH_BACKEND:+--torch-backend "$TORCH_BACKEND"}
COPY . .
RUN uv pip install --python /opt/vscan/bin/python --no-deps \
    --build-constraints requirements.lock .

FROM build AS build-gpu
ARG TORCH_BACKEND=
ARG RAY=
RUN uv pip install --python /opt/vscan/bin/python --constraints requirements.lock \
    --requirements pyproject.toml --extra s3 --extra gcs --extra azure --extra http \
    ${RAY:+--extra ray} \
    ${TORCH_BACKEND:+--torch-backend "$TORCH_BACKEND"}
COPY . .
RUN uv pip install --python /opt/vscan/bin/python --no-deps \
    --build-constraints requirements.lock .

# Weights are mounted at /models, or baked in: --build-arg MODEL=ViT-B-32-datacomp
FROM build-cpu AS models
ARG MODEL=
ENV HF_HOME=/models
RUN mkdir -p /models \
    && if [ -n "$MODEL" ]; then /opt/vscan/bin/vscan models pull "$MODEL"; fi

FROM ${PYTHON} AS runtime
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="vscan" \
      org.opencontainers.image.description="Scans videos against content policies" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN useradd --uid 10001 --no-create-home --home-dir /scratch --shell /usr/sbin/nologin vscan \
    && install -d -o 10001 -g 10001 /scratch
# The root file system may be read-only: all that is written goes to /scratch and /tmp. A scan
# downloads no model; `vscan models pull` needs HF_HUB_OFFLINE=0 and a writable HF_HOME.
ENV PATH=/opt/vscan/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/scratch \
    XDG_CACHE_HOME=/scratch/cache \
    VSCAN_CACHE=/scratch/cache/vscan \
    TMPDIR=/tmp \
    HF_HOME=/models \
    HF_HUB_OFFLINE=1
COPY --from=models /models /models
VOLUME /scratch
WORKDIR /scratch
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK NONE
ENTRYPOINT ["vscan"]
CMD ["scan", "/videos", "--output", "/out/verdicts.jsonl", "--log-format", "json", "--metrics-file", "/out/vscan.prom"]

# PyTorch's wheels hold all of CUDA but the driver, which the NVIDIA container runtime mounts: a
# CUDA base image would hold the same libraries a second time.
FROM runtime AS gpu
COPY --from=build-gpu /opt/vscan /opt/vscan
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

FROM runtime AS cpu
COPY --from=build-cpu /opt/vscan /opt/vscan
