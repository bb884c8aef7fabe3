#!/usr/bin/env bash
# Makes the virtual environment with the Python opponents: setup.sh [DIR] [PACKAGE]...
# DIR is target/peers-venv at the top of the project unless given; PACKAGE is duckdb, polars or pyspark (all that can
# run here unless given). PySpark needs Java and is left out without it. Nothing outside DIR is changed.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
venv=${1:-$top/target/peers-venv}
[ $# -eq 0 ] || shift
packages=("$@")
if [ ${#packages[@]} -eq 0 ]; then
  packages=(duckdb polars)
  if command -v java >/dev/null; then
    packages+=(pyspark)
  else
    echo "setup.sh: there is no java: pyspark is left out" >&2
  fi
fi
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
echo "ready: $venv (pass it with --venv unless it is the default)"
