# shellcheck shell=bash
# Sourced by ./test: tagai-core has no clock, no I/O and no randomness of its own, `unsafe` is in one place, and imports run one way.
#
# The compiler does most of it: without the standard library there is no clock, file, socket or thread to name. So this
# checks that the library is without it, and that nothing that the library depends on brings such a thing back.

impure() {
  echo "tagai-core: $1" >&2
  failures=$((failures + 1))
}

# code FILE... : the lines as FILE:NUMBER:LINE without their comments.
code() {
  grep -nH '' "$@" | sed 's|//.*||'
}

# crates ARGUMENT... : the names of all crates compiled into tagai-core.
crates() {
  cargo tree --locked -p tagai-core -e normal,no-proc-macro --prefix none --format '{p}' "$@" |
    sed 's/ .*//' | grep -vx tagai-core | LC_ALL=C sort -u
}

# imports CRATE ALLOWED... : the crate uses none of this project's crates but those.
imports() {
  local crate=$1 found
  shift
  found=$(cargo tree --locked -p "$crate" -e normal --all-features --target all --depth 1 --prefix none --format '{p}' |
    sed 's/ .*//' | grep '^tagai-' | grep -vx -e "$crate" "${@/#/-e}" || true)
  if [ -n "$found" ]; then
    echo "$crate: imports run one way, and it must not use: ${found//$'\n'/ }" >&2
    failures=$((failures + 1))
  fi
}

step_purity() {
  local failures=0 src=crates/core/src line found tree listed name
  local files=()
  while IFS= read -r line; do files+=("$line"); done < <(find "$src" -name '*.rs' | LC_ALL=C sort)

  grep -qx '#!\[no_std\]' "$src/lib.rs" || impure "$src/lib.rs has no line #![no_std]"
  # Only the unit tests may bring the standard library in: each mention has #[cfg(test)] in the line above.
  found=$(awk 'FNR == 1 { above = "" } /extern +crate +std/ && above !~ /^ *#\[cfg\(test\)\] *$/ { print FILENAME ":" FNR }
    { above = $0 }' "${files[@]}")
  [ -z "$found" ] || impure "the standard library is brought in for more than tests: $found"
  [ ! -e crates/core/build.rs ] || impure "a build script could look at the machine that builds"

  # The lint stops `unsafe` wherever it is not allowed by name; so the names are what to look for.
  grep -A1 -x '\[lints\]' crates/core/Cargo.toml | grep -qx 'workspace = true' || impure "it does not have the workspace's lints"
  grep -qx 'unsafe_code = "deny"' Cargo.toml || impure "the workspace does not deny unsafe_code"
  found=$(code "${files[@]}" | grep -wE 'unsafe|unsafe_code' | grep -v "^$src/kam3/group/aws_lc/" || true)
  [ -z "$found" ] || impure "unsafe outside $src/kam3/group/aws_lc: $found"
  # AWS-LC has all that the library must not have. It is called `ffi`, and what is called is arithmetic.
  found=$(code "${files[@]}" | grep -w aws_lc_sys | grep -v ':use aws_lc_sys as ffi;$' || true)
  [ -z "$found" ] || impure "aws_lc_sys goes by another name than ffi: $found"
  found=$(code "${files[@]}" | grep -oE 'ffi::(\w+|\W)' | sort -u | awk '
    !/^ffi::(BIGNUM|BN_(CTX|MONT_CTX)(_[a-z_]+)?|BN_ULONG|BN_[a-z][a-z0-9_]*|EC_GROUP(_get0_order)?|EC_group_p(256|521)|EC_POINT(_[A-Za-z0-9_]+)?|ERR_clear_error|c_int)$/ \
    || /rand|generate|prime|print|_fp$/')
  [ -z "$found" ] || impure "AWS-LC is asked for more than arithmetic: ${found//$'\n'/ }"

  tree=$(crates --all-features --target all)
  listed=$(grep -v '^#' tools/core-dependencies.txt | LC_ALL=C sort)
  found=$(LC_ALL=C comm -13 <(printf '%s\n' "$tree") <(printf '%s\n' "$listed"))
  [ -z "$found" ] || impure "no longer depends on what tools/core-dependencies.txt lists: ${found//$'\n'/ }"
  found=$(LC_ALL=C comm -23 <(printf '%s\n' "$tree") <(printf '%s\n' "$listed"))
  [ -z "$found" ] || impure "depends on what tools/core-dependencies.txt does not list: ${found//$'\n'/ }
$(for name in $found; do cargo tree --locked -p tagai-core -e normal --all-features --target all -i "$name" 2>&1 | head -n 8; done)"
  tree=$(crates --no-default-features)
  found=$(grep -x '.*-sys' <<<"$tree" || true)
  [ -z "$found" ] || impure "without AWS-LC it is not pure Rust: ${found//$'\n'/ }"
  tree=$(crates --all-features --target wasm32-unknown-unknown)
  found=$(grep -xE '.*-sys|libc|wasm-bindgen' <<<"$tree" || true)
  [ -z "$found" ] || impure "for WebAssembly it is not pure Rust: ${found//$'\n'/ }"

  imports tagai-core
  imports tagai-store tagai-core
  imports tagai-server tagai-core tagai-store
  imports tagai-client tagai-core
  imports tagai-pki
  imports tagai-policy
  imports tagai-gateway tagai-core tagai-pki tagai-policy tagai-server tagai-store
  imports tagai-wasm tagai-core
  imports tagai-cli tagai-client tagai-core tagai-gateway tagai-pki tagai-policy tagai-server tagai-store

  [ "$failures" = 0 ]
  echo "tagai-core has no clock, I/O or randomness of its own; unsafe only in $src/kam3/group/aws_lc."
}
