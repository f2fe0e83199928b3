#!/usr/bin/env bash
# Builds the images here, and once more from a copy of the source in another folder: they
# must be the same bytes. Then it looks into one of them. make images-check builds the tools
# first.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=$PWD/bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$tools/images" -ko "$tools/ko" -archives "$work/archives" | tee "$work/here"
mkdir "$work/copy"
git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "$work/copy"
(cd "$work/copy" && "$tools/images" -ko "$tools/ko") >"$work/there"
diff "$work/here" "$work/there" || { echo "the same source gives other images"; exit 1; }

# What programs look for in a container: certificates, time zones, a user that is not root.
archive=$work/archives/heddle-gateway.tar
tar -xOf "$archive" manifest.json >"$work/manifest"
for layer in $(grep -o '"[0-9a-f]*\.tar\.gz"' "$work/manifest" | tr -d '"'); do
	tar -xOf "$archive" "$layer" | tar -tPz >>"$work/files"
done
for file in etc/passwd etc/ssl/certs/ca-certificates.crt usr/share/zoneinfo.zip ko-app/gateway; do
	grep -q "^/*$file$" "$work/files" || { echo "the image lacks $file"; exit 1; }
done
tar -xOf "$archive" "$(grep -o 'sha256:[0-9a-f]*' "$work/manifest" | head -n 1)" >"$work/config"
grep -q '"User":"65532:65532"' "$work/config" || { echo "the image runs as root"; exit 1; }
