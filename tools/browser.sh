# shellcheck shell=bash
# Sourced by ./test: the browser extension, built, judged by linters, and used in Firefox.
# shellcheck disable=SC2154 # root is of ./test

step_browser() {
  need_node
  need /usr/bin/python3 "it packs the extension, and drives Firefox" python3
  need firefox-esr "the extension is tried in it" firefox-esr
  # Firefox speaks no language that it has no texts of.
  if [ ! -e /usr/lib/firefox-esr/browser/extensions/langpack-ja@firefox-esr.mozilla.org.xpi ]; then
    echo "Installing firefox-esr-l10n-ja with apt-get: the extension is tried in Japanese, too."
    install_packages firefox-esr-l10n-ja
  fi
  # Here, where what it needs may be installed; the build itself installs nothing.
  (wasm_toolchain >/dev/null)
  "$root/browser/make"
  cd "$root/browser" || return 1
  node_modules/.bin/biome ci .
  local variant
  for variant in mv2 mv3; do
    node_modules/.bin/addons-linter --boring --warnings-as-errors "build/firefox-$variant"
  done
  node --test unit/*.test.js
  cd "$root" || return 1
  need openssl "it makes the certificates of the sites that Firefox visits" openssl
  programs
  browser/test/run
}
