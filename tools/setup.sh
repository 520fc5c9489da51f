#!/usr/bin/env bash
# Installs everything kirchnet needs on Debian 12. Run it as root or with sudo; a second run finds
# nothing to do.
#
#   tools/setup.sh --core    to build and run the program (what tools/demo.sh needs)
#   tools/setup.sh           also training, tests, benchmarks and the developer's tools
set -euo pipefail

core=(
    g++ cmake ninja-build pkg-config
    libeigen3-dev libfmt-dev libtbb-dev librandom123-dev libboost-dev
    libsuitesparse-dev                                 # KLU
    libngspice0-dev ngspice
    libhdf5-dev libxxhash-dev liblzma-dev zlib1g-dev libwebp-dev libjpeg62-turbo-dev
    libonnx-dev libprotobuf-dev protobuf-compiler      # ONNX models
    libcli11-dev libtomlplusplus-dev nlohmann-json3-dev
    libjs-dygraphs                                     # charts of HTML reports
)
full=(
    libtorch-dev
    doctest-dev libbenchmark-dev libdnnl-dev
    python3 python3-numpy python3-h5py hdf5-tools xz-utils  # second roads for the tests
    clang clang-format clang-tidy gcovr
    libclang-rt-14-dev                                 # libFuzzer, preset fuzz
)

usage() { sed -n '2,6s/^# \{0,1\}//p' "$0"; }

case "${1-}" in
    --core) packages=("${core[@]}") ;;
    "") packages=("${core[@]}" "${full[@]}") ;;
    -h | --help) usage; exit 0 ;;
    *) echo "setup.sh: '$1' is not --core" >&2; usage >&2; exit 2 ;;
esac

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
if command -v dpkg-query >/dev/null; then
    for package in "${packages[@]}"; do
        installed "$package" || missing+=("$package")
    done
else
    missing=("${packages[@]}")
fi
if [ ${#missing[@]} -eq 0 ]; then
    echo "setup: all ${#packages[@]} packages are installed"
    exit 0
fi

# shellcheck source=/dev/null
system=$(. /etc/os-release 2>/dev/null && echo "${ID-} ${VERSION_ID-}")
if [ "$system" != "debian 12" ]; then
    echo "setup: this is ${system:-an unknown system}, not Debian 12. Install what these Debian" \
         "packages hold, then build with cmake:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: installing packages needs root; run as root or install sudo" >&2
        exit 1
    fi
    as_root=(sudo)
fi

echo "setup: installing ${#missing[@]} of ${#packages[@]} packages: ${missing[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
"${apt[@]}" update
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
echo "setup: done"
