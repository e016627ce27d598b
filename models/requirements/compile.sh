#!/usr/bin/env bash
# Locks the environments anew: NAME.in to NAME.txt, for Python 3.11 and newer. Needs uv.
set -euo pipefail
cd "$(dirname "$0")"
for name in light train convert; do
    overrides=()
    if [ -e "$name-overrides.txt" ]; then overrides=(--override "$name-overrides.txt"); fi
    uv pip compile --quiet --generate-hashes --universal --python-version 3.11 "${overrides[@]}" \
        --custom-compile-command requirements/compile.sh "$name.in" -o "$name.txt"
done
