#!/bin/sh
# Finds a Chromium for the tests, or gets one: Debian's package where we are root, else Playwright's own.
set -eu
cd "$(dirname "$0")/.."
if [ -n "${CHROMIUM:-}" ] && [ -x "${CHROMIUM:-}" ]; then exit 0; fi
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium from Debian..."
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
    command -v chromium >/dev/null 2>&1 && exit 0
fi
exec .venv/bin/playwright install chromium
