#!/usr/bin/env bash
# Builds the image with buildah and proves what it promises by running it with podman.
# `make image`. Needs root, and Debian's buildah podman runc catatonit debootstrap.
#
# No registry is asked: the base is a minimal Debian made by debootstrap, once, kept in
# build/image. BASE=name:tag in the environment uses another base that is in the store.
set -euo pipefail
cd "$(dirname "$0")/.."

WORK="$PWD/build/image"
STORE=(--root "$WORK/store" --runroot "$WORK/run" --storage-driver overlay)
BASE="${BASE:-localhost/base:bookworm}"
IMAGE="localhost/pe-platform:${ACCELERATOR:-cpu}"
export CONTAINERS_CONF="$WORK/containers.conf"
mkdir -p "$WORK"
printf '%s\n' '[containers]' \
  'default_ulimits=["nofile=1024:1024","nproc=1024:1024"]' \
  '[engine]' 'runtime="runc"' 'cgroup_manager="cgroupfs"' >"$CONTAINERS_CONF"

missing=()
for tool in buildah podman runc debootstrap; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
if ((${#missing[@]})); then
  echo "Missing: ${missing[*]}. On Debian: apt-get install --no-install-recommends" \
    "buildah podman runc catatonit iptables debootstrap" >&2
  exit 2
fi

if ! podman "${STORE[@]}" image exists "$BASE"; then
  echo "== base: debootstrap bookworm (a few minutes, once)"
  debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv,python3-pip \
    bookworm "$WORK/rootfs" >"$WORK/debootstrap.log"
  tar -C "$WORK/rootfs" -c . | podman "${STORE[@]}" import - "$BASE"
  rm -rf "$WORK/rootfs"
fi

# What this machine trusts and where it gets packages from, for pip inside the build
# alone; none of it stays in a layer. BUILD_MOUNTS names more of it, with blanks between.
mounts=()
for path in /etc/ssl/certs /etc/pip.conf ${BUILD_MOUNTS:-}; do
  if [[ -e "$path" ]]; then mounts+=(-v "$path:$path:ro"); fi
done
extra=()
if [[ -n "${TORCH_INDEX:-}" ]]; then extra+=(--build-arg "TORCH_INDEX=$TORCH_INDEX"); fi
echo "== build: $IMAGE"
started=$SECONDS
buildah "${STORE[@]}" build --format docker --isolation chroot --pull-never \
  --network host --layers "${mounts[@]}" --build-arg "BASE=$BASE" \
  --build-arg "ACCELERATOR=${ACCELERATOR:-cpu}" "${extra[@]}" \
  --build-arg "REVISION=$(git rev-parse HEAD)" \
  -f deploy/Dockerfile -t "$IMAGE" .
echo "built in $((SECONDS - started)) s"

python3 deploy/prove_image.py --store "$WORK" "$IMAGE"
