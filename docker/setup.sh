#!/usr/bin/env bash
# Install what is missing on Debian 12 for one purpose: build, check, test, demo, bench or fuzz.
# Asks apt and npm only for what isn't there, so a second run does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

build="gcc meson ninja-build pkg-config python3 libevent-dev libyajl-dev libxml2-dev libsodium-dev
       libpq-dev libssl-dev libsecp256k1-dev nettle-dev libyaml-dev libcmocka-dev zlib1g-dev"
check="$build clang-format clang-tidy"
fuzz="$build clang-14 libclang-rt-14-dev"
demo="$build postgresql ca-certificates curl nodejs npm"
test="$check $fuzz $demo procps libxml2-utils"
bench="$demo nginx haproxy wrk procps"

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

# What apt says, as a line for every tenth package; all of it if it fails.
progress() {
    local line said="" total="" n=0
    while IFS= read -r line; do
        said+=$line$'\n'
        case $line in
        *" newly installed, "*) total=$(cut -d' ' -f3 <<< "$line") ;;
        "Setting up "*) n=$((n + 1)); [ $((n % 10)) != 0 ] || echo "setup:   $n of $total packages" ;;
        esac
    done
    grep -q '^E: ' <<< "$said" && printf %s "$said"
    return 0
}

if [ ${#missing[@]} -gt 0 ]; then
    echo "setup: installing ${missing[*]}" | fold -s -w 96
    # A server that the package starts by itself would be the machine's, not ours.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | root tee $policy > /dev/null
        root chmod +x $policy
        trap 'root rm -f '$policy EXIT
    fi
    root apt-get update -qq
    root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        "${missing[@]}" 2>&1 | progress
fi

case $purpose in
test | demo | bench) docker/npm.sh ;;
esac
