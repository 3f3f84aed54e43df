#!/bin/sh
# Deploys the newest commit of the service in this folder: pull, build, hand over.
#
# A version that does not build or does not start is taken back, and the one that serves was never touched.
set -eu
cd "$(dirname "$0")"
before=$(git rev-parse HEAD)

take_back() {
  git reset --quiet --hard "$before"
  npm run --silent build
  echo "deploy failed; $(git log -1 --format='%h %s') still serves" >&2
  exit 1
}

git pull --quiet --ff-only
npm run --silent build || take_back
npx --no handover reload || take_back
echo "deployed $(git log -1 --format='%h %s')"
