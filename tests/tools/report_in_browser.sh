#!/usr/bin/env bash
# Opens a report in headless Chromium, from a file and without network, and fails when a chart is
# not drawn or the console holds anything.
#   report_in_browser.sh KIRCHNET EMBEDDED   exit code 77: there is no Chromium
set -euo pipefail
kirchnet=$1
embedded=$2

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ]; then
    echo "skipped: no chromium is installed"
    exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/plan.toml" <<PLAN
name = "stuck cells"
trials = 2
[experiment]
network = "$embedded/digits.h5"
data = "$embedded/digits-images.h5"
images = 20
calibration_images = 8
array.size = "64x64"
[axes]
"faults.rate" = [0, 0.001, 0.02]
mapping = ["two_column", "differential"]
operators = ["ideal", "circuit"]
PLAN
"$kirchnet" sweep "$folder/plan.toml" -o "$folder/r.h5" >/dev/null
"$kirchnet" report "$folder/r.h5" -o "$folder/report.html"

open_page() {
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$folder/profile" \
        --host-resolver-rules="MAP * ~NOTFOUND" --enable-logging=stderr --v=0 \
        --virtual-time-budget=5000 "$@" --dump-dom "file://$folder/report.html" \
        >"$folder/page" 2>"$folder/log"
}
for window in 1280,1200 390,1200; do
    open_page --window-size=$window
    if grep -F CONSOLE "$folder/log"; then
        echo "the console is not empty" >&2
        exit 1
    fi
    # The page's script says how many charts it drew: one for ideal arrays, one for circuits.
    if ! grep -q '<html[^>]* data-charts="2"' "$folder/page"; then
        echo "the charts are not drawn" >&2
        exit 1
    fi
done
echo "two charts, no complaint"
