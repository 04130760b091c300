#!/usr/bin/env bash
# Installs what the tests need beyond Python and Node: a browser, a Chinese font for it, and PostgreSQL's server.
set -euo pipefail

missing=()
command -v chromium-headless-shell chromium chromium-browser >/dev/null || missing+=(chromium)
compgen -G '/usr/share/fonts/opentype/noto/NotoSansCJK*' >/dev/null || missing+=(fonts-noto-cjk)
command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
[ ${#missing[@]} -eq 0 ] && exit 0

if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    # The engine alone, where the system has it as a package of its own: it takes a quarter less time.
    apt-cache show chromium-headless-shell >/dev/null 2>&1 && missing=("${missing[@]/chromium/chromium-headless-shell}")
    # The server is started by the tests themselves, in a folder of their own.
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    exit 0
fi
if [[ " ${missing[*]} " == *" chromium "* ]]; then
    .venv/bin/python -m playwright install chromium
fi
if [[ " ${missing[*]} " == *" postgresql "* ]]; then
    echo "The tests start a PostgreSQL server of their own: install the package 'postgresql' (initdb, pg_ctl)." >&2
    exit 1
fi
