#!/usr/bin/env bash
# Installs the browser in which the page is tested, where it is missing. On Debian and Ubuntu.
set -euo pipefail
command -v chromedriver >/dev/null && exit
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    chromium chromium-driver >/dev/null
