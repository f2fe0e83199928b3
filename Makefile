# What takes more than one command. The tools are pinned here and built by Go into bin/.
KO := github.com/google/ko@v0.19.1
VERSION ?= v0.1.0
ARCH ?= $(shell go env GOARCH)
ARCHIVES ?= bin/images.d

# help lists the targets.
help:
	@sed -n 's/^# \([a-z0-9-]*\) \(.*\)/\1\t\2/p' Makefile

# images builds the images of all programs, and pushes them if REGISTRY is given.
images: image-tools
	bin/images -ko bin/ko -version $(VERSION) $(if $(REGISTRY),-registry $(REGISTRY))

# images-archive writes one archive for each image of ARCH into ARCHIVES, for clusters without a registry.
images-archive: image-tools
	bin/images -ko bin/ko -version $(VERSION) -archives $(ARCHIVES) -arch $(ARCH)

# images-check builds the images here and from a copy of the source elsewhere: they must be the same, small, and have what programs look for.
images-check: image-tools
	deploy/images/check.sh

# e2e-k8s proves deploy/k8s on the cluster of KUBECONFIG, which has the images or gets them by IMAGE_LOAD.
e2e-k8s:
	cd deploy/k8s && go test -tags e2e -count=1 -timeout 25m -v ./e2e

image-tools:
	GOBIN=$(CURDIR)/bin go install $(KO)
	cd deploy/images && go build -o $(CURDIR)/bin/images .

.PHONY: help images images-archive images-check e2e-k8s image-tools
