#!/usr/bin/env bash
# Prints how many compilers may run at once: one per core, but 1.5 GB of memory for each.
set -euo pipefail
by_memory=$(awk '/^MemAvailable/ { print int($2 / 1500000) }' /proc/meminfo)
jobs=$(nproc)
if [ "$by_memory" -lt "$jobs" ]; then jobs=$by_memory; fi
if [ "$jobs" -lt 1 ]; then jobs=1; fi
echo "$jobs"
