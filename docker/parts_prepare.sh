#!/usr/bin/env bash
# What docker/compose.yaml needs before the gateway starts: secrets, configuration, contracts on
# the chain, tables. Runs in the image's target "parts"; a second run keeps what is there.
#   parts_prepare.sh secrets    the database's password
#   parts_prepare.sh gateway    the rest, once chain and database answer
set -euo pipefail
umask 077
state=/etc/chartseal
database=/run/database

secrets() {
    [ -s $database/password ] || head -c 32 /dev/urandom | base64 | tr -d '/+=\n' > $database/password
}

# A keystore with one of anvil's own, well-known accounts: ether for nothing, on that chain only.
keystore() {
    [ -s "$state/secrets/$1.json" ] && return
    head -c 32 /dev/urandom | base64 > "$state/secrets/$1.password"
    (cd /parts/tests && /parts/docker/node --input-type=module -e '
        import { readFileSync, writeFileSync } from "node:fs";
        import { HDNodeWallet, Mnemonic, encryptKeystoreJson } from "ethers";
        const [file, index] = process.argv.slice(1);
        const words = Mnemonic.fromPhrase("test test test test test test test test test test test junk");
        const account = HDNodeWallet.fromMnemonic(words, `m/44'"'/60'/0'"'/0/${index}`);
        const password = readFileSync(`${file}.password`, "utf8").trim();
        const text = await encryptKeystoreJson(account, password, { scrypt: { N: 16384 } });
        writeFileSync(`${file}.json`, text);' "$state/secrets/$1" "$2")
}

address() {
    echo "0x$(grep -o '"address":"[0-9a-fA-F]*"' "$state/secrets/$1.json" | cut -d'"' -f4)"
}

gateway() {
    mkdir -p $state/secrets
    printf 'postgresql://chartseal:%s@database/chartseal\n' "$(cat $database/password)" \
        > $state/secrets/database.url
    [ -s $state/secrets/root.key ] ||
        chartseal keys init $state/secrets/root.key $state/secrets/checkpoint.key
    keystore owner 0
    keystore relayer 1
    keystore anchoring 2
    [ -s $state/jwks.json ] || echo '{"keys":[]}' > $state/jwks.json
    if [ ! -s $state/chartseal.yaml ]; then
        chartseal anchor deploy --endpoint http://chain:8545 \
            --keystore $state/secrets/owner.json --password $state/secrets/owner.password \
            --origin log.st-elsewhere.example/access \
            --relayer "$(address relayer)" --operator "$(address anchoring)" > $state/deployed
        # The addresses of this chain instead of the example's.
        awk 'NR == FNR { if ($1 ~ /:$/) line[$1] = $0; next }
             /^  (chain_id|consent|anchor):/ { print line[$1]; next } { print }' \
            $state/deployed /parts/docker/chartseal.yaml > $state/chartseal.yaml.new
        mv $state/chartseal.yaml.new $state/chartseal.yaml
    fi
    chartseal migrate --config $state/chartseal.yaml
}

"$1"
