# shellcheck shell=bash
# Sourced by ./test and browser/make: how WebAssembly is compiled, and the test vectors under Node.
# shellcheck disable=SC2154 # root and target are of whoever sources this

wasm_triple=wasm32-unknown-unknown

# wasm_toolchain : sets up cargo for WebAssembly, and wasm_arguments for it. To be called in a subshell.
wasm_toolchain() {
  need_cc
  unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET
  export CARGO_TARGET_DIR=$target/wasm
  wasm_arguments=(--locked --target "$wasm_triple")
  [ -d "$(rustc --print target-libdir --target "$wasm_triple")" ] && return
  echo "This toolchain has no $wasm_triple (rustup target add $wasm_triple adds it, if your network reaches it)."
  echo "Taking Debian's compiler instead, unpacked into target/wasm-toolchain; nothing is installed."
  local host linker
  host=$(rustc -vV | sed -n 's/^host: //p')
  linker=$(rustc --print sysroot)/lib/rustlib/$host/bin/rust-lld
  if [ ! -x "$linker" ]; then
    need wasm-ld "it links WebAssembly" lld
    linker=wasm-ld
  fi
  "$root/tools/wasm-toolchain" "$target/wasm-toolchain"
  export RUSTC=$target/wasm-toolchain/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker
  wasm_arguments+=(-Z "build-std=std,panic_abort")
}

step_wasm() {
  need node "it runs WebAssembly" nodejs
  wasm_toolchain
  cargo build "${wasm_arguments[@]}" --release --manifest-path "$root/interop/wasm/Cargo.toml"
  node "$root/interop/wasm/run.mjs" "$CARGO_TARGET_DIR/$wasm_triple/release/tagai_wasm_vectors.wasm"
}
