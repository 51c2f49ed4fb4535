#!/bin/sh
# Install what uv.lock says into .venv.
#
# uv.lock names PyPI, and uv takes its packages from nowhere else. Where the machine is told to use another index
# (UV_DEFAULT_INDEX, UV_INDEX_URL, PIP_INDEX_URL or pip.conf), the same versions with the same hashes come from there.
set -eu
uv=.cache/uv/bin/uv
python=.cache/uv/bin/python
configured=$($python -m pip config get global.index-url 2>/dev/null || true)
index=${UV_DEFAULT_INDEX:-${UV_INDEX_URL:-${PIP_INDEX_URL:-$configured}}}

case $index in
"" | https://pypi.org/*)
    $uv sync --frozen --quiet --python $python
    ;;
*)
    echo "make: taking packages from the configured index" >&2
    [ -x .venv/bin/python ] || $uv venv --quiet --python $python .venv
    $uv export --frozen --quiet --no-emit-project --output-file .cache/requirements.txt
    $uv pip sync --quiet --require-hashes --default-index "$index" --python .venv/bin/python .cache/requirements.txt
    $uv pip install --quiet --no-deps --default-index "$index" --python .venv/bin/python --editable .
    ;;
esac
