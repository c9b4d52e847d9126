# shellcheck shell=bash
# Sourced by ./test: the test vectors in WebAssembly under Node.
# shellcheck disable=SC2154 # root and target are of ./test

step_wasm() {
  local triple=wasm32-unknown-unknown
  local arguments=(--locked --release --target "$triple" --manifest-path "$root/interop/wasm/Cargo.toml")
  need node "it runs WebAssembly" nodejs
  need_cc
  unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET
  export CARGO_TARGET_DIR=$target/wasm
  if [ ! -d "$(rustc --print target-libdir --target "$triple")" ]; then
    echo "This toolchain has no $triple (rustup target add $triple adds it, if your network reaches it)."
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
    arguments+=(-Z "build-std=std,panic_abort")
  fi
  cargo build "${arguments[@]}"
  node "$root/interop/wasm/run.mjs" "$CARGO_TARGET_DIR/$triple/release/tagai_wasm_vectors.wasm"
}
