#!/usr/bin/env bash
# From a clean clone to all tests in one command: installs what is missing (root or sudo), builds
# with optimisation and with sanitizers, and runs the tests of both.
#
#   tools/test.sh          everything but the tests labelled slow
#   tools/test.sh --slow   those too
#
# Tests on public data sets run where KIRCHNET_TEST_DATA names their folder, and say so elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."

slow=false
case "${1-}" in
    "") ;;
    --slow) slow=true ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "test.sh: '$1' is not --slow" >&2; exit 2 ;;
esac

export OMP_WAIT_POLICY=passive  # spinning threads starve the others on small machines
jobs=$(tools/jobs.sh)
launcher=()
if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi

step() { printf '\n== %s (%s s)\n' "$*" "$SECONDS"; }

step "Set-up"
tools/setup.sh

step "Release build"
cmake --preset release -DKIRCHNET_TRAINING=ON "${launcher[@]}" >/dev/null
cmake --build --preset release -j "$jobs"
step "Tests"
ctest --preset release -j "$jobs"
if $slow; then
    step "Slow tests"
    ctest --preset slow -j "$jobs"
fi

step "Build with address and undefined-behaviour sanitizers"
cmake --preset dev -DKIRCHNET_TRAINING=OFF "${launcher[@]}" >/dev/null
cmake --build --preset dev -j "$jobs"
step "Tests under sanitizers"
ctest --preset dev -j "$jobs"
