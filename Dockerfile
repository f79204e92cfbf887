# The service on the CPU: docker build -t relsift . && docker run --rm -p 127.0.0.1:8000:8000 relsift
# `.ci/docker_steps.py` runs these steps without Docker.
FROM python:3.12-slim AS build
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN python -m venv /opt/relsift
ENV PATH=/opt/relsift/bin:$PATH
WORKDIR /src
COPY constraints.txt ./
# First, from the index of CPU builds: the usual one brings several gigabytes for GPUs.
RUN pip install --no-cache-dir -c constraints.txt --index-url $TORCH_INDEX torch
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip install --no-cache-dir -c constraints.txt ".[serve,transformers]"

FROM python:3.12-slim
COPY --from=build /opt/relsift /opt/relsift
RUN useradd --system --no-create-home --uid 10001 relsift
USER 10001
ENV PATH=/opt/relsift/bin:$PATH RELSIFT_HOME=/tmp/relsift PYTHONDONTWRITEBYTECODE=1
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=3)"]
ENTRYPOINT ["relsift", "serve", "--host", "0.0.0.0"]
CMD ["demo-en"]
