#!/usr/bin/env bash
# Install what is missing on Debian 12 for one purpose: build, check, test, demo, bench or fuzz.
# Asks apt and npm only for what isn't there, so a second run does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

build="gcc meson ninja-build pkg-config python3 libevent-dev libyajl-dev libxml2-dev libsodium-dev
       libpq-dev libssl-dev libsecp256k1-dev nettle-dev libyaml-dev libcmocka-dev zlib1g-dev"
check="$build clang-format clang-tidy git"
fuzz="$build clang-14 libclang-rt-14-dev"
demo="$build postgresql ca-certificates nodejs npm"
test="$check $fuzz $demo"
bench="$demo nginx haproxy wrk"

purpose=${1:-build}
declare -n wanted="$purpose"

root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing=()
for package in $wanted; do
    case $package in # a newer Node or npm than Debian's serves as well
    nodejs) command -v node > /dev/null && continue ;;
    npm) command -v npm > /dev/null && continue ;;
    esac
    dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'ok installed' ||
        missing+=("$package")
done

if [ ${#missing[@]} -gt 0 ]; then
    echo "setup: installing ${missing[*]}"
    # A server that the package starts by itself would be the machine's, not ours.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | root tee $policy > /dev/null
        root chmod +x $policy
        trap 'root rm -f '$policy EXIT
    fi
    root apt-get update -qq
    root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" > /dev/null
fi

case $purpose in
test | demo | bench) docker/npm.sh ;;
esac
