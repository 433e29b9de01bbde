#!/usr/bin/env bash
# tools/judge_models.sh BUILD DIRECTORY: agents before real model servers, a llama.cpp server with a model that the test writes and a
# LiteLLM proxy, both from PyPI. Their environment stays in BUILD, because llama.cpp is compiled for it.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "$1") directory=$2
environment=$build/judge-models-venv
stamp=$(sha256sum tests/model_servers/requirements.txt | cut -d' ' -f1)
if [ "$(cat "$environment/stamp" 2>/dev/null)" != "$stamp" ]; then
  rm -rf "$environment"
  python3 -m venv "$environment"
  CMAKE_ARGS="-DGGML_NATIVE=OFF" "$environment/bin/python" -m pip install --quiet --disable-pip-version-check -r tests/model_servers/requirements.txt
  echo "$stamp" >"$environment/stamp"
fi
"$environment/bin/python" -m pytest tests/model_servers --binary "$build/holdfast" --basetemp "$directory/pytest" -q
