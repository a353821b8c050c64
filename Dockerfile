# How to build and run it: docs/en/install.md
ARG DEVICE=cpu

FROM python:3.11-slim AS base
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    PYTHONUNBUFFERED=1 GVHMR_DATA_ROOT=/data
WORKDIR /workspace

FROM base AS torch-cpu
RUN pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu

# The wheel of PyPI has the CUDA libraries in it; the host needs the driver and NVIDIA's container toolkit.
FROM base AS torch-cuda
RUN pip install torch==2.13.0

FROM torch-${DEVICE} AS package
COPY requirements requirements
RUN pip install -r requirements/build.txt -r requirements/runtime.txt \
    -r requirements/mminstall.txt -r requirements/optional.txt
RUN pip install --no-deps -r requirements/mminstall_nodeps.txt -r requirements/mediapipe.txt
COPY . .
RUN pip install --no-deps --no-build-isolation -e .
RUN python -m gvhmr_da_mm.compat.link_editable
CMD ["python", "tools/misc/collect_env.py"]
