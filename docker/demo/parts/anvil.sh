#!/usr/bin/env bash
# A chain of our own: anvil, chain id 31337, a block a second, safe and final after one and two.
#
#   anvil.sh PORT [anvil's options …]
#
# HOST (127.0.0.1) is where it listens; BLOCK_TIME (1) the seconds between blocks, empty: a
# block for each transaction at once; STATE a file that holds the chain over a restart.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)

port=${1:?port}
shift
options=(--host "${HOST:-127.0.0.1}" --port "$port" --chain-id 31337 --slots-in-an-epoch 1)
time=${BLOCK_TIME-1}
[ -z "$time" ] || options+=(--block-time "$time")
[ -z "${STATE:-}" ] || options+=(--state "$STATE" --state-interval 5 --preserve-historical-states)

# npm runs no postinstall here, so it is called where the package has it.
exec "$top/tests/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil" "${options[@]}" "$@"
