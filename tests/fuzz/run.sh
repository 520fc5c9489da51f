#!/usr/bin/env bash
# Fuzzes readers one after another; what is found lies in build/fuzz/found.
#
#   tests/fuzz/run.sh SECONDS [READER...]    60 seconds each, all readers, unless told otherwise
#
# Needs `cmake --preset fuzz && cmake --build --preset fuzz`. Inputs that reach new code are kept
# in build/fuzz/grown, so a later run goes on from there.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-60}
shift || true
readers=("$@")
[ ${#readers[@]} -gt 0 ] || readers=(tests/fuzz/corpus/*)
for reader in "${readers[@]##*/}"; do
    mkdir -p "build/fuzz/grown/$reader" "build/fuzz/found"
    "build/fuzz/bin/fuzz_$reader" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 \
        -print_final_stats=1 -artifact_prefix="build/fuzz/found/$reader-" \
        "build/fuzz/grown/$reader" "tests/fuzz/corpus/$reader"
done
