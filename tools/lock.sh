#!/bin/sh
# Writes requirements.lock from the three pyproject files, or with --check says whether it is what they ask for.
# Versions already in the lock are kept unless --upgrade is given. No registry's address is written.
set -eu
cd "$(dirname "$0")/.."

compile() {
    out=$1
    shift
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --output-file "$out" "$@" pyproject.toml backend/pyproject.toml frontend/pyproject.toml
}

if [ "${1:-}" != "--check" ]; then
    compile requirements.lock "$@"
    exit 0
fi
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
cp requirements.lock "$fresh"
compile "$fresh"
if ! cmp -s requirements.lock "$fresh"; then
    echo "requirements.lock is not what the pyproject files ask for. Run: ./taskw lock" >&2
    diff requirements.lock "$fresh" | head -20 >&2
    exit 1
fi
