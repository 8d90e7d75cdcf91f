# shellcheck shell=bash
# `./run cometbft`: CometBFT into build/tools, pinned: nothing below 0.38.21 is safe (GHSA-c32p-wcqj-j677). Go checks its
# sources against sum.golang.org; we check that what came out is this version of these sources.
comet_version=0.38.25 comet_sum=h1:jtGSyssudmkjED2fk9wFGfd/fNyPKvLIinW62ELxZH4=
comet_is_there() { [ "$(build/tools/cometbft version 2>/dev/null)" = "$comet_version" ]; }
go_is_good() { # 1.22.11 or later
  local v
  v=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) || return 1
  [ "$(printf '%s\n' 1.22.11 "${v#go}" | sort -V | head -n 1)" = 1.22.11 ]
}
# The suite's reader of published logs over others' libraries, pinned in tests/tlog/go.sum; its test skips without it.
tlog_step() {
  if (cd tests/tlog && GOTOOLCHAIN=local CGO_ENABLED=0 timeout 300 go build -mod=readonly -buildvcs=false -trimpath -o ../../build/tools/tlog .) >build/tlog.log 2>&1; then
    say "build/tools/tlog: built"
  else
    rm -f build/tools/tlog
    say "build/tools/tlog: not built, the suite does without: $(tail -n 1 build/tlog.log)"
  fi
}
comet_step() {
  [ ! -x /usr/local/go/bin/go ] || PATH=$PATH:/usr/local/go/bin
  mkdir -p build/tools
  comet_build
  if go_is_good; then tlog_step; fi
}
comet_build() {
  local fresh
  if comet_is_there; then
    say "build/tools/cometbft: $comet_version"
    return
  fi
  if ! go_is_good && [ "$install" = yes ] && [ "$(id -u)" = 0 ]; then
    apt-get update -qq >/dev/null 2>&1 || true
    apt-get install -y -qq --no-install-recommends -t bookworm-backports golang-go ca-certificates >/dev/null 2>&1 || true
  fi
  go_is_good || die "CometBFT is built with Go 1.22.11 or later, which is not here: install it (Debian: golang-go of bookworm-backports, or https://go.dev/dl)"
  fresh=$(mktemp -d build/tools/fresh.XXXXXX)
  if ! GOTOOLCHAIN=local CGO_ENABLED=0 GOBIN=$PWD/$fresh timeout 900 \
    go install "github.com/cometbft/cometbft/cmd/cometbft@v$comet_version" >build/cometbft.log 2>&1; then
    rm -rf "$fresh"
    die "CometBFT $comet_version could not be built (is proxy.golang.org reachable?): $(tail -n 1 build/cometbft.log)"
  fi
  if ! go version -m "$fresh/cometbft" | grep -F "$comet_sum" >/dev/null; then
    rm -rf "$fresh"
    die "what was built is not CometBFT $comet_version as it was published: it is not installed"
  fi
  mv "$fresh/cometbft" build/tools/cometbft
  rmdir "$fresh"
  comet_is_there || die "build/tools/cometbft is not version $comet_version"
  say "build/tools/cometbft: $comet_version, built and checked"
}
