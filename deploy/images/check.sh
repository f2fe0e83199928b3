#!/usr/bin/env bash
# Builds the images from here and from a copy of the source in another folder: they must be
# the same bytes. Then it looks into one of them. make images-check builds the tools first.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/copy"
git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "$work/copy"
bin/images -ko bin/ko -archives "$work/archives" -check "$work/copy"

# What programs look for in a container: certificates, time zones, a user that is not root.
mkdir "$work/layers"
for layer in $(tar -xOf "$work/archives/heddle-gateway.tar" manifest.json | grep -o '"[0-9a-f]*\.tar\.gz"' | tr -d '"'); do
	tar -xOf "$work/archives/heddle-gateway.tar" "$layer" | tar -tz >>"$work/layers/files"
done
for file in etc/passwd etc/ssl/certs/ca-certificates.crt usr/share/zoneinfo.zip ko-app/gateway; do
	grep -q "^/*$file$" "$work/layers/files" || { echo "the image lacks $file"; exit 1; }
done
config=$(tar -xOf "$work/archives/heddle-gateway.tar" manifest.json | grep -o 'sha256:[0-9a-f]*' | head -n 1)
tar -xOf "$work/archives/heddle-gateway.tar" "$config" | grep -q '"User":"65532:65532"' || { echo "the image runs as root"; exit 1; }
