#!/usr/bin/env bash
# The end-to-end test on the one-node cluster of ../shared/k8s beside the repository: starts the cluster,
# puts the images in, runs the test, stops the cluster. Its programs have to be built before:
#
#   ../shared/k8s/up.sh check && … debs && … build && … images
#
# IMAGES is a folder with the archives of our images; without it they are built here.
set -euo pipefail
cd "$(dirname "$0")"
repository=$(cd ../../.. && pwd)
up=$repository/../shared/k8s/up.sh
export K8S_PROBE_DIR=${K8S_PROBE_DIR:-/tmp/real-k8s}
bin=$K8S_PROBE_DIR/bin

[ -x "$up" ] || { echo "there is no cluster to test on: $up is missing" >&2; exit 1; }
for p in kubectl nats-server mkimage; do
	[ -x "$bin/$p" ] || { echo "$bin/$p is missing: run $up build and $up images first" >&2; exit 1; }
done

work=$(mktemp -d)
finish() {
	"$up" stop || true
	rm -rf "$work"
}
trap finish EXIT

# The names and tags that components/images has.
name() { sed -n "/name: $1\$/,/newTag/p" ../components/images/kustomization.yaml | sed -n 's/.*\(newName\|newTag\): //p' | paste -sd:; }

archive() { # image file [name in the image]
	"$bin/mkimage" -o "$work/$1.tar" -ref "$(name "$1")" "/${3:-$1}=$2"
}

images() {
	local p
	for p in heddle:. heddle-gateway:gateway heddle-fibonacci:services/fibonacci heddle-sqrt:services/sqrt heddle-crawler:services/crawler; do
		(cd "$repository" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$work/${p%%:*}" "./${p#*:}")
		archive "${p%%:*}" "$work/${p%%:*}"
	done
}

volumes() { # one for dev, three for prod
	local i
	for i in 1 2 3 4; do
		"$up" node mkdir -p "/var/lib/volumes/$i"
		cat <<-V
		apiVersion: v1
		kind: PersistentVolume
		metadata: {name: local-$i}
		spec:
		  capacity: {storage: 20Gi}
		  accessModes: [ReadWriteOnce]
		  persistentVolumeReclaimPolicy: Retain
		  local: {path: /var/lib/volumes/$i}
		  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: Exists}]}]}}
		---
		V
	done | kubectl apply -f -
}

if [ -n "${IMAGES:-}" ]; then cp "$IMAGES"/*.tar "$work"; else images; fi
archive nats "$bin/nats-server" nats-server

export KUBECONFIG=$K8S_PROBE_DIR/etc/admin.kubeconfig PATH=$bin:$PATH IMAGE_LOAD="$up load"
"$up" start
"$up" dns
"$up" load "$work"/*.tar
volumes
[ ! -x "$bin/metrics-server" ] || "$up" metrics
go test -tags e2e -count=1 -timeout 25m -v . "$@"
