#!/usr/bin/env bash
# Checks the Python under models/: style, types, tests, and a small training on synthetic people that
# ends with models which the daemon's binary runs. Needs `make setup` and the animated signer built.
#
# Environments lie under target/ and are made anew when what they are locked to changes. That of
# PyTorch takes 4.6 GB: the registry has no build of it for processors alone. TENSORFLOW=1 also tests the
# conversion of other people's models, for another 1.7 GB.
set -euo pipefail
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1 PIP_DISABLE_PIP_VERSION_CHECK=1 TQDM_DISABLE=1

# The folder of an environment, made if it is not there.
environment() {
    local name=$1 folder=target/models-$1 lock=models/requirements/$1.txt
    if ! cmp -s "$lock" "$folder/installed.txt"; then
        echo "check-models: installing $lock"
        rm -rf "$folder"
        python3 -m venv "$folder"
        # The lock is whole: pip need not look for what else is needed.
        "$folder/bin/python" -m pip install --quiet --require-hashes --no-deps \
            --only-binary=:all: -r "$lock"
        cp "$lock" "$folder/installed.txt"
    fi
}

step() {
    echo "check-models: $1"
    shift
    "$@"
}

# TensorFlow is needed for other people's models alone.
names=(light train ${TENSORFLOW:+convert})
for name in "${names[@]}"; do environment "$name"; done
bin=$PWD/target
step "style" "$bin/models-light/bin/ruff" check --quiet .
step "format" "$bin/models-light/bin/ruff" format --quiet --check .
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd models
# Types of PyTorch are in its own environment, those of all others there too.
step "types" "$bin/models-light/bin/mypy" --python-executable "$bin/models-train/bin/python"
step "tests" "$bin/models-light/bin/python" -m pytest tests/light
step "tests with PyTorch" "$bin/models-train/bin/python" -m pytest tests/train
if [ -n "${TENSORFLOW:-}" ]; then
    step "tests with TensorFlow" "$bin/models-convert/bin/python" -m pytest tests/convert
else
    echo "check-models: SKIPPED tests with TensorFlow: set TENSORFLOW=1 for them"
fi
step "small training" "$bin/models-train/bin/python" -m signd_models.smoke "$work/smoke"
echo "check-models: all passed"
