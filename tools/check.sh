#!/usr/bin/env bash
# tools/check.sh BUILD: format, house rules, commits, spelling, layering, dead links. `./dev check` builds first and calls this.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
build=$1
failed=0
step() {
  echo "==> $1"
  shift
  "$@" || { failed=1; echo "    failed" >&2; }
}
format() { git ls-files '*.h' '*.cc' | xargs clang-format-19 --dry-run -Werror 2>&1 | head -40; return "${PIPESTATUS[1]}"; }
spelling() { git ls-files '*.md' '*.h' '*.cc' '*.py' '*.sh' 'dev' | xargs codespell -q 3 -L te,inout,ser,ba,afterall,chanel,nd,objekt,modle,keep-alives,kno,histroy,cilent,wiat,hel; }
shell() { git ls-files '*.sh' dev .ci/run | xargs shellcheck -S warning; }
step "format (clang-format-19)" format
step "house rules, dead links (tools/tidy.py)" python3 tools/tidy.py
step "commits (tools/commits.py)" python3 tools/commits.py
step "spelling (codespell)" spelling
step "shell (shellcheck)" shell
step "layering" python3 tests/layering/layering_test.py "$build"
exit $failed
