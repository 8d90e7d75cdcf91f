#!/usr/bin/env bash
# The profile national: a joint query of real processes with SM2, SM3 and SM4 in every place, against SQLite, and what a
# genesis forbids, by name. With FIRMIANA_FULL=1 also a consortium's exported trail, of which openssl and Python alone
# recompute chain id, log root and transaction roots with SM3 and check the cosignatures with SM2.
# usage: tests/national.sh BUILD_FOLDER
set -euo pipefail

build=$(cd "$1" && pwd)
name=national.sh
unset FIRMIANA_PROFILE # it says itself under which
# shellcheck source=tests/homes.sh
source "$(dirname "$0")/homes.sh"

must_refuse() { # EXIT_CODE TEXT COMMAND...
  local code=$1 text=$2 status=0
  shift 2
  "$@" >"$W/out" 2>&1 || status=$?
  [ "$status" = "$code" ] || fail "exit code $status, not $code: $*: $(cat "$W/out")"
  grep -qF -- "$text" "$W/out" || fail "does not say '$text': $(cat "$W/out")"
}

# ---- a query, answered by real processes ----
"$firmiana" demo-data "$W/small" --rows 60 --banks 3 >/dev/null
sql="SELECT COUNT(*), SUM(balance), MAX(overdue_days) FROM loans WHERE overdue_days > 10"
pooled="SELECT * FROM a.loans UNION ALL SELECT * FROM b.loans UNION ALL SELECT * FROM c.loans"
want=$(sqlite3 -csv :memory: "ATTACH '$W/small/bank_a.db' AS a; ATTACH '$W/small/bank_b.db' AS b; ATTACH '$W/small/bank_c.db' AS c;
  WITH loans AS ($pooled) SELECT COUNT(*), printf('%.2f', SUM(balance) / 100.0), MAX(overdue_days) FROM loans WHERE overdue_days > 10")
got=$("$firmiana" local query --profile national --csv --data "$W/small/bank_a.db" --data "$W/small/bank_b.db" \
  --data "$W/small/bank_c.db" "$sql" 2>"$W/notes" | tail -n 1)
echo "national: local query: $got"
[ "${got//\"/}" = "$want" ] || fail "the answer is $got, SQLite says $want"

# ---- what is forbidden ----
make() { "$firmiana" init --home "$W/$1" --alias "$1" --listen tcp://127.0.0.1:7100 "${@:2}" >/dev/null; }
must_refuse 14 "CometBFT signs its votes with Ed25519 and hashes with SHA-256, which the profile national forbids" \
  "$firmiana" init --home "$W/none" --alias none --listen tcp://127.0.0.1:7100 --profile national --engine cometbft \
  --consensus tcp://127.0.0.1:7101
[ ! -e "$W/none" ] || fail "a refused init left a home"
must_refuse 2 "--profile secret: international or national" \
  "$firmiana" init --home "$W/none" --alias none --listen tcp://127.0.0.1:7100 --profile secret
make here
make there --profile national
grep -q '"aead":"sm4-ctr-hmac-sm3"' "$W/there/keys/assertion.json" || fail "a national key is not sealed with SM4"
grep -q '"suite":"sm2"' "$W/there/keys/assertion.json" || fail "a national key is not SM2's"
genesis() { "$firmiana" ledger init --name x --sequencer "$1" --member "$W/$1/member.json" --out "$W/$1.genesis" "${@:2}"; }
must_refuse 3 "ed25519 keys and signatures are not allowed: the profile is national (sm2)" genesis here --profile national
must_refuse 3 "sm2 keys and signatures are not allowed: the profile is international (ed25519, p256)" genesis there
[ ! -e "$W/here.genesis" ] && [ ! -e "$W/there.genesis" ] || fail "a refused genesis was written"
genesis there --profile national >"$W/out"
grep -q "profile national" "$W/out" || fail "ledger init does not name the profile"
grep -q "chain $(openssl dgst -sm3 -r <"$W/there.genesis" | cut -d' ' -f1)" "$W/out" || fail "the chain id is not SM3 of the genesis"
cp "$W/there.genesis" "$W/there/genesis.json"
must_refuse 11 "the ledger's profile is national, but this program works under international" \
  env FIRMIANA_PROFILE=international FIRMIANA_HOME="$W/there" "$firmiana" node check
if [ "${FIRMIANA_FULL:-0}" != 1 ]; then
  echo "national: a query, and refusals by name; the trail: FIRMIANA_FULL=1"
  exit 0
fi

# ---- a trail, checked by others' programs ----
export FIRMIANA_PROFILE=national
homes_make 60
homes_start
for m in "${banks[@]}"; do as "$m" dataset publish --table loans >/dev/null; done
as regulator audit export --out "$W/trail.bundle" >/dev/null
"$verify" "$W/trail.bundle" >/dev/null || fail "firmiana-verify refuses the trail"
env -u FIRMIANA_PROFILE "$verify" "$W/trail.bundle" >/dev/null || fail "firmiana-verify does not find the profile by itself"
python3 - "$W/trail.bundle" "$W" <<'PYTHON'
import base64, hashlib, json, subprocess, sys

H = lambda b: hashlib.new("sm3", b).digest()
jcs = lambda v: json.dumps(v, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
lines = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
genesis = lines[0]["genesis"]
assert genesis["profile"] == "national" and lines[0]["chain"] == H(jcs(genesis)).hex(), "chain id"

def root(leaves):
    if not leaves:
        return H(b"")
    if len(leaves) == 1:
        return H(b"\0" + leaves[0])
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return H(b"\1" + root(leaves[:k]) + root(leaves[k:]))

leaves = [line for line in lines if "leaf" in line]
data = [H(jcs(line["payload"])) if "payload" in line else bytes.fromhex(line["payload_hash"]) for line in leaves]
begin, blocks = 0, 0
for i, line in enumerate(leaves):  # each block's roots over its transactions and results
    block = line.get("payload", {})
    if block.get("kind") != "block":
        continue
    assert block["txs"] == i - begin and block["tx_root"] == root(data[begin:i]).hex(), "tx_root"
    assert block["result_root"] == root([H(jcs(l["result"])) for l in leaves[begin:i]]).hex(), "result_root"
    begin, blocks = i + 1, blocks + 1

text = lines[-1]["checkpoint"]
body, signatures = text.split("\n\n", 1)
origin, size, top = body.split("\n")[:3]
assert origin == "firmiana/" + lines[0]["chain"] and int(size) == len(leaves) and base64.b64decode(top) == root(data), "log root"

B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
def multikey(text):
    n = 0
    for c in text[1:]:
        n = n * 58 + B58.index(c)
    key = n.to_bytes(35, "big")
    assert key[:2] == b"\x86\x24", "not an SM2 key"
    return key[2:]

def der_int(b):
    b = b.lstrip(b"\0") or b"\0"
    b = b"\0" + b if b[0] & 0x80 else b
    return b"\x02" + bytes([len(b)]) + b

keys = {}
for member in genesis["members"]:
    doc = member["document"]
    for method in doc["verificationMethod"]:
        if method["id"] in doc["assertionMethod"]:
            keys.setdefault(doc["id"].rsplit(":", 1)[1], []).append(multikey(method["publicKeyMultibase"]))
good = 0
for line in signatures.splitlines():
    _, did, packed = line.split(" ")
    raw = base64.b64decode(packed)
    when, r, s = int.from_bytes(raw[4:12], "big"), raw[12:44], raw[44:76]
    pair = der_int(r) + der_int(s)
    open(sys.argv[2] + "/sig", "wb").write(b"\x30" + bytes([len(pair)]) + pair)
    open(sys.argv[2] + "/msg", "wb").write(f"cosignature/v1\ntime {when}\n{body}\n".encode())
    for key in keys[did.rsplit(":", 1)[1]]:  # SubjectPublicKeyInfo: id-ecPublicKey, the SM2 curve
        spki = bytes.fromhex("3039301306072a8648ce3d020106082a811ccf5501822d032200") + key
        open(sys.argv[2] + "/pub", "wb").write(spki)
        subprocess.run(["openssl", "pkey", "-pubin", "-inform", "DER", "-in", sys.argv[2] + "/pub", "-out", sys.argv[2] + "/pem"], check=True)
        good += subprocess.run(["openssl", "dgst", "-sm3", "-verify", sys.argv[2] + "/pem", "-signature", sys.argv[2] + "/sig",
                                "-sigopt", "distid:1234567812345678", sys.argv[2] + "/msg"], capture_output=True).returncode == 0
assert good >= genesis["quorum"], f"{good} cosignatures verify"
print(f"national: {blocks} blocks, {len(leaves)} leaves recomputed with SM3, {good} cosignatures verified with SM2, by openssl and Python")
PYTHON
